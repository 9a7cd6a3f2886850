// What the answer to a join with protocol v2 says of the session (docs/reference/protocol-v2.md).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/time.h"
#include "core/crypto/packet_key.h"
#include "core/wire/v2/datagram.h"
#include "core/wire/v2/frames.h"

namespace chatd::client {

struct RosterMember {
  v2::MemberId id = v2::kServerId;
  std::string name;
  bool is_host = false;
};

// What the answer to a join says of the session.
struct SessionInfo {
  v2::SessionId id;
  SessionSecret secret{};
  Cipher cipher = Cipher::kChaCha20Poly1305;
  v2::ResetToken reset_token{};
  std::uint64_t log_epoch = 1;
  std::uint64_t next_entry = 1;    // the first that is sent unasked
  std::uint64_t oldest_entry = 1;  // the first that may be asked for
  v2::MemberId member = v2::kServerId;
  std::vector<RosterMember> roster;  // before next_entry
  TimeMs idle_timeout_ms = 300'000;
};

}  // namespace chatd::client
