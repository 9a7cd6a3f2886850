// The control plane: a whole TCRP frame in, the answer's frames out. Create, join, list.
// Thread: one at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "core/address/own_sockets.h"
#include "core/limits.h"
#include "core/random/random_stream.h"
#include "core/relay/address_limiter.h"
#include "core/relay/membership.h"
#include "core/relay/outbox.h"
#include "core/relay/roster.h"
#include "core/wire/frame.h"
#include "core/wire/join_request.h"
#include "core/wire/status.h"

namespace chatd {

class RequestHandler {
 public:
  RequestHandler(const Limits& limits, std::uint8_t shard, const OwnSockets& own_sockets,
                 Roster& roster, Membership& membership, AddressLimiter& addresses,
                 Counters& counters, RandomStream& random);

  // Appends the answer to `reply`; notices to the room go to `out`.
  void handle(TimeMs now_ms, const IpAddress& peer, const FrameView& frame, std::string& reply,
              Outbox& out);

 private:
  struct Refusal {
    Status status;
    std::string_view message;
  };
  using Admission = tl::expected<Token, Refusal>;

  Admission create_or_join(TimeMs now_ms, const IpAddress& peer, const FrameView& frame,
                           Outbox& out);
  const std::string& room_list();
  void refuse(const FrameView& frame, const Refusal& refusal, std::string& reply);
  Admission create(TimeMs now_ms, const IpAddress& peer, std::string_view name, JoinRequest request,
                   Outbox& out);
  Admission join(TimeMs now_ms, const IpAddress& peer, std::string_view name, JoinRequest request,
                 Outbox& out);
  Admission enter(TimeMs now_ms, const IpAddress& peer, std::uint32_t room, JoinRequest request,
                  Outbox& out);

  const Limits& limits_;
  std::uint8_t shard_;
  const OwnSockets& own_sockets_;
  Roster& roster_;
  Membership& membership_;
  AddressLimiter& addresses_;
  Counters& counters_;
  RandomStream& random_;
  JoinRequestReader reader_;
  std::string room_list_;
  std::optional<std::uint64_t> room_list_version_;  // of the roster that it lists
};

}  // namespace chatd
