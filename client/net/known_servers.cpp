#include "client/net/known_servers.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <system_error>
#include <utility>
#include <vector>

#include "client/net/own_directories.h"
#include "client/net/unique_fd.h"
#include "client/net/wait.h"

namespace chatd::client {
namespace {

constexpr std::string_view kPrefix = "sha256:";
constexpr std::size_t kDigits = 64;

std::string in_lower_case(std::string_view text) {
  std::string lower;
  for (const char c : text) {
    lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return lower;
}

struct Line {
  std::string server;
  std::string fingerprint;
};

std::optional<Line> read_line(const std::string& text) {
  const std::size_t blank = text.find(' ');
  if (blank == std::string::npos) return std::nullopt;
  auto fingerprint = read_fingerprint(std::string_view(text).substr(blank + 1));
  if (!fingerprint) return std::nullopt;
  return Line{in_lower_case(text.substr(0, blank)), std::move(*fingerprint)};
}

std::vector<std::string> read_lines(const std::filesystem::path& file) {
  std::vector<std::string> lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// A new file takes the place of the old one, so that whoever reads finds one or the other.
bool replace_file(const std::filesystem::path& file, const std::string& text) {
  std::string path = file.string() + ".XXXXXX";
  const UniqueFd fd(::mkostemp(path.data(), O_CLOEXEC));  // mode 0600
  if (!fd) return false;
  if (write_all(fd.get(), text) && ::fsync(fd.get()) == 0 &&
      ::rename(path.c_str(), file.c_str()) == 0) {
    return true;
  }
  const int error = errno;
  ::unlink(path.c_str());
  errno = error;
  return false;
}

}  // namespace

std::optional<std::string> read_fingerprint(std::string_view text) {
  if (in_lower_case(text.substr(0, kPrefix.size())) == kPrefix) text.remove_prefix(kPrefix.size());
  std::string digits;
  for (const char c : text) {
    if (c == ':') continue;
    if (std::isxdigit(static_cast<unsigned char>(c)) == 0) return std::nullopt;
    digits += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  if (digits.size() != kDigits) return std::nullopt;
  std::string fingerprint(kPrefix);
  for (std::size_t i = 0; i < kDigits; i += 2) {
    fingerprint += (i == 0 ? "" : ":") + digits.substr(i, 2);
  }
  return fingerprint;
}

std::optional<std::string> KnownServers::fingerprint_of(std::string_view server) const {
  const std::string wanted = in_lower_case(server);
  for (const std::string& text : read_lines(file_)) {
    const auto line = read_line(text);
    if (line && line->server == wanted) return line->fingerprint;
  }
  return std::nullopt;
}

tl::expected<void, std::string> KnownServers::remember(const std::string& server,
                                                       const std::string& fingerprint) const {
  const auto failed = [this] {
    return tl::unexpected(file_.string() + " cannot be written: " + system_reason(errno));
  };
  if (!make_private(file_.parent_path())) return failed();
  // Another `chat` may do the same at this moment.
  const UniqueFd directory(::open(file_.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::flock(directory.get(), LOCK_EX) != 0) return failed();
  std::string text;
  for (const std::string& kept : read_lines(file_)) {
    const auto line = read_line(kept);
    if (!line || line->server != in_lower_case(server)) text += kept + "\n";
  }
  text += in_lower_case(server) + " " + fingerprint + "\n";
  if (!replace_file(file_, text)) return failed();
  return {};
}

}  // namespace chatd::client
