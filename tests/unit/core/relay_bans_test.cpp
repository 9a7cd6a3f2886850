// Who is banned is not let in, and is put out if it is there; both with the operator's reason.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/wire/v1/notice.h"
#include "tests/support/notices.h"
#include "tests/support/wire.h"
#include "tests/unit/core/relay_kit.h"

namespace chatd {
namespace {

using namespace test;

constexpr const char* kToldSpam = "you are banned from this server: spam";

BanListPointer bans_of(std::vector<Ban> bans) {
  return std::make_shared<const BanList>(std::move(bans));
}

BanListPointer spam_from(std::string_view range) {
  return bans_of({{.target = AddressRange::parse(range).value(), .reason = "spam"}});
}

BanListPointer spam_of(std::string name) {
  return bans_of({{.target = std::move(name), .reason = "spam"}});
}

class Bans : public testing::Test {
 protected:
  Answer ask(std::uint8_t operation, std::string_view room, std::string name,
             const std::string& address, std::string token = "") {
    return kit_.ask(operation, room,
                    join_payload({.username = std::move(name),
                                  .ip = "",
                                  .port = 7,
                                  .password = "",
                                  .token = std::move(token)}),
                    ip(address));
  }
  // As the shard does it: whoever has to go does so in the turns that follow.
  std::vector<Sent> ban(BanListPointer bans) {
    kit_.relay.set_bans(std::move(bans));
    while (kit_.relay.next_deadline().value_or(kit_.now_ms + 1) <= kit_.now_ms) {
      kit_.relay.on_deadline(kit_.now_ms, kit_.out);
    }
    return kit_.take();
  }

  RelayKit kit_;
  Person alice_ = kit_.create("lobby", "alice", at("198.51.100.1", 1));
  Person bob_ = kit_.join("lobby", "bob", at("203.0.113.7", 2));
  Person carol_ = kit_.create("attic", "carol", at("198.51.100.3", 3));
  const std::vector<Sent> arrivals_ = kit_.take();
};

TEST_F(Bans, KeepAnAddressOut) {
  ban(spam_from("192.0.2.0/24"));
  for (const std::uint8_t operation : {kCreateRoom, kJoinRoom}) {
    const Answer refused = ask(operation, "lobby", "mallory", "192.0.2.9");
    EXPECT_EQ(refused.accepted, 202);
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(refused.message, kToldSpam);
  }
  EXPECT_EQ(ask(kJoinRoom, "lobby", "mallory", "192.0.3.9").status, 201);
  EXPECT_EQ(kit_.count(Counter::kRequestsBanned), 2u);
  EXPECT_EQ(kit_.count(Counter::kRequestsRefused), 2u);
}

TEST_F(Bans, KeepANameOutHoweverItIsWritten) {
  ban(spam_of("mallory"));
  EXPECT_EQ(ask(kJoinRoom, "lobby", "Mallory", "192.0.2.9").status, 403);
  EXPECT_EQ(ask(kCreateRoom, "cellar", "mal\u200blory", "192.0.2.9").status, 403);
  EXPECT_EQ(ask(kJoinRoom, "lobby", "mallory2", "192.0.2.9").status, 201);
}

TEST_F(Bans, SayThatThereIsOneWithoutAReason) {
  ban(bans_of({{.target = std::string("mallory")}}));
  EXPECT_EQ(ask(kJoinRoom, "lobby", "mallory", "192.0.2.9").message,
            "you are banned from this server");
}

// A room that is refused does not count against anybody.
TEST_F(Bans, AreNoRoomsOfTheirAddress) {
  RelayConfig config;
  config.limits.abuse.max_address_rooms = 1;
  RelayKit kit(config);
  kit.relay.set_bans(spam_of("mallory"));
  const IpAddress peer = ip("192.0.2.9");
  EXPECT_EQ(kit.ask(kCreateRoom, "a", join_payload({.username = "mallory"}), peer).status, 403);
  EXPECT_EQ(kit.ask(kCreateRoom, "a", join_payload({.username = "eve"}), peer).status, 201);
}

TEST_F(Bans, KeepASeatFromBeingTakenAgain) {
  ban(spam_from("192.0.2.0/24"));
  EXPECT_EQ(ask(kJoinRoom, "lobby", "bob", "192.0.2.9", bob_.token).status, 403);
  EXPECT_EQ(ask(kJoinRoom, "lobby", "bob", "192.0.3.9", bob_.token).status, 201);
}

TEST_F(Bans, PutAMemberOutAndTellItWhy) {
  const auto sent = ban(spam_from("203.0.113.0/24"));
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(heard_at(sent, bob_.from),
            std::vector<std::string>{disconnected_notice("bob", kToldSpam)});
  EXPECT_EQ(heard_at(sent, alice_.from), std::vector<std::string>{left_notice("bob")});
  EXPECT_EQ(kit_.count(Counter::kMembersBanned), 1u);
  kit_.say(bob_);
  EXPECT_EQ(kit_.count(Counter::kDroppedUnknownToken), 1u);
  EXPECT_EQ(ask(kJoinRoom, "lobby", "bob", "203.0.113.7", bob_.token).status, 403);
}

TEST_F(Bans, PutOutByNameInAllRoomsAndEndAHostsRoom) {
  const Person other = kit_.join("attic", "Alice", at("192.0.2.9", 4));
  kit_.take();
  const auto sent = ban(spam_of("ALICE"));
  EXPECT_EQ(heard_at(sent, alice_.from),
            std::vector<std::string>{disconnected_notice("alice", kToldSpam)});
  EXPECT_EQ(heard_at(sent, other.from),
            std::vector<std::string>{disconnected_notice("Alice", kToldSpam)});
  EXPECT_EQ(heard_at(sent, bob_.from),
            (std::vector<std::string>{left_notice("alice"), disconnected_notice("bob")}));
  EXPECT_EQ(heard_at(sent, carol_.from), std::vector<std::string>{left_notice("Alice")});
  EXPECT_EQ(kit_.relay.roster().rooms().size(), 1u);
}

TEST_F(Bans, LetInAgainWhenTheyAreTakenBackOrOver) {
  ban(bans_of(
      {{.target = std::string("bob"), .reason = "a minute", .ends_at_ms = kit_.now_ms + 60'000}}));
  EXPECT_EQ(kit_.relay.roster().members().size(), 2u);
  kit_.now_ms += 59'999;
  EXPECT_EQ(ask(kJoinRoom, "lobby", "bob", "203.0.113.7").status, 403);
  kit_.now_ms += 1;
  EXPECT_EQ(ask(kJoinRoom, "lobby", "bob", "203.0.113.7").status, 201);
  ban(spam_of("mallory"));
  EXPECT_EQ(ask(kJoinRoom, "lobby", "mallory", "192.0.2.9").status, 403);
  ban(bans_of({}));
  EXPECT_EQ(ask(kJoinRoom, "lobby", "mallory", "192.0.2.9").status, 201);
}

TEST_F(Bans, NobodyIsTwicePutOutAndTheShardMaySleep) {
  const auto sent = ban(spam_of("nobody"));
  EXPECT_TRUE(sent.empty());
  EXPECT_GT(kit_.relay.next_deadline().value(), kit_.now_ms);
}

// With as small an outbox as this, turn by turn.
TEST(BansOfMany, PutOutAsFarAsTheOutboxGoes) {
  constexpr std::uint32_t kRooms = 200;
  RelayConfig config;
  config.limits.abuse = AbuseLimits::none();
  RelayKit kit(config, 8);
  for (std::uint32_t i = 0; i < kRooms; ++i) {
    kit.create("room" + std::to_string(i), "host",
               at(i % 2 == 0 ? "192.0.2.1" : "192.0.3.1", static_cast<std::uint16_t>(i + 1)));
  }
  kit.take();
  kit.relay.set_bans(spam_from("192.0.2.0/24"));
  std::uint32_t turns = 0;
  for (; kit.relay.next_deadline().value() <= kit.now_ms; ++turns) {
    kit.relay.on_deadline(kit.now_ms, kit.out);
    kit.out.clear();
  }
  EXPECT_GT(turns, 10u);
  EXPECT_EQ(kit.count(Counter::kMembersBanned), kRooms / 2);
  EXPECT_EQ(kit.relay.roster().members().size(), kRooms / 2);
}

// The next relay is told who is banned before it has the members of the one before.
TEST_F(Bans, HoldInARelayThatGoesOnFromAnother) {
  while (!kit_.relay.prepare_snapshot(kit_.out)) kit_.out.clear();
  RelayConfig config;
  config.bans = spam_of("bob");
  RelayKit next(config);
  ASSERT_TRUE(next.relay.restore(kit_.relay.snapshot()));
  next.relay.on_deadline(next.now_ms, next.out);
  EXPECT_EQ(heard_at(next.take(), bob_.from),
            std::vector<std::string>{disconnected_notice("bob", kToldSpam)});
}

}  // namespace
}  // namespace chatd
