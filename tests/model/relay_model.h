// Who must be where, and who must have heard what: a plain model of the relay, written from
// docs/reference/protocol.md with lists and loops. It does not imitate the relay's timing (which
// message goes out when); it says what each datagram and request comes to, and then which
// deliveries are owed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/control/join_command.h"
#include "core/room/roster.h"
#include "core/stats/counters.h"
#include "tests/model/json_oracle.h"

namespace chatd::test {

struct ModelMember {
  std::uint8_t shard = 0;
  std::string room;
  std::string username;
  Token token;
  Endpoint endpoint;  // port 0: pending
  IpAddress peer;
  TimeMs last_heard_ms = 0;
  bool is_host = false;
  unsigned refusals = 0;  // since its last datagram, at most so many
  // What the names look like (RelayModel::admit), folded once and not at each comparison.
  std::string room_look = {};
  std::string username_look = {};
};

// Why members may be gone after a call.
struct Departure {
  enum class Kind : std::uint8_t { kNone, kLeave, kSilence, kRefusal, kShutdown, kKick, kClose };
  Kind kind = Kind::kNone;
  Token token = {};       // kLeave, kKick: whose
  std::string room = {};  // kClose: which
};

class RelayModel {
 public:
  RelayModel(const Limits& limits, const Endpoint& own_socket)
      : limits_(limits), own_socket_(own_socket) {}

  const std::vector<ModelMember>& members() const { return members_; }

  // A datagram at a shard: what must become of it. A pending member is bound, and one that is heard
  // stays. How much is too much is the relay's affair.
  // Under way: something lies in the shard's outbox, which goes to where its receiver was.
  struct Verdict {
    Counter outcome;
    std::uint64_t planned = 0;  // a message's receivers
    std::uint64_t pending = 0;  // those that are passed over
    Departure departure = {};
    bool asks = false;  // a heartbeat that wants to be answered
  };
  Verdict on_datagram(TimeMs now_ms, std::uint8_t shard, const Endpoint& from,
                      std::string_view datagram, bool is_over_limit, bool is_under_way);
  // It was a message, and within its sender's rate: everyone else in the room is to get it.
  void owe(std::uint8_t shard, std::string_view datagram);

  // What a well-formed request must be answered with.
  Status status_of(const JoinCommand& request) const;
  // Over the limit: the room is not told.
  void admit(const JoinCommand& request, const ModelMember& member, bool is_over_limit);
  // Where the request says; port 0: not known yet.
  static Endpoint endpoint_of(const JoinCommand& request);
  void take_seat(TimeMs now_ms, const JoinCommand& request);

  void on_unreachable(std::uint8_t shard, const Endpoint& destination);
  // What an operator has asked for.
  void set_limits(const Limits& limits) { limits_ = limits; }
  void start_drain() {
    is_draining_ = true;
    unheard_.may_be += members_.size();
  }
  void end_drain() { is_draining_ = false; }
  // In whatever spelling that looks the same.
  const ModelMember* find(std::string_view room, std::string_view username) const;
  std::size_t size_of(std::string_view room) const;
  // Takes those out of the model that are no longer in the shard's roster, and requires that each
  // had a reason, that all who had to go are gone, and that the rest is the same in both.
  void compare(TimeMs now_ms, std::uint8_t shard, const Roster& roster, const Departure& why,
               bool is_over_limit);

  // A message to this endpoint goes out.
  void on_delivery(const Endpoint& to, std::string_view payload);
  // Nothing waits any more: what is still owed was dropped. Returns how much that is.
  std::uint64_t forgive_debts();
  // The same for what the server itself says.
  void on_notice(std::span<const Endpoint> destinations, std::string_view payload);
  struct Unheard {
    std::uint64_t must_be = 0;  // those who were to hear of it, and have not
    std::uint64_t may_be = 0;   // with those who were perhaps to hear of it
  };
  Unheard forgive_notices();

  // Whether somebody was ever bound to this endpoint.
  bool has_asked(const Endpoint& endpoint) const;

 private:
  // A message on its way to one member.
  struct Debt {
    Token receiver;
    Token sender;
    std::string payload;
    bool is_overtaken = false;  // a later message of the same sender has come: it must be lost
    std::vector<std::string> other_places;  // where it may arrive as well
  };

  struct OwedNotice {
    enum class Kind : std::uint8_t { kJoined, kLeft, kOut };
    Token receiver;
    Kind kind;
    std::string about;
    bool is_certain;
    std::vector<std::string> other_places;
  };

  static std::string key_of(const Endpoint& endpoint);
  static bool contains(const std::vector<std::string>& places, const std::string& place) {
    return std::find(places.begin(), places.end(), place) != places.end();
  }
  ModelMember* find(std::uint8_t shard, const Token& token);
  bool accepts_address(ModelMember& member, const Endpoint& from, bool is_under_way);
  void move_debts(const ModelMember& member, const Endpoint& to, bool is_under_way);
  bool pay(const std::string& owed_at, const std::string& place, std::string_view payload);
  bool may_go(TimeMs now_ms, const ModelMember& member, const Departure& why) const;
  void remove_gone(TimeMs now_ms, std::uint8_t shard, const Roster& roster, const Departure& why,
                   bool is_over_limit);

  // relay_model_notices.cpp
  static bool says(const std::vector<JsonField>& fields, const OwedNotice& owed);
  void owe_notice(const ModelMember& to, OwedNotice::Kind kind, const std::string& about,
                  bool is_certain);
  void owe_to_others(const ModelMember& about, OwedNotice::Kind kind, bool is_certain);
  void owe_departures(TimeMs now_ms, const std::vector<ModelMember>& gone, const Departure& why,
                      bool is_over_limit);
  bool hear_anywhere(const std::string& place, const std::vector<JsonField>& fields);
  bool hear(const std::string& owed_at, const std::string& place,
            const std::vector<JsonField>& fields);

  Limits limits_;
  Endpoint own_socket_;
  bool is_draining_ = false;
  std::vector<ModelMember> members_;
  std::map<std::string, std::string, std::less<>> passwords_;  // by room
  std::map<std::string, std::deque<Debt>> debts_;              // by endpoint, the oldest first
  std::map<std::string, std::vector<OwedNotice>> notices_;     // likewise
  std::set<std::string> shared_;  // endpoints where nobody can tell who got what
  Unheard unheard_;
  std::vector<Endpoint> asked_;
};

}  // namespace chatd::test
