#include "server/os/processors.h"

#include <pthread.h>
#include <sched.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace chatd {

namespace {

namespace fs = std::filesystem;

// A hierarchy of groups: where it is mounted, and which of its groups is at the mount point.
struct Hierarchy {
  std::string root;
  fs::path mount_point;
};

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

bool contains(const std::string& list, std::string_view word) {
  const std::vector<std::string> words = split(list, ',');
  return std::ranges::find(words, word) != words.end();
}

// A line of mountinfo (proc(5)): ID PARENT DEVICE ROOT MOUNT-POINT OPTIONS... - TYPE SOURCE
// OPTIONS. Empty `controller`: version 2.
std::optional<Hierarchy> find_hierarchy(const fs::path& root, std::string_view controller) {
  std::ifstream mounts(root / "proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    const std::vector<std::string> fields = split(line, ' ');
    const auto dash = std::ranges::find(fields, "-");
    if (fields.size() < 6 || fields.end() - dash < 4) continue;
    const std::string& type = *(dash + 1);
    const bool is_wanted = controller.empty()
                               ? type == "cgroup2"
                               : type == "cgroup" && contains(*(dash + 3), controller);
    if (is_wanted) return Hierarchy{fields[3], root / fs::path(fields[4]).relative_path()};
  }
  return std::nullopt;
}

// This process's group in the hierarchy (a line ID:CONTROLLERS:PATH; version 2 has 0::PATH).
std::optional<std::string> find_group(const fs::path& root, std::string_view controller) {
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool is_wanted =
        controller.empty() ? line.starts_with("0::") : contains(controllers, controller);
    if (is_wanted) return line.substr(second + 1);
  }
  return std::nullopt;
}

// A quota and a period, in microseconds; "max" and -1 are no quota.
std::optional<double> quota_of(const std::string& quota, const std::string& period) {
  double quota_us = 0;
  double period_us = 0;
  std::istringstream(quota) >> quota_us;
  std::istringstream(period) >> period_us;
  if (quota_us <= 0 || period_us <= 0) return std::nullopt;
  return quota_us / period_us;
}

std::string line_of(const fs::path& file) {
  std::string line;
  std::getline(std::ifstream(file) >> std::ws, line);
  return line;
}

std::optional<double> quota_in(const fs::path& group, bool is_version_2) {
  if (!is_version_2) {
    return quota_of(line_of(group / "cpu.cfs_quota_us"), line_of(group / "cpu.cfs_period_us"));
  }
  const std::vector<std::string> fields = split(line_of(group / "cpu.max"), ' ');
  return fields.size() == 2 ? quota_of(fields[0], fields[1]) : std::nullopt;
}

// The group as a path below the mount point. In a container the mount may begin at the group
// itself, or the group may be named as it is called outside; then the mount point is all that is
// seen of it.
fs::path below_mount(const std::string& group, const std::string& mount_root) {
  fs::path relative = fs::path(group).lexically_relative(mount_root);
  if (relative.empty() || *relative.begin() == ".." || relative == ".") return {};
  return relative;
}

std::optional<double> smallest(std::optional<double> a, std::optional<double> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

std::optional<double> quota_of_version(const fs::path& root, std::string_view controller) {
  const auto hierarchy = find_hierarchy(root, controller);
  const auto group = find_group(root, controller);
  if (!hierarchy || !group) return std::nullopt;
  fs::path relative = below_mount(*group, hierarchy->root);
  std::optional<double> quota = quota_in(hierarchy->mount_point, controller.empty());
  for (; !relative.empty(); relative = relative.parent_path()) {
    quota = smallest(quota, quota_in(hierarchy->mount_point / relative, controller.empty()));
  }
  return quota;
}

}  // namespace

std::optional<double> cpu_quota(const fs::path& root) {
  return smallest(quota_of_version(root, ""), quota_of_version(root, "cpu"));
}

std::vector<std::size_t> usable_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<std::size_t> processors;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) {
    for (std::size_t processor = 0; processor < CPU_SETSIZE; ++processor) {
      if (CPU_ISSET(processor, &set)) processors.push_back(processor);
    }
  }
  if (processors.empty()) processors.push_back(0);  // more than CPU_SETSIZE of them
  return processors;
}

std::size_t threads_for(std::size_t processors, std::optional<double> quota) {
  if (!quota || *quota >= static_cast<double>(processors)) return processors;
  return std::max<std::size_t>(static_cast<std::size_t>(std::ceil(*quota)), 1);
}

std::size_t usable_threads() {
  return threads_for(usable_processors().size(), cpu_quota());
}

std::string explain_usable_threads() {
  const auto quota = cpu_quota();
  return fmt::format("{}: {} processors, and {}", usable_threads(), usable_processors().size(),
                     quota ? fmt::format("a quota of {:.2f}", *quota) : "no CPU quota");
}

void name_thread(const std::string& name) {
  ::pthread_setname_np(::pthread_self(), name.c_str());
}

void pin_thread(std::size_t processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  const int error = ::pthread_setaffinity_np(::pthread_self(), sizeof set, &set);
  if (error == 0) return;
  spdlog::warn(
      "this thread cannot be kept on processor {} ({}): the scheduler decides, which may cost a "
      "little",
      processor, std::strerror(error));
}

}  // namespace chatd
