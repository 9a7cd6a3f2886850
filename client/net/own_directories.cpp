#include "client/net/own_directories.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace chatd::client {
namespace {

// Relative paths do not count.
std::optional<std::filesystem::path> directory_in(const char* variable) {
  const char* const value = std::getenv(variable);
  if (value == nullptr || *value != '/') return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::filesystem::path> session_directory() {
  if (const auto runtime = directory_in("XDG_RUNTIME_DIR")) return *runtime / "chat";
  return state_directory();
}

std::optional<std::filesystem::path> state_directory() {
  if (const auto state = directory_in("XDG_STATE_HOME")) return *state / "chat";
  if (const auto home = directory_in("HOME")) return *home / ".local" / "state" / "chat";
  return std::nullopt;
}

bool make_private(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory.parent_path(), error);
  return ::mkdir(directory.c_str(), S_IRWXU) == 0 || errno == EEXIST;
}

}  // namespace chatd::client
