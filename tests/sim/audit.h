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

  void restart(std::uint32_t shards) { paid_.assign(shards, 0); }
  // A shard is about to stop: what waited there was dropped.
  void check_dropped(const Relay& relay, std::uint8_t shard, std::uint64_t dropped);

  // Around each call of a relay. `datagram_bytes`: the size of the datagram that it was given,
  // which no answer may exceed.
  void begin(std::uint8_t shard, const Outbox& out);
  void end(const Relay& relay, const Outbox& out, std::size_t datagram_bytes = 0);

  // One counter, at once; all that the model knows.
  void check(const Relay& relay, std::uint8_t shard, Counter counter);
  void check_counters(const Relay& relay, std::uint8_t shard);
  // Everything that was put into the outbox has been sent, or dropped under a reason.
  void check_sent(const Relay& relay, std::uint8_t shard);
  // The relay's whole state.
  void compare(TimeMs now_ms, const Relay& relay, std::uint8_t shard);

 private:
  void check_messages(const Outbox& out, const Outbox::SendGroup& group);
  void check_train(const Outbox& out, const Outbox::Train& train);
  void check_message(std::string_view datagram, std::uint32_t copies);
  void check_notice(const Outbox& out, const Outbox::SendGroup& group);
  void check_answer(const Outbox& out, const Outbox::SendGroup& group, std::size_t datagram_bytes);
  void check_losses(const Relay& relay);
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
};

}  // namespace chatd::sim
