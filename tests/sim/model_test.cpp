// What the simulator's model makes of events that few seeds bring about.
#include "tests/sim/model.h"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/wire/v2/frames.h"
#include "tests/sim/raw_session.h"
#include "tests/sim/words.h"

namespace chatd::sim {
namespace {

constexpr TimeMs kNowMs = 1'000;
constexpr std::uint64_t kSeedWithSmallStore = 2166;

// A room with a few members, each at a port of its own. (Client 2 looks like client 1.)
class RoomInModel : public testing::Test {
 protected:
  static constexpr std::uint8_t kShard = 0;
  enum Client : std::uint32_t { kHost = 0, kOne = 1, kOther = 3, kNeighbour = 4 };

  RoomInModel() {
    world_.limits = {};
    model_.restart(ShardMap());
    for (const Client client : {kHost, kOne, kOther}) {
      enter(client, network_.open_port(/*host=*/0, client));
    }
  }

  void enter(Client client, std::uint32_t port) {
    ports_[client] = port;
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

  // A member with protocol v2 whose address nobody knows yet.
  RawSession enter_sealed() {
    const std::uint32_t name = kNeighbour + 1;
    const RequestSpec spec{.kind = RequestSpec::Kind::kJoin, .name = name, .is_sealed = true};
    model_.begin_call(kShard);
    sealed_ = model_.on_admission(kNowMs, spec, /*was_kept_back=*/false).member;
    const Membership& member = model_.members()[sealed_];
    client::SessionInfo info;
    info.id = v2::SessionId(kShard, member.token.slot(), /*random=*/7);
    info.member = member.id;
    for (const MemberNumber number : model_.members().rooms[spec.room].members) {
      const Membership& present = model_.members()[number];
      info.roster.push_back({.id = present.id,
                             .name = world_.client_names[present.name],
                             .is_host = number == members_[kHost]});
    }
    model_.on_granted(sealed_, info);
    model_.end_call();
    return RawSession(std::move(info));
  }

  // What comes of it is looked at within the call.
  void begin_to_say(RawSession& session, std::uint64_t client_number, const Endpoint& from) {
    std::string content;
    append_sealed_content(content, MessageId{sealed_} << kMessageBits | kSealedBit | client_number);
    std::string plain(v2::kMaxSayHeadBytes + content.size(), '\0');
    v2::ByteWriter writer(plain.data());
    v2::write_frame(writer, v2::Say{.client_number = client_number,
                                    .content_type = v2::ContentType::kText,
                                    .bytes = content});
    plain.resize(static_cast<std::size_t>(writer.end() - plain.data()));
    const std::string datagram = session.seal(plain);
    model_.begin_call(kShard);
    model_.on_datagram(kNowMs, kShard, from, {.header = Claim::Header::kSealed}, datagram);
  }

  // As many SAYs as the relay has refused so far.
  void see_refused(std::uint64_t says) {
    Counters counters;
    counters.add(Counter::kSaysRefused, says);
    model_.on_not_stored_untold(counters);
  }

  bool pay(Client client, MessageId message) {
    return model_.pay(kShard, network_.endpoint(ports_[client]), {&message, 1});
  }

  World world_{kSeedWithSmallStore, /*print_trace=*/false};
  Network network_{world_};
  Model model_{world_, network_};
  std::array<std::uint32_t, kNeighbour + 1> ports_{};
  std::array<MemberNumber, kNeighbour + 1> members_{};
  MemberNumber sealed_ = kNobody;
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

// Which of the two got it cannot be told; but who has gone has got everything by then.
TEST_F(RoomInModel, WhoSharesAnEndpointWithOneWhoHasGoneIsOwedTheRest) {
  enter(kNeighbour, ports_[kOne]);
  const MessageId message = MessageId{members_[kHost]} << kMessageBits | 1;
  send(kHost, Claim::Payload::kMessage, message);
  send(kOne, Claim::Payload::kLeave);
  ASSERT_TRUE(pay(kNeighbour, message));

  model_.on_hot_restart();

  EXPECT_EQ(model_.expected().lost_by(kShard), 0u);
  EXPECT_EQ(model_.expected().owed_by(kShard), 2u);
  model_.on_nothing_waits(kShard);
  EXPECT_EQ(model_.expected().lost_by(kShard), 2u);
}

// Whoever is at an address that is not proven yet may say something, and the store may be full.
TEST_F(RoomInModel, WhatFindsNoMemoryIsRefusedWhenItIsSaidAgain) {
  ASSERT_LT(world_.scenario.store_blocks, kMessageStoreBlocks);
  RawSession session = enter_sealed();
  begin_to_say(session, 1, network_.endpoint(network_.open_port(/*host=*/1, kNeighbour + 1)));
  see_refused(1);
  model_.end_call();

  const Endpoint proven = network_.endpoint(network_.open_port(/*host=*/0, kNeighbour + 1));
  begin_to_say(session, 1, proven);

  const SealedSession& known = model_.sessions()[session.info.id];
  EXPECT_TRUE(model_.sealed().take(known, proven,
                                   SealedExpectations::Refusal{1, v2::RefusalReason::kOverLimit}));
  EXPECT_EQ(model_.sealed().missing(), "");
  EXPECT_EQ(world_.failure, "");
}

TEST_F(RoomInModel, WhoCanBeToldThatSomethingIsNotStoredMustBe) {
  RawSession session = enter_sealed();
  begin_to_say(session, 1, network_.endpoint(network_.open_port(/*host=*/0, kNeighbour + 1)));
  see_refused(1);
  EXPECT_NE(world_.failure.find("is not told"), std::string::npos) << world_.failure;
}

TEST_F(RoomInModel, NoMoreIsRefusedThanWasSaid) {
  RawSession session = enter_sealed();
  begin_to_say(session, 1, network_.endpoint(network_.open_port(/*host=*/1, kNeighbour + 1)));
  see_refused(2);
  EXPECT_NE(world_.failure.find("more is refused"), std::string::npos) << world_.failure;
}

}  // namespace
}  // namespace chatd::sim
