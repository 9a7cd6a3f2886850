#include "core/control/room_list_cache.h"

#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <utility>

#include "core/base/limits.h"
#include "core/wire/v1/frame.h"

namespace chatd {
namespace {

// What readers of all lists may hold when one more is made. That one is the newest then.
constexpr std::size_t kMaxHeldBytes = 48 * 1024 * 1024;
// Counting it must not take long: so many chunks are counted as too much.
constexpr std::size_t kMaxHeldChunks = 16'384;
constexpr TimeMs kLookAgainMs = 20;

// Without the frame's header and the text around the rooms.
constexpr std::size_t kMaxRoomsTextBytes = kMaxListBytes - kFrameHeaderBytes - 64;

}  // namespace

RoomListCache::RoomListCache(Roster& roster, std::uint8_t shard, std::uint32_t shard_count)
    : roster_(roster),
      shard_(shard),
      shard_count_(shard_count),
      writer_(roster, kMaxRoomsTextBytes / shard_count) {}

void RoomListCache::on_shard_message(const ListQuery& wanted) {
  wants_.push_back({.wanted = wanted, .version = roster_.version()});
}

void RoomListCache::on_shard_message(ListReply&& message) {
  if (!round_ || message.round != round_number_) return;
  round_->parts[message.from] = std::move(message.part);
  --round_->missing;
}

bool RoomListCache::has_work(TimeMs now_ms) const {
  if (writer_.is_sweeping() || is_own_part_wanted()) return true;
  if (round_) return round_->missing == 0;
  return !asking_.empty() && (!waits_since_ms_ || now_ms >= look_again_at_ms_);
}

std::optional<TimeMs> RoomListCache::next_deadline() const {
  if (!waits_since_ms_) return std::nullopt;
  return look_again_at_ms_;
}

void RoomListCache::go_on(TimeMs now_ms, PeerShards& peers) {
  if (!round_ && !asking_.empty() && may_begin(now_ms)) begin_round(peers);
  if (!writer_.is_sweeping() && is_own_part_wanted() &&
      writer_.part()->version != roster_.version()) {
    writer_.begin();
  }
  if (writer_.is_sweeping() && !writer_.go_on()) return;
  give_own_part(peers);
  if (round_ && round_->missing == 0 && round_->parts[index_of_own()]) finish_round(peers);
}

bool RoomListCache::may_begin(TimeMs now_ms) {
  if (waits_since_ms_ && now_ms < look_again_at_ms_) return false;
  // One list at least may be read while the next one is made, whatever its size.
  const std::size_t allowed_bytes = std::max(kMaxHeldBytes / shard_count_, size_bytes_);
  if (held_bytes() <= allowed_bytes) {
    waits_since_ms_.reset();
    return true;
  }
  if (!waits_since_ms_) waits_since_ms_ = now_ms;
  look_again_at_ms_ = now_ms + kLookAgainMs;
  return false;
}

// Chunks that several lists share count once.
std::size_t RoomListCache::held_bytes() {
  std::erase_if(lists_, [](const auto& list) { return list.expired(); });
  if (lists_.size() < 2) return 0;
  absl::flat_hash_set<const ListChunk*> chunks;
  std::size_t bytes = 0;
  std::size_t counted = 0;
  for (const auto& weak : lists_) {
    const auto list = weak.lock();
    if (!list) continue;
    for (const auto& part : list->parts()) {
      counted += part->chunks.size();
      if (counted > kMaxHeldChunks) return kMaxListBytes;
      for (const auto& chunk : part->chunks) {
        if (chunks.insert(chunk.get()).second) bytes += chunk->memory_bytes();
      }
    }
  }
  return bytes;
}

void RoomListCache::begin_round(PeerShards& peers) {
  round_ = Round{.askers = std::exchange(asking_, {}),
                 .parts = RoomList::Parts(shard_count_),
                 .missing = 0,
                 .own_version = roster_.version()};
  ++round_number_;
  const auto last = lists_.empty() ? nullptr : lists_.back().lock();
  for (std::uint32_t shard = 0; shard < shard_count_; ++shard) {
    if (shard == index_of_own()) continue;
    if (last && last->parts()[shard]->version == peers.figures[shard].roster_version) {
      round_->parts[shard] = last->parts()[shard];
      continue;
    }
    peers.post(static_cast<std::uint8_t>(shard), ListQuery{.from = shard_, .round = round_number_});
    ++round_->missing;
  }
}

bool RoomListCache::is_own_part_wanted() const {
  return !wants_.empty() || (round_ && !round_->parts[index_of_own()]);
}

// To all who want no newer one.
void RoomListCache::give_own_part(PeerShards& peers) {
  const auto& part = writer_.part();
  std::erase_if(wants_, [&](const Want& want) {
    if (want.version > part->version) return false;
    peers.post(want.wanted.from,
               ListReply{.from = shard_, .round = want.wanted.round, .part = part});
    return true;
  });
  if (round_ && part->version >= round_->own_version) round_->parts[index_of_own()] = part;
}

void RoomListCache::finish_round(PeerShards& peers) {
  auto list = lists_.empty() ? nullptr : lists_.back().lock();
  if (!list || list->parts() != round_->parts) {
    list = std::make_shared<const RoomList>(std::move(round_->parts), round_number_);
    lists_.push_back(list);
  }
  size_bytes_ = list->size_bytes();
  for (const ConnectionId& asker : round_->askers) {
    peers.replies.push_back({.to = asker, .frames = {}, .list = list});
  }
  round_.reset();
}

}  // namespace chatd
