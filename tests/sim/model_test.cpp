// What the simulator's model makes of events that few seeds bring about.
#include "tests/sim/model.h"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace chatd::sim {
namespace {

constexpr TimeMs kNowMs = 1'000;

// A room with a few members, each at a port of its own. (Client 2 looks like client 1.)
class RoomInModel : public testing::Test {
 protected:
  static constexpr std::uint8_t kShard = 0;
  enum Client : std::uint32_t { kHost = 0, kOne = 1, kOther = 3 };

  RoomInModel() {
    world_.limits = {};
    model_.restart(ShardMap());
    for (const Client client : {kHost, kOne, kOther}) enter(client);
  }

  void enter(Client client) {
    ports_[client] = network_.open_port(/*host=*/0, client);
    const RequestSpec spec{
        .kind = client == kHost ? RequestSpec::Kind::kCreate : RequestSpec::Kind::kJoin,
        .client = client,
        .name = client,
        .port = ports_[client],
        .room_is_counted = true};
    model_.begin_call(kShard);
    members_[client] = model_.on_admission(kNowMs, spec, /*was_kept_back=*/false).member;
    model_.end_call();
  }

  void send(Client client, Claim::Payload payload, MessageId message = 0) {
    const Claim claim{.header = Claim::Header::kWhole,
                      .payload = payload,
                      .member = members_[client],
                      .message = message,
                      .payload_bytes = 20};
    model_.begin_call(kShard);
    model_.on_datagram(kNowMs, kShard, network_.endpoint(ports_[client]), claim,
                       std::string(60, 'x'));
    model_.end_call();
  }

  bool pay(Client client, MessageId message) {
    return model_.pay(kShard, network_.endpoint(ports_[client]), {&message, 1});
  }

  World world_{/*seed=*/1, /*print_trace=*/false};
  Network network_{world_};
  Model model_{world_, network_};
  std::array<std::uint32_t, kOther + 1> ports_{};
  std::array<MemberNumber, kOther + 1> members_{};
};

// A relay hands over when whoever has gone has got everything, but for what has given way.
TEST_F(RoomInModel, WhatTheGoneHaveNotGotByAHotRestartIsLost) {
  const MessageId message = MessageId{members_[kHost]} << kMessageBits | 1;
  send(kHost, Claim::Payload::kMessage, message);
  send(kOne, Claim::Payload::kLeave);
  ASSERT_EQ(model_.expected().owed_by(kShard), 2u);

  model_.on_hot_restart();

  EXPECT_EQ(model_.expected().lost_by(kShard), 1u);
  EXPECT_EQ(model_.expected().owed_by(kShard), 1u);
  EXPECT_FALSE(pay(kOne, message));
  EXPECT_TRUE(pay(kOther, message));
}

}  // namespace
}  // namespace chatd::sim
