// The protocol (docs/reference/protocol.md) once more, as simply as it can be said and without the
// relay's code: no timers but a look at everybody, no queues but lists of what is owed, no indexes.
// It is told what goes into the relay before the relay is, and says what must come of it.
//
// It judges datagrams by what their makers claim (tests/sim/packets.h), requests by what was meant,
// and never looks at the relay. Where the protocol leaves the order open (of several members who
// expire at one moment) it says what may come.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/shard_map.h"
#include "core/stats/counters.h"
#include "tests/sim/address_book.h"
#include "tests/sim/expectations.h"
#include "tests/sim/expected_deliveries.h"
#include "tests/sim/members.h"
#include "tests/sim/network.h"
#include "tests/sim/sealed_expectations.h"
#include "tests/sim/sessions.h"
#include "tests/sim/world.h"

namespace chatd::sim {

// A request, as its maker means it.
struct RequestSpec {
  enum class Kind : std::uint8_t { kCreate, kJoin, kList, kBadFrame, kBadContent, kTooLarge };
  Kind kind = Kind::kJoin;
  std::uint32_t client = 0;
  std::uint32_t host = 0;
  std::uint32_t room = 0;
  std::uint32_t name = 0;        // a client's
  std::uint32_t password = 0;    // 0: none
  std::uint32_t port = kNoPort;  // stated, so that it is bound at once
  bool room_is_counted = false;
  MemberNumber seat = kNobody;  // whose token it shows
  bool is_sealed = false;       // with protocol v2
  bool is_encrypted = false;    // over a connection that counts as one with TLS
  std::uint32_t history = 0;
};

class Model {
 public:
  Model(World& world, const Network& network);

  // A fresh server: nobody is in.
  void restart(const ShardMap& shards);

  // Before a call of a shard's relay; after it, and after what it has put into the outbox was paid.
  void begin_call(std::uint8_t shard);
  void end_call();

  // A request comes to the shard of its connection: the status if that can say it, otherwise the
  // room's shard does, and then the first hears of it.
  std::optional<int> on_request(TimeMs now_ms, std::uint8_t shard, RequestSpec& spec);
  struct Admission {
    int status;
    MemberNumber member;
  };
  // After the relay has decided. It was kept back: the relay did not look at its password.
  Admission on_admission(TimeMs now_ms, const RequestSpec& spec, bool was_kept_back);
  // A connection comes; it is one too many. It goes.
  bool on_connection(TimeMs now_ms, std::uint32_t host) {
    return addresses_.open_connection(now_ms, host);
  }
  void on_connection_end(std::uint32_t host) { addresses_.close_connection(host); }
  void on_outcome(std::uint8_t shard, const RequestSpec& spec, int status);
  // A room that the host has opened has ended elsewhere.
  void on_room_ended(const IpAddress& creator);

  // What one with protocol v2 was told when it was let in.
  void on_granted(MemberNumber number, const client::SessionInfo& info);

  // The outcome of a datagram.
  Counter on_datagram(TimeMs now_ms, std::uint8_t shard, const Endpoint& from, const Claim& claim,
                      std::string_view bytes);
  // Messages that the last one has brought, and that were accepted.
  const std::vector<MessageId>& accepted() const { return accepted_; }
  void on_unreachable(TimeMs now_ms, std::uint8_t shard, const Endpoint& destination);
  // After the relay has removed the silent. If it had to stop early, `is_gone` says whom it got to.
  using IsGone = std::function<bool(const Membership&)>;
  void on_deadline(TimeMs now_ms, std::uint8_t shard, const IsGone* stopped_early);
  void on_disconnect_all(std::uint8_t shard, const IsGone& is_gone);

  // What an operator asks for (model_operator.cpp). False: there is no such room or member.
  bool on_kick(TimeMs now_ms, std::uint8_t shard, std::uint32_t room, std::uint32_t name);
  bool on_close_room(std::uint8_t shard, std::uint32_t room);
  // World::limits are others now.
  void on_new_limits(const Limits& old);
  void on_drain();
  bool is_draining() const { return is_draining_; }
  static bool is_drain_notice(std::string_view datagram);
  // Other relays have taken over.
  void on_hot_restart();

  // What a shard drops when it stops: everything that waits, but for farewells.
  void on_waiting_dropped(std::uint8_t shard);

  // The number of a notice with this text; nothing if nobody was to be told so.
  std::optional<MessageId> find_notice(std::string_view datagram) const;
  // Messages go out to one member. False: they were owed to nobody there.
  bool pay(std::uint8_t shard, const Endpoint& to, std::span<const MessageId> messages);
  // Nothing waits in the shard any more: what is still owed has been dropped.
  void on_nothing_waits(std::uint8_t shard);
  void tell_lost_from_abandoned(std::uint8_t shard, std::uint64_t lost) {
    expected_.tell_lost_from_abandoned(shard, lost);
  }

  // What the relay's books must say.
  std::array<std::uint64_t, static_cast<std::size_t>(Counter::kCount)>& expected(
      std::uint8_t shard) {
    return expected_counters_[shard];
  }
  std::uint64_t& expected(std::uint8_t shard, Counter counter) {
    return expected_counters_[shard][static_cast<std::size_t>(counter)];
  }
  Expectations& expectations() { return expectations_; }
  SealedExpectations& sealed() { return sealed_; }
  Sessions& sessions() { return sessions_; }
  // Where what goes to a member with protocol v2 goes.
  Endpoint where_is(const SealedSession& session);
  // The rooms in whose logs this call has put something, and what is known of it afterwards.
  std::vector<std::uint32_t>& logged_rooms() { return logged_rooms_; }
  void log_the_drain(std::uint32_t room);
  // What it has said has found no memory, and it is told so there. False: that cannot be.
  bool on_not_stored(SealedSession& session, const Endpoint& to, std::uint64_t client_number);
  // After the call. The same, but nobody could be told: so which it was is not known, unless it is
  // all of it.
  void on_not_stored_untold(const Counters& counters);
  // What became of an expected answer. It may be withheld if that can be explained: else false.
  void on_answer(Counter counter);
  bool on_answer_withheld(bool owes_farewells);

  Members& members() { return members_; }
  Endpoint endpoint_of(const Membership& member) const { return network_.endpoint(member.port); }
  const ExpectedDeliveries& expected() const { return expected_; }
  void begin_turn(std::uint8_t shard) { expected_.begin_turn(shard); }
  const ShardMap& shards() const { return shards_; }
  // So many turns of addresses, its own among them, may go by until all that waits in this room has
  // been sent, if that is little.
  std::uint32_t turns_before(std::uint32_t quiet_room);
  bool is_quiet(std::uint32_t room) const { return members_.rooms[room].is_quiet(); }
  std::uint32_t member_count() const { return member_count_; }
  std::uint32_t rooms() const { return rooms_; }
  // Several members of a room went in one call, and who went first is open: whether one counts as
  // timed out or as disconnected with its room, and which notices found nobody, is the relay's
  // choice.
  bool is_order_open() const { return is_order_open_; }

 private:
  Counter judge(TimeMs now_ms, std::uint8_t shard, const Endpoint& from, const Claim& claim,
                std::string_view bytes);
  bool comes_from_there(Membership& member, const Endpoint& from);
  void expect_answer(TimeMs now_ms, std::uint8_t shard, const Endpoint& from,
                     std::size_t size_bytes);
  Counter say(Membership& member, const Claim& claim);

  // Members with protocol v2 (model_sealed.cpp).
  Counter judge_sealed(std::uint8_t shard, const Endpoint& from, const Claim& claim,
                       std::string_view bytes);
  std::string open(SealedSession& session, const v2::Datagram& datagram);
  void follow(SealedSession& session, Membership& member, const Endpoint& from, bool is_newest);
  void expect_reset(const Endpoint& from, std::string_view header, const v2::ResetToken* token);
  void challenge(SealedSession& session, const Endpoint& from);
  void bind_sealed(SealedSession& session, Membership& member, const Endpoint& to);
  void read_frames(SealedSession& session, Membership& member, const Endpoint& from,
                   std::string_view plain);
  // What the datagram draws besides entries: one datagram, if the member may be answered.
  struct Answer {
    bool wants_head = false;
    bool has_repaired = false;
    bool is_paid = false;
    std::vector<SealedExpectations::Frame> frames;
    std::vector<SealedExpectations::Frame> possible_frames;
  };
  bool may_answer(SealedSession& session, const Membership& member, Answer& answer);
  bool is_told_not_stored(SealedSession& session);
  void answer(SealedSession& session, const Membership& member, Answer& answer);
  void take(SealedSession& session, Membership& member, const v2::Say& say, Answer& answer);
  void accept(SealedSession& session, Membership& member, const v2::Say& say, Answer& answer);
  void refuse(SealedSession& session, const v2::Say& say, v2::RefusalReason reason, Answer& answer);
  void take(SealedSession& session, Membership& member, const v2::Have& have, Answer& answer);
  void take(SealedSession& session, Membership& member, const Endpoint& from,
            const v2::PathResponse& response);
  void close_session(Membership& member, v2::CloseReason reason, bool is_certain = true);
  void end_session(Membership& member);
  void check_grant(const Membership& member, const SealedSession& session,
                   const client::SessionInfo& info);
  // What was said or happened in a room, for its log.
  void log(std::uint32_t room, const v2::Entry& entry);
  LogEntry left_entry(const Membership& member) const;
  void answer(Membership& member, const Claim& claim, bool is_within);
  bool is_within_rate(Membership& member);
  bool has_reserve(Membership& member);
  bool may_send(Membership& member, std::size_t payload_bytes, std::size_t receivers);
  Counter say_too_much(Membership& member);

  std::uint32_t standing(std::uint32_t room) const;
  int create_status(const RequestSpec& spec) const;
  int join_status(TimeMs now_ms, const RequestSpec& spec, bool was_kept_back);
  int password_status(TimeMs now_ms, const RequestSpec& spec, bool was_kept_back);
  bool is_name_taken(const ModelRoom& room, std::uint32_t name) const;
  Membership& enter(TimeMs now_ms, const RequestSpec& spec);
  int seat_status(TimeMs now_ms, const RequestSpec& spec, bool was_kept_back);
  void leave_place(MemberNumber number);
  void take_seat(TimeMs now_ms, const RequestSpec& spec);
  void take_sealed_seat(TimeMs now_ms, const RequestSpec& spec);

  void go(Membership& member, Counter why);
  void end_room(std::uint32_t room);
  bool may_tell(ModelRoom& room, std::size_t size, bool is_host);
  void tell_others(Notice notice, const Membership& about);
  void tell(Membership& member);
  void owe(Membership& member, MessageId notice, ExpectedDelivery::Certainty certainty,
           bool is_farewell = false);
  MessageId notice_id(Notice notice, std::string_view username);
  void expire(std::uint32_t room, const std::vector<MemberNumber>& silent);
  void take_out(Membership& member);
  void bind(Membership& member, std::uint32_t port);
  void list_at_port(Membership& member);
  void settle_gone(Membership& gone);
  void reset_limits();

  World& world_;
  const Network& network_;
  const Limits& limits_;
  ShardMap shards_;
  Members members_;
  ExpectedDeliveries expected_;
  AddressBook addresses_;
  Expectations expectations_;
  SealedExpectations sealed_;
  Sessions sessions_;
  std::vector<SealedSession*> ended_sessions_;  // that have still to get something
  std::uint32_t member_count_ = 0;
  std::uint32_t rooms_ = 0;
  std::uint32_t stale_rooms_ = 0;
  std::uint32_t stale_members_ = 0;
  bool is_draining_ = false;
  std::uint32_t generation_ = 0;                    // of the server
  std::vector<std::vector<MemberNumber>> at_port_;  // with those in gone_
  std::vector<MemberNumber> gone_;                  // who has still to get something
  std::map<std::string, MessageId, std::less<>> notice_ids_;
  std::vector<std::array<std::uint64_t, static_cast<std::size_t>(Counter::kCount)>>
      expected_counters_;
  std::vector<TimeMs> nobody_expires_before_ms_;  // by shard

  // Rooms that ended while something waited there, and perhaps still does.
  struct EndedRoom {
    std::uint8_t shard;
    std::uint32_t address;  // of its creator: a group of hosts
  };
  std::vector<EndedRoom> ended_rooms_;
  std::vector<std::uint32_t> busy_rooms_;  // scratch, by address

  // Of this call.
  std::vector<MessageId> accepted_;
  bool is_answered_ = false;
  bool is_answer_paid_ = false;
  std::vector<std::uint32_t> logged_rooms_;
  std::uint8_t shard_ = 0;
  TimeMs now_ms_ = 0;
  IpAddress answer_to_;
  bool is_order_open_ = false;
};

}  // namespace chatd::sim
