#include "server/shard/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/base/limits.h"
#include "server/data/lanes.h"
#include "server/os/system_error.h"

namespace chatd {
namespace {

// Standard streams, the listener, signals, logs, and a few to spare.
constexpr rlim_t kOwnDescriptors = 32;
// Its UDP socket, epoll and mailbox.
constexpr rlim_t kShardDescriptors = 3;

rlim_t own_descriptors(std::uint32_t shards) {
  return kSpareConnections + kOwnDescriptors + rlim_t{shards} * kShardDescriptors;
}

}  // namespace

tl::expected<void, std::string> ensure_descriptors(std::uint32_t max_connections,
                                                   std::uint32_t shards) {
  const rlim_t own = own_descriptors(shards);
  const rlim_t needed = rlim_t{max_connections} + own;
  const rlim_t wanted = needed + rlim_t{shards} * Lanes::kMaxLanes;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return tl::unexpected(system_error("getrlimit RLIMIT_NOFILE"));
  }
  if (limit.rlim_cur >= wanted) return {};
  const rlimit all{.rlim_cur = wanted, .rlim_max = std::max(limit.rlim_max, wanted)};
  if (::setrlimit(RLIMIT_NOFILE, &all) == 0) return {};
  // As far as the hard limit goes: there are fewer lanes then.
  const rlimit some{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  if (limit.rlim_max >= needed && ::setrlimit(RLIMIT_NOFILE, &some) == 0) return {};
  if (limit.rlim_cur >= needed) return {};

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

std::size_t spare_lanes(std::uint32_t max_connections, std::uint32_t shards) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t needed = rlim_t{max_connections} + own_descriptors(shards);
  if (limit.rlim_cur <= needed) return 0;
  return std::min<rlim_t>((limit.rlim_cur - needed) / shards, Lanes::kMaxLanes);
}

}  // namespace chatd
