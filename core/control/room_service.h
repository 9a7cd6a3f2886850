// The side of a request that is the room's: create it, or let somebody in. Runs on the shard that
// owns the room. Thread: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <tl/expected.hpp>

#include "core/base/keyed_hash.h"
#include "core/base/limits.h"
#include "core/base/random_stream.h"
#include "core/control/ban_list.h"
#include "core/control/context.h"
#include "core/control/join_command.h"
#include "core/control/peer_shards.h"
#include "core/crypto/reset_key.h"
#include "core/ratelimit/address_limiter.h"
#include "core/ratelimit/hashed_buckets.h"
#include "core/room/membership.h"
#include "core/room/outbox.h"
#include "core/room/roster.h"
#include "core/stats/counters.h"

namespace chatd {

class RoomService {
 public:
  RoomService(const Limits& limits, std::uint8_t shard, Cipher cipher, Roster& roster,
              Membership& membership, const AddressLimiter& addresses, Counters& counters,
              const BanListPointer& bans, const KeyedHash::Key& hash_key, const ResetKey& reset_key,
              RandomStream& random);

  // Creates a room or joins one, or takes a seat again. What a member hears at the place that it
  // leaves goes to the context's outbox.
  JoinResult enter(const Context& context, JoinCommand command);

  // From here on nobody is let in.
  void start_drain() { is_draining_ = true; }
  bool is_draining() const { return is_draining_; }

 private:
  // What all shards have together.
  struct Total {
    std::uint64_t rooms;
    std::uint64_t members;
  };

  // The slot of the room that is entered, or why it is not.
  using RoomOrError = tl::expected<std::uint32_t, RequestError>;

  using AdmissionOrError = tl::expected<Admission, RequestError>;

  AdmissionOrError let_in(const Context& context, JoinCommand& command);
  std::optional<RequestError> check_bans(TimeMs now_ms, const JoinCommand& command);
  RoomOrError create_room(const Context& context, JoinCommand& command);
  RoomOrError find_room(const Context& context, const JoinCommand& command);
  AdmissionOrError take_seat(const Context& context, const JoinCommand& command);
  std::optional<RequestError> check_password(TimeMs now_ms, const Room& room,
                                             const JoinCommand& command);
  static Endpoint endpoint_of(const JoinCommand& command);
  // A session, and what its client is to be told of it; the room's part is still missing.
  struct NewSession {
    std::unique_ptr<Session> session;
    std::shared_ptr<SessionGrant> grant;
  };
  NewSession make_session(std::uint32_t slot, const JoinCommand& command);
  void describe_room(std::uint32_t member, const Session& session, SessionGrant& grant) const;
  Total total(const PeerShards& peers) const;

  const Limits& limits_;
  std::uint8_t shard_;
  Cipher cipher_;
  Roster& roster_;
  Membership& membership_;
  const AddressLimiter& addresses_;
  Counters& counters_;
  const BanListPointer& bans_;
  HashedBuckets password_attempts_;  // of an address at a room
  const ResetKey& reset_key_;
  RandomStream& random_;
  bool is_draining_ = false;
};

}  // namespace chatd
