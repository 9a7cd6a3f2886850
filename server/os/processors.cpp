#include "server/os/processors.h"

#include <pthread.h>
#include <sched.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "server/os/cpu_quota.h"

namespace chatd {

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
