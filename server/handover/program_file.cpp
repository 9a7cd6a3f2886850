#include "server/handover/program_file.h"

#include <sys/auxv.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace chatd {
namespace {

namespace fs = std::filesystem;

constexpr char kThisProgram[] = "/proc/self/exe";

bool is_same_file(const char* path, const char* other) {
  struct stat file {};
  struct stat other_file {};
  return ::stat(path, &file) == 0 && ::stat(other, &other_file) == 0 &&
         file.st_dev == other_file.st_dev && file.st_ino == other_file.st_ino;
}

// As the shell calls it, where that is true: it may have gone through a link, too.
fs::path working_directory() {
  const char* const as_shell_says = std::getenv("PWD");
  if (as_shell_says != nullptr && as_shell_says[0] == '/' && is_same_file(as_shell_says, ".")) {
    return as_shell_says;
  }
  std::error_code error;
  return fs::current_path(error);
}

std::string path_as_started() {
  const auto* const name = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
  const std::string_view given = name == nullptr ? std::string_view() : std::string_view(name);
  // Started by descriptor (fexecve(3)): this name leads nowhere from another process.
  if (given.empty() || given.starts_with("/dev/fd/") || given.starts_with("/proc/")) {
    std::error_code error;
    return fs::read_symlink(kThisProgram, error).string();
  }
  if (given.starts_with('/')) return std::string(given);
  const fs::path directory = working_directory();
  return directory.empty() ? std::string() : (directory / given).string();
}

}  // namespace

ProgramFile::ProgramFile() : path_(path_as_started()) {
  struct stat file {};
  if (::stat(kThisProgram, &file) != 0) {
    path_.clear();
    return;
  }
  device_ = file.st_dev;
  inode_ = file.st_ino;
}

// A file that is missing is not another program: an upgrade may be under way.
bool ProgramFile::is_replaced() const {
  struct stat file {};
  if (path_.empty() || ::stat(path_.c_str(), &file) != 0) return false;
  return file.st_dev != device_ || file.st_ino != inode_;
}

}  // namespace chatd
