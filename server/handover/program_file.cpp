#include "server/handover/program_file.h"

#include <sys/stat.h>

#include <filesystem>
#include <string_view>
#include <system_error>

namespace chatd {
namespace {

std::string path_of_this_program() {
  std::error_code error;
  std::string path = std::filesystem::read_symlink("/proc/self/exe", error).string();
  // The kernel's words for a file that has been replaced by now.
  constexpr std::string_view kGone = " (deleted)";
  if (path.ends_with(kGone)) path.resize(path.size() - kGone.size());
  return path;
}

}  // namespace

ProgramFile::ProgramFile() : path_(path_of_this_program()) {
  struct stat file {};
  if (::stat("/proc/self/exe", &file) != 0) {
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
