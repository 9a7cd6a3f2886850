// Answers list requests with the rooms of all shards (core/room/room_list.h).
//
// A list must be true at the time it is asked for: who has created a room and then asks finds it.
// So lists are made in rounds, each for all who have asked before it began: the shard's own part is
// brought up to date, in bounded pieces (core/control/list_writer.h), and other shards are asked by
// shard message for theirs, if what the last list had of them is older than what they have
// published. The askers' connections wait meanwhile; their shard does not.
//
// Each list that somebody is still reading is memory, as far as it is no longer what the newest one
// shares: what all of them hold is bounded, and the next round waits until enough of it has been
// read. Thread: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/time.h"
#include "core/control/list_writer.h"
#include "core/control/peer_shards.h"
#include "core/control/shard_message.h"
#include "core/room/room_list.h"
#include "core/room/roster.h"

namespace chatd {

class RoomListCache {
 public:
  RoomListCache(Roster& roster, std::uint8_t shard, std::uint32_t shard_count);

  // The list follows as a reply to `asker`, from a call of go_on.
  void ask(const ConnectionId& asker) { asking_.push_back(asker); }

  // Of the list that was given last.
  std::size_t size_bytes() const { return size_bytes_; }

  // Another shard asks for our part; what we have asked for has come.
  void on_shard_message(const ListQuery& wanted);
  void on_shard_message(ListReply&& message);

  // Does a bounded piece of what is to be done, if there is any.
  void go_on(TimeMs now_ms, PeerShards& peers);
  bool has_work(TimeMs now_ms) const;
  // When has_work() is to be asked again, though nothing has happened here: while lists wait until
  // older ones have been read.
  std::optional<TimeMs> next_deadline() const;
  // Since when they do.
  std::optional<TimeMs> waits_for_readers_since() const { return waits_since_ms_; }

 private:
  // A shard that wants our part, as of this version of the roster or later.
  struct Want {
    ListQuery wanted;
    std::uint64_t version;
  };
  // A list in the making.
  struct Round {
    std::vector<ConnectionId> askers;
    RoomList::Parts parts;  // by shard; one's own comes last
    std::size_t missing;
    std::uint64_t own_version;  // or later
  };

  std::size_t index_of_own() const { return shard_count_ == 1 ? 0 : shard_; }
  bool may_begin(TimeMs now_ms);
  std::size_t held_bytes();
  void begin_round(PeerShards& peers);
  bool is_own_part_wanted() const;
  void give_own_part(PeerShards& peers);
  void finish_round(PeerShards& peers);

  Roster& roster_;
  std::uint8_t shard_;
  std::uint32_t shard_count_;
  ListWriter writer_;
  std::vector<Want> wants_;
  std::vector<ConnectionId> asking_;  // for the next round
  std::optional<Round> round_;
  std::uint64_t round_number_ = 0;
  std::vector<std::weak_ptr<const RoomList>> lists_;  // those that may still be read, oldest first
  std::size_t size_bytes_ = 0;
  std::optional<TimeMs> waits_since_ms_;
  TimeMs look_again_at_ms_ = 0;
};

}  // namespace chatd
