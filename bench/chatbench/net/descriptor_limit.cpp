#include "bench/chatbench/net/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>

namespace chatd::bench {
namespace {

// Standard streams, epoll instances, files in /proc, and a few to spare.
constexpr rlim_t kOther = 32;

}  // namespace

tl::expected<void, std::string> ensure_descriptors(std::uint64_t sockets,
                                                   const std::string& instead) {
  const rlim_t needed = sockets + kOther;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= needed) return {};
  const rlimit wanted{.rlim_cur = needed, .rlim_max = std::max(limit.rlim_max, needed)};
  if (::setrlimit(RLIMIT_NOFILE, &wanted) == 0) return {};
  return tl::unexpected("this takes " + std::to_string(needed) +
                        " file descriptors, and the limit is " + std::to_string(limit.rlim_max) +
                        ". Raise it with: ulimit -n " + std::to_string(needed) + " (or use " +
                        instead + ")");
}

}  // namespace chatd::bench
