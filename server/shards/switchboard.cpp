#include "server/shards/switchboard.h"

#include <sys/eventfd.h>

#include <utility>

#include "server/process/system_error.h"

namespace chatd {

tl::expected<std::unique_ptr<Switchboard>, std::string> Switchboard::open(
    std::uint32_t shard_count) {
  auto board = std::make_unique<Switchboard>();
  for (std::uint32_t shard = 0; shard < shard_count; ++shard) {
    UniqueFd event(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (!event) return tl::unexpected(system_error("eventfd"));
    board->lines_.push_back(std::make_unique<Line>(std::move(event)));
  }
  return board;
}

void Switchboard::publish(std::uint8_t shard, const ShardFigures& figures) {
  Line& line = *lines_[shard];
  line.rooms.store(figures.rooms, std::memory_order_release);
  line.members.store(figures.members, std::memory_order_release);
  line.roster_version.store(figures.roster_version, std::memory_order_release);
}

void Switchboard::read_figures(std::vector<ShardFigures>& figures) const {
  figures.resize(lines_.size());
  for (std::size_t shard = 0; shard < lines_.size(); ++shard) {
    const Line& line = *lines_[shard];
    figures[shard] = {.rooms = line.rooms.load(std::memory_order_acquire),
                      .members = line.members.load(std::memory_order_acquire),
                      .roster_version = line.roster_version.load(std::memory_order_acquire)};
  }
}

}  // namespace chatd
