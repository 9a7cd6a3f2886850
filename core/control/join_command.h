// A request to create or join a room on its way from the connection that made it to the shard that
// owns the room, and what comes of it. Both may be one shard; then it is the same way, only short.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "core/base/ip_address.h"
#include "core/crypto/packet_key.h"
#include "core/wire/v1/frame.h"
#include "core/wire/v1/join_request.h"
#include "core/wire/v1/status.h"
#include "core/wire/v1/token.h"
#include "core/wire/v2/datagram.h"
#include "core/wire/v2/frames.h"

namespace chatd {

// Read and found well-formed.
struct JoinCommand {
  Operation operation = Operation::kJoin;  // or kCreate
  std::string room;
  JoinRequest join;
  IpAddress peer;
  std::uint16_t via = 0;  // the address that it has called: see Endpoint
  // For kCreate: the peer's address may open one more room, and this one is counted already.
  bool room_is_counted = false;
};

struct RequestError {
  Status status;
  std::string_view message;  // lives as long as the program
  std::string detail = {};   // what follows it, after a colon
};

// Of a member with protocol v2: what it needs to speak, and who is there.
struct SessionGrant {
  v2::SessionId id;
  SessionSecret secret{};
  Cipher cipher = Cipher::kChaCha20Poly1305;
  v2::ResetToken reset_token{};
  std::uint64_t next_entry = 0;    // of the log: what comes from here on is sent to it
  std::uint64_t oldest_entry = 0;  // that it may ask for
  v2::MemberId member = v2::kServerId;
  struct Present {
    v2::MemberId id;
    std::string name;
    bool is_host;
  };
  std::vector<Present> roster;  // before next_entry
};

struct Admission {
  Token token;
  std::shared_ptr<const SessionGrant> session = {};  // nothing: protocol v1
};

struct JoinResult {
  Operation operation = Operation::kJoin;
  IpAddress peer;
  bool room_is_counted = false;
  bool took_seat = false;  // its own, by its token
  tl::expected<Admission, RequestError> admission;
};

}  // namespace chatd
