// The side of a request that is the room's: create it, or let somebody in. Runs on the shard that
// owns the room. Thread: one at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/keyed_hash.h"
#include "core/base/limits.h"
#include "core/base/random_stream.h"
#include "core/control/join_command.h"
#include "core/control/peer_shards.h"
#include "core/ratelimit/address_limiter.h"
#include "core/ratelimit/bucket_table.h"
#include "core/room/membership.h"
#include "core/room/outbox.h"
#include "core/room/roster.h"
#include "core/stats/counters.h"

namespace chatd {

class RoomService {
 public:
  RoomService(const Limits& limits, std::uint8_t shard, Roster& roster, Membership& membership,
              const AddressLimiter& addresses, Counters& counters, const KeyedHash::Key& hash_key,
              RandomStream& random);

  // What a member hears at the place that it leaves goes to `out`.
  JoinResult decide(TimeMs now_ms, const PeerShards& peers, JoinCommand request, Outbox& out);

  // From here on nobody is let in.
  void start_drain() { is_draining_ = true; }
  bool is_draining() const { return is_draining_; }

 private:
  // What all shards have together.
  struct Total {
    std::uint64_t rooms;
    std::uint64_t members;
  };

  TokenOrError admit(TimeMs now_ms, const PeerShards& peers, JoinCommand& request, Outbox& out);
  TokenOrError create(TimeMs now_ms, const PeerShards& peers, JoinCommand& request);
  TokenOrError join(TimeMs now_ms, const PeerShards& peers, JoinCommand& request);
  TokenOrError take_seat(TimeMs now_ms, const JoinCommand& request, Outbox& out);
  std::optional<RequestError> check_password(TimeMs now_ms, const Room& room,
                                             const JoinCommand& request);
  static Endpoint endpoint_of(const JoinCommand& request);
  Token enter(TimeMs now_ms, std::uint32_t room, JoinCommand& request);
  Total total(const PeerShards& peers) const;

  const Limits& limits_;
  std::uint8_t shard_;
  Roster& roster_;
  Membership& membership_;
  const AddressLimiter& addresses_;
  Counters& counters_;
  BucketTable password_attempts_;  // of an address at a room
  RandomStream& random_;
  bool is_draining_ = false;
};

}  // namespace chatd
