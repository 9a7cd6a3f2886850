#include "server/os/state_directory.h"

#include <spdlog/spdlog.h>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>

#include "server/os/kernel_random.h"
#include "server/os/private_file.h"

namespace chatd {
namespace {

// Nothing: there is none, or what is there is no secret of this length.
std::optional<KeptSecret> stored_secret(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  KeptSecret secret;
  file.read(reinterpret_cast<char*>(secret.data()), static_cast<std::streamsize>(secret.size()));
  if (file && file.peek() == std::ifstream::traits_type::eof()) return secret;
  spdlog::warn("{} cannot be read, or is damaged: a new one takes its place", path);
  return std::nullopt;
}

}  // namespace

std::string state_directory() {
  const char* const all = std::getenv("STATE_DIRECTORY");
  if (all == nullptr) return "";
  const std::string directories(all);
  return directories.substr(0, directories.find(':'));
}

tl::expected<KeptSecret, std::string> kept_secret(const std::string& directory, const char* file) {
  const std::string path = directory.empty() ? "" : directory + "/" + file;
  if (!path.empty()) {
    if (const auto stored = stored_secret(path)) return *stored;
  }
  auto secret = kernel_random<KeptSecret>();
  if (!secret || path.empty()) return secret;
  const auto written =
      write_private_file(path, {reinterpret_cast<const char*>(secret->data()), secret->size()});
  if (!written) {
    spdlog::warn(
        "{} cannot be kept ({}): after a crash clients will notice later that they are out", path,
        written.error());
  }
  return secret;
}

}  // namespace chatd
