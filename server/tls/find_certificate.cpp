#include "server/tls/find_certificate.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>

#include "server/os/open_sockets.h"
#include "server/os/private_file.h"

namespace chatd {
namespace {

using Fault = tl::unexpected<std::string>;

constexpr std::size_t kMaxPemBytes = 1 << 20;

tl::expected<std::string, std::string> read_pem(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxPemBytes + 1, '\0');
  if (file) file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    return Fault(path + " cannot be read: " + std::generic_category().message(errno));
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxPemBytes) return Fault(path + " is too large for a certificate or a key");
  return text;
}

// Those that chatd is called by, as far as it knows.
std::vector<std::string> own_names(const std::string& host) {
  std::vector<std::string> names;
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0') {
    names.emplace_back(name.data());
  }
  if (!host.empty() && !IpAddress::parse(host)) names.insert(names.begin(), host);
  return names;
}

tl::expected<FoundCertificate, std::string> self_signed(std::string text, std::string origin) {
  auto certificate = parse_certificate(text, text);
  if (!certificate) return Fault(certificate.error());
  return FoundCertificate{.certificate = std::move(*certificate),
                          .origin = std::move(origin),
                          .self_made = std::move(text)};
}

// Nothing: there is none, or none that is of use any more; a new one takes its place.
std::optional<FoundCertificate> stored(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::nullopt;
  auto text = read_pem(path);
  auto found = text ? self_signed(std::move(*text), "from " + path)
                    : tl::expected<FoundCertificate, std::string>(Fault(text.error()));
  if (found && !found->certificate.has_expired()) return std::move(*found);
  spdlog::warn(
      "{}: {}: chatd makes a new certificate, and clients that remember the old one will "
      "complain",
      path, found ? "it has expired" : found.error());
  return std::nullopt;
}

void store(const std::string& path, FoundCertificate& found) {
  const auto written = write_private_file(path, found.self_made);
  if (written) {
    found.origin += ", kept in " + path;
  } else {
    spdlog::warn(
        "the certificate cannot be kept ({}): after a restart there is another one, and "
        "clients that remember this one will complain",
        written.error());
  }
}

}  // namespace

tl::expected<FoundCertificate, std::string> read_certificate_files(const CertificatePlace& place) {
  if (place.certificate_path.empty()) {
    return Fault("--tls-key is " + place.key_path +
                 ", and there is no --tls-certificate that it is the key of");
  }
  const auto certificates = read_pem(place.certificate_path);
  if (!certificates) return Fault("--tls-certificate: " + certificates.error());
  const auto key = read_pem(place.key_path);
  if (!key) return Fault("--tls-key: " + key.error());
  auto certificate = parse_certificate(*certificates, *key);
  if (!certificate) {
    return Fault("--tls-certificate " + place.certificate_path +
                 (place.key_path == place.certificate_path ? "" : ", --tls-key " + place.key_path) +
                 ": " + certificate.error());
  }
  return FoundCertificate{.certificate = std::move(*certificate),
                          .origin = "from " + place.certificate_path,
                          .self_made = {}};
}

tl::expected<FoundCertificate, std::string> find_certificate(const CertificatePlace& place,
                                                             const std::string& self_made) {
  if (!place.certificate_path.empty() || !place.key_path.empty())
    return read_certificate_files(place);
  const std::string path =
      place.state_directory.empty() ? "" : place.state_directory + "/" + kCertificateFile;
  if (!path.empty()) {
    if (auto found = stored(path)) return std::move(*found);
  }
  if (!self_made.empty()) {
    auto found = self_signed(self_made, "that the chatd before this one has made");
    if (found && !path.empty()) store(path, *found);
    if (found) return found;
  }
  auto text = make_self_signed(own_names(place.host), own_sockets_of(place.endpoint).addresses);
  if (!text) return Fault(text.error());
  auto found = self_signed(std::move(*text), "that chatd has made and signed itself");
  if (found && !path.empty()) store(path, *found);
  return found;
}

}  // namespace chatd
