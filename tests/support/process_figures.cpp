#include "tests/support/process_figures.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "tests/support/die.h"

namespace chatd::test {
namespace {

std::string proc_path(pid_t pid, const char* file) {
  return "/proc/" + std::to_string(pid) + "/" + file;
}

rlimit open_files_limit(pid_t pid) {
  rlimit limit{};
  if (::prlimit(pid, RLIMIT_NOFILE, nullptr, &limit) != 0) die("prlimit");
  return limit;
}

}  // namespace

std::size_t resident_bytes(pid_t pid) {
  std::ifstream status(proc_path(pid, "status"));
  for (std::string word; status >> word;) {
    std::size_t kibibytes = 0;
    if (word == "VmRSS:" && status >> kibibytes) return kibibytes * 1024;
  }
  return 0;
}

std::size_t open_descriptors(pid_t pid) {
  std::error_code error;
  const std::filesystem::directory_iterator entries(proc_path(pid, "fd"), error);
  return error ? 0
               : static_cast<std::size_t>(
                     std::distance(entries, std::filesystem::directory_iterator()));
}

bool has_descriptor(pid_t pid, std::string_view target) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(proc_path(pid, "fd"), error)) {
    if (std::filesystem::read_symlink(entry.path(), error) == target) return true;
  }
  return false;
}

std::vector<pid_t> children_of(pid_t pid) {
  const std::string task = "task/" + std::to_string(pid) + "/children";
  std::ifstream file(proc_path(pid, task.c_str()));
  return {std::istream_iterator<pid_t>(file), std::istream_iterator<pid_t>()};
}

std::chrono::milliseconds cpu_time(pid_t pid) {
  std::ifstream file(proc_path(pid, "stat"));
  std::stringstream text;
  text << file.rdbuf();
  // The name in parentheses may hold anything; the fields after it are plain. State is the first.
  const std::size_t name_end = text.str().rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream fields(text.str().substr(name_end + 1));
  constexpr int kFieldsBeforeUserTime = 11;
  std::string skipped;
  for (int i = 0; i < kFieldsBeforeUserTime; ++i) fields >> skipped;
  long user_ticks = 0;
  long system_ticks = 0;
  fields >> user_ticks >> system_ticks;
  return std::chrono::milliseconds((user_ticks + system_ticks) * 1000 / ::sysconf(_SC_CLK_TCK));
}

std::chrono::milliseconds processor_wait(pid_t pid) {
  std::ifstream figures(proc_path(pid, "schedstat"));
  std::int64_t run_ns = 0;
  std::int64_t waited_ns = 0;
  figures >> run_ns >> waited_ns;
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::nanoseconds(waited_ns));
}

std::uint64_t soft_open_files_limit(pid_t pid) {
  return open_files_limit(pid).rlim_cur;
}

void set_soft_open_files_limit(pid_t pid, std::uint64_t limit) {
  rlimit changed = open_files_limit(pid);
  changed.rlim_cur = limit;
  if (::prlimit(pid, RLIMIT_NOFILE, &changed, nullptr) != 0) die("prlimit");
}

void raise_own_open_files_limit() {
  set_soft_open_files_limit(::getpid(), open_files_limit(::getpid()).rlim_max);
}

}  // namespace chatd::test
