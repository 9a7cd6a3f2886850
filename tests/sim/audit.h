// Holds the relay against the model. After each call: what it has put into the outbox, message by
// message and address by address, and its counters. Now and then (Simulation::kCompareEvery): all
// it knows, member by member.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/relay/relay.h"
#include "core/room/outbox.h"
#include "tests/sim/model.h"
#include "tests/sim/world.h"

namespace chatd::sim {

class Audit {
 public:
  Audit(World& world, Model& model) : world_(world), model_(model) {}

  void restart(std::uint32_t shards) {
    paid_.assign(shards, 0);
    bundles_.assign(shards, 0);
  }
  // A shard is about to stop: what waited there was dropped.
  void check_dropped(const Relay& relay, std::uint8_t shard, std::uint64_t dropped);

  // Around each call of a relay. `datagram_bytes`: the size of the datagram that it was given,
  // which no answer may exceed.
  // In which entries may leave without being asked for, or where a log ends be told so.
  enum class Call : std::uint8_t { kOther, kServes, kDeadline };
  void begin(std::uint8_t shard, const Outbox& out, Call call = Call::kOther);
  void end(const Relay& relay, const Outbox& out, std::size_t datagram_bytes = 0);
  // What time it is in this call.
  void set_time(TimeMs now_ms) { now_ms_ = now_ms; }

  // One counter, at once; all that the model knows.
  void check(const Relay& relay, std::uint8_t shard, Counter counter);
  void check_counters(const Relay& relay, std::uint8_t shard);
  // Everything that was put into the outbox has been sent, or dropped under a reason.
  void check_sent(const Relay& relay, std::uint8_t shard);
  // The relay's whole state.
  void compare(TimeMs now_ms, const Relay& relay, std::uint8_t shard);

 private:
  void check_messages(const Outbox& out, const Outbox::SendGroup& group);
  void check_train(const Outbox& out, const Outbox::Train& train, std::size_t max_segment_bytes);
  void check_message(std::string_view datagram, std::uint32_t copies);
  void check_notice(const Outbox& out, const Outbox::SendGroup& group);
  void check_answer(const Outbox& out, const Outbox::SendGroup& group, std::size_t datagram_bytes);
  void check_losses(const Relay& relay);

  // Members with protocol v2 (audit_sealed.cpp).
  static bool is_of_v2(const Outbox& out, const Outbox::SendGroup& group);
  void check_sealed(const Outbox& out, const Outbox::SendGroup& group);
  void check_sealed(std::string_view datagram, const Endpoint& to);
  void check_frame(SealedSession& session, const Endpoint& to, const v2::Log& log);
  void check_frame(SealedSession& session, const Endpoint& to, const v2::Gap& gap);
  void check_frame(SealedSession& session, const Endpoint& to, const v2::Head& head);
  void check_frame(SealedSession& session, const Endpoint& to, const v2::Refused& refused);
  void check_frame(SealedSession& session, const Endpoint& to, const v2::Taken& taken);
  void check_frame(SealedSession& session, const Endpoint& to, const v2::Closed& closed);
  void check_frame(SealedSession& session, const Endpoint& to, const v2::PathChallenge& challenge);
  void check_probe(SealedSession& session, const Endpoint& to, const v2::PathChallenge& challenge);
  bool may_be_told_head(const SealedSession& session, const v2::Head& head) const;
  void sync_logs(const Relay& relay);
  void compare_log(const Room& room, const ModelRoom& wanted);
  void compare_session(const Relay& relay, const Room& room, const Member& member,
                       const Membership& wanted);
  void check_size(const Outbox& out);
  void settle_open_order(const Relay& relay);
  void compare_room(const Relay& relay, std::uint32_t number);
  void compare_member(const Relay& relay, std::uint32_t room, const Membership& member);

  World& world_;
  Model& model_;
  std::uint8_t shard_ = 0;
  std::size_t first_group_ = 0;
  std::vector<MessageId> messages_;  // of the send group that is looked at
  std::string wanted_;               // scratch
  std::vector<std::uint64_t> paid_;  // by shard
  std::vector<std::uint64_t> bundles_;
  Call call_ = Call::kOther;
  bool was_full_ = false;  // the outbox, before the call
  bool has_challenged_ = false;
  bool is_probe_ = false;          // the datagram that is looked at
  std::uint32_t probe_bytes_ = 0;  // its size
  TimeMs now_ms_ = 0;
  std::string plain_;             // scratch
  std::size_t repair_bytes_ = 0;  // in this call
  bool has_told_head_ = false;    // in the datagram that is looked at
};

}  // namespace chatd::sim
