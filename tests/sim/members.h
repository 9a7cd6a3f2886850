// The model's data: who is in which room, as plainly as it can be said.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/endpoint.h"
#include "core/base/time.h"
#include "core/wire/v1/token.h"
#include "tests/sim/bucket.h"
#include "tests/sim/network.h"
#include "tests/sim/packets.h"
#include "tests/sim/room_log_model.h"

namespace chatd::sim {

struct SealedSession;

// A message or a notice that one member must still get.
struct ExpectedDelivery {
  enum class Certainty : std::uint8_t {
    kCertain,
    kOptional,  // whether it comes, and when, is the relay's choice
    kIfThere,  // when it comes is; but by the time that nothing waits whoever is still there has it
  };
  MessageId message;
  std::uint64_t accepted;  // its place among all accepted messages
  std::uint64_t turn = 0;  // of its shard, when it was
  Certainty certainty = Certainty::kCertain;
  bool is_farewell = false;
};

struct Membership {
  MemberNumber number = kNobody;
  bool is_in = false;  // the room; the rest stays as it was when it left
  std::uint8_t shard = 0;
  std::uint32_t room = 0;
  std::uint32_t creation = 0;    // of the room, in which it is or was: ModelRoom
  std::uint32_t name = 0;        // whose: a client
  std::uint32_t host = 0;        // from where TCP came
  std::uint32_t port = kNoPort;  // where it is bound; kNoPort: pending
  std::uint32_t refusals = 0;
  TimeMs last_heard_ms = 0;
  Bucket payloads;  // what it may still say
  Bucket bytes;
  Bucket warnings;  // that it has said too much
  Token token;
  v2::MemberId id = v2::kServerId;   // in its room
  bool is_sealed = false;            // it speaks protocol v2
  SealedSession* session = nullptr;  // then, once it was let in
  std::uint64_t came_at = 0;         // the log's head when it came, if the log is known

  std::vector<ExpectedDelivery> expected;  // in the order of acceptance, from first_expected on
  std::uint64_t expects_from = 0;          // messages accepted before it could be reached are not
  std::size_t first_expected = 0;
};

// A room with so little in it has lost none by its own fault, and nobody waits for it: messages
// that were accepted since nothing waited.
inline constexpr std::uint64_t kFewMessages = 128;

struct ModelRoom {
  bool exists = false;
  std::uint32_t creations = 0;  // so often there was one of this name
  std::uint8_t shard = 0;
  std::uint32_t creator_host = 0;
  std::uint32_t password = 0;  // 0: none
  MemberNumber host = kNobody;
  std::vector<MemberNumber> members;
  Bucket notices;
  bool may_hear_of_drain = false;
  // For members with protocol v2: from when the room keeps what is said. Then every entry has a
  // number that the model knows.
  std::shared_ptr<RoomLogModel> log;
  v2::MemberId next_member_id = 1;
  std::uint32_t history = 0;        // so many entries a late member may read
  bool will_log_the_drain = false;  // when it is this room's turn to be told
  std::uint64_t accepted = 0;  // messages and notices since nothing waited: what may wait at most
  bool is_quiet() const { return accepted * members.size() <= kFewMessages; }
};

class Members {
 public:
  explicit Members(std::size_t room_count) : rooms(room_count) {}

  Membership& add(std::uint32_t room) {
    do {
      ++last_number_;
      if (last_number_ % kRemembered == members_.size()) members_.emplace_back();
    } while (members_[last_number_ % kRemembered].is_in);
    Membership& member = members_[last_number_ % kRemembered];
    member.number = last_number_;
    member.is_in = true;
    member.room = room;
    member.creation = rooms[room].creations;
    member.port = kNoPort;
    member.refusals = 0;
    member.payloads = {};
    member.bytes = {};
    member.warnings = {};
    member.expected.clear();
    member.first_expected = 0;
    member.is_sealed = false;
    member.session = nullptr;
    rooms[room].members.push_back(last_number_);
    return member;
  }
  // Nothing for one that is long gone.
  Membership* find(MemberNumber number) {
    if (number == kNobody || number % kRemembered >= members_.size()) return nullptr;
    Membership& member = members_[number % kRemembered];
    return member.number == number ? &member : nullptr;
  }
  // It must be one who is in.
  Membership& operator[](MemberNumber number) { return members_[number % kRemembered]; }
  const Membership& operator[](MemberNumber number) const { return members_[number % kRemembered]; }

  std::vector<ModelRoom> rooms;

 private:
  static constexpr MemberNumber kRemembered = 1 << 16;

  std::vector<Membership> members_ = std::vector<Membership>(1);
  MemberNumber last_number_ = 0;
};

}  // namespace chatd::sim
