#include "server/process/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/limits.h"
#include "server/data/lanes.h"
#include "server/process/system_error.h"

namespace chatd {
namespace {

// Standard streams, the listener, signals, logs, and a few to spare.
constexpr rlim_t kOwnDescriptors = 32;
// Its UDP socket, epoll and mailbox, and the lanes of those whose way is blocked: nobody is to be
// kept from connecting by them.
constexpr rlim_t kShardDescriptors = 3 + Lanes::kMaxLanes;

}  // namespace

tl::expected<void, std::string> ensure_descriptors(std::uint32_t max_connections,
                                                   std::uint32_t shards) {
  const rlim_t own = kSpareConnections + kOwnDescriptors + rlim_t{shards} * kShardDescriptors;
  const rlim_t needed = rlim_t{max_connections} + own;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return tl::unexpected(system_error("getrlimit RLIMIT_NOFILE"));
  }
  if (limit.rlim_cur >= needed) return {};
  const rlimit wanted{.rlim_cur = needed, .rlim_max = std::max(limit.rlim_max, needed)};
  if (::setrlimit(RLIMIT_NOFILE, &wanted) == 0) return {};

  const int error = errno;
  std::string text = "--max-connections " + std::to_string(max_connections) + " needs " +
                     std::to_string(needed) + " file descriptors, and the hard limit is " +
                     std::to_string(limit.rlim_max) + " (setrlimit: " + std::strerror(error) +
                     "). Raise it (ulimit -Hn, LimitNOFILE=)";
  if (limit.rlim_max > own) {
    text += ", or start chatd with --max-connections " + std::to_string(limit.rlim_max - own);
  }
  return tl::unexpected(std::move(text));
}

}  // namespace chatd
