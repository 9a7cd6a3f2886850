#include "server/group/shard_group.h"

#include <utility>

#include "server/os/system_error.h"
#include "server/os/wait.h"

namespace chatd {

tl::expected<std::unique_ptr<ShardGroup>, std::string> ShardGroup::open(Io& io,
                                                                        std::uint32_t shard_count,
                                                                        std::size_t max_misrouted) {
  auto group = std::make_unique<ShardGroup>();
  for (std::uint32_t shard = 0; shard < shard_count; ++shard) {
    UniqueFd event(io.eventfd());
    if (!event) return tl::unexpected(system_error("eventfd"));
    group->lines_.push_back(std::make_unique<Line>(io, std::move(event), max_misrouted));
    group->lines_.back()->greeting = std::make_shared<const GreetingPart>();
  }
  return group;
}

void ShardGroup::publish(std::uint8_t shard, const ShardStats& figures) {
  Line& line = *lines_[shard];
  {
    const std::lock_guard lock(line.greeting_mutex);
    line.greeting = figures.greeting;
  }
  line.rooms.store(figures.rooms, std::memory_order_release);
  line.members.store(figures.members, std::memory_order_release);
  line.roster_version.store(figures.roster_version, std::memory_order_release);
  const int empty_fd = empty_fd_.load(std::memory_order_relaxed);
  if (figures.members == 0 && empty_fd >= 0) wake(empty_fd);
}

void ShardGroup::read_figures(std::vector<ShardStats>& figures) const {
  figures.resize(lines_.size());
  for (std::size_t shard = 0; shard < lines_.size(); ++shard) {
    const Line& line = *lines_[shard];
    ShardStats& known = figures[shard];
    known.rooms = line.rooms.load(std::memory_order_acquire);
    known.members = line.members.load(std::memory_order_acquire);
    const std::uint64_t version = line.roster_version.load(std::memory_order_acquire);
    if (version == known.roster_version && known.greeting) continue;
    known.roster_version = version;
    const std::lock_guard lock(line.greeting_mutex);  // it is at least as new as the version
    known.greeting = line.greeting;
  }
}

}  // namespace chatd
