// Arriving and leaving, and who hears of it: notices, the host's departure, and the end of chatd.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/json.h"
#include "tests/support/wire.h"
#include "tests/unit/core/relay_kit.h"

namespace chatd {
namespace {

using namespace test;

using Texts = std::vector<std::string>;

std::string joined(const std::string& name) {
  return R"({"sender":"system","operation":1,"username":")" + name + R"(","message":")" + name +
         R"( joined"})";
}
std::string left(const std::string& name) {
  return R"({"sender":"system","operation":2,"username":")" + name + R"(","message":")" + name +
         R"( left"})";
}
std::string disconnected(const std::string& name) {
  return R"({"sender":"system","operation":2,"username":")" + name +
         R"(","message":"You have been disconnected"})";
}

class Members : public testing::Test {
 protected:
  std::size_t rooms() const { return kit_.relay.roster().rooms().size(); }
  std::size_t members() const { return kit_.relay.roster().members().size(); }

  RelayKit kit_;
};

TEST_F(Members, HearWhoJoins) {
  const Person alice = kit_.create("lobby", "alice");
  const Person bob = kit_.join("lobby", "bob");
  const auto first = kit_.take();
  EXPECT_EQ(heard_at(first, alice.from), Texts{joined("bob")});
  EXPECT_EQ(first.size(), 1u);  // bob hears nothing of himself
  EXPECT_EQ(first[0].kind, Outbox::Kind::kNotice);
  const Person carol = kit_.join("lobby", "carol");
  const auto second = kit_.take();
  EXPECT_EQ(heard_at(second, alice.from), Texts{joined("carol")});
  EXPECT_EQ(heard_at(second, bob.from), Texts{joined("carol")});
  EXPECT_EQ(second.size(), 2u);
}

TEST_F(Members, HearWhoLeavesAndTheOneWhoLeavesHearsNothing) {
  const Person alice = kit_.create("lobby", "alice");
  const Person bob = kit_.join("lobby", "bob");
  const Person carol = kit_.join("lobby", "carol");
  kit_.take();
  kit_.leave(bob);
  const auto sent = kit_.take();
  EXPECT_EQ(heard_at(sent, alice.from), Texts{left("bob")});
  EXPECT_EQ(heard_at(sent, carol.from), Texts{left("bob")});
  EXPECT_TRUE(heard_at(sent, bob.from).empty());
  EXPECT_EQ(kit_.count(Counter::kLeaves), 1u);
  EXPECT_EQ(kit_.count(Counter::kMembersLeft), 1u);
  EXPECT_EQ(rooms(), 1u);
  kit_.say(alice);
  EXPECT_EQ(kit_.take().size(), 1u);  // carol alone
}

TEST_F(Members, OfOtherRoomsHearNothing) {
  const Person alice = kit_.create("lobby", "alice");
  const Person other = kit_.create("den", "dave");
  const Person bob = kit_.join("lobby", "bob");
  kit_.leave(bob);
  kit_.leave(alice);
  EXPECT_TRUE(heard_at(kit_.take(), other.from).empty());
}

TEST_F(Members, AreToldWhenTheHostLeavesAndTheRoomIsGone) {
  const Person alice = kit_.create("lobby", "alice");
  const Person bob = kit_.join("lobby", "bob");
  const Person carol = kit_.join("lobby", "carol");
  kit_.take();
  kit_.leave(alice);
  const auto sent = kit_.take();
  EXPECT_EQ(heard_at(sent, bob.from), (Texts{left("alice"), disconnected("bob")}));
  EXPECT_EQ(heard_at(sent, carol.from), (Texts{left("alice"), disconnected("carol")}));
  EXPECT_TRUE(heard_at(sent, alice.from).empty());
  EXPECT_EQ(rooms(), 0u);
  EXPECT_EQ(members(), 0u);
  EXPECT_EQ(kit_.count(Counter::kRoomsClosed), 1u);
  EXPECT_EQ(kit_.count(Counter::kMembersLeft), 1u);
  EXPECT_EQ(kit_.count(Counter::kMembersDisconnected), 2u);
  kit_.say(bob);
  EXPECT_EQ(kit_.count(Counter::kDroppedUnknownToken), 1u);
  EXPECT_EQ(kit_.ask(kJoinRoom, "lobby", join_payload({.username = "eve"})).status, 404);
}

// The host is a member, not a slot or a position: others may come and go around it.
TEST_F(Members, TheHostStaysTheHost) {
  const Person dave = kit_.create("den", "dave");  // slot 0
  const Person alice = kit_.create("lobby", "alice");
  kit_.leave(dave);
  const Person bob = kit_.join("lobby", "bob");  // slot 0, used again
  kit_.leave(bob);
  EXPECT_EQ(rooms(), 1u);
  const Person carol = kit_.join("lobby", "carol");
  kit_.join("lobby", "eve");
  kit_.leave(carol);
  EXPECT_EQ(rooms(), 1u);
  kit_.leave(alice);
  EXPECT_EQ(rooms(), 0u);
}

TEST_F(Members, ARoomEndsWithItsLast) {
  const Person alice = kit_.create("lobby", "alice");
  kit_.leave(alice);
  EXPECT_EQ(rooms(), 0u);
  EXPECT_TRUE(kit_.take().empty());
}

TEST_F(Members, PendingOnesAreNotToldAndThatIsCounted) {
  const Person alice = kit_.create("lobby", "alice");
  kit_.join_pending("lobby", "bob", at("127.0.0.1", 5));
  kit_.join("lobby", "carol");  // bob does not hear it
  EXPECT_EQ(kit_.count(Counter::kNoticesDropped), 1u);
  kit_.take();
  kit_.leave(alice);
  EXPECT_EQ(kit_.take().size(), 2u);                    // carol: alice left, disconnected
  EXPECT_EQ(kit_.count(Counter::kNoticesDropped), 3u);  // bob: both of them
}

TEST_F(Members, AreNotToldOfArrivalsInALargeRoom) {
  RelayConfig config;
  config.limits.max_notified_members = 3;
  RelayKit kit(config);
  const Person alice = kit.create("lobby", "alice");
  kit.join("lobby", "bob");
  kit.join("lobby", "carol");
  EXPECT_EQ(heard_at(kit.take(), alice.from), (Texts{joined("bob"), joined("carol")}));
  const Person dave = kit.join("lobby", "dave");  // the fourth
  EXPECT_TRUE(kit.take().empty());
  kit.leave(dave);
  EXPECT_TRUE(kit.take().empty());
  const Person eve = kit.join("lobby", "eve");
  EXPECT_TRUE(kit.take().empty());
  kit.leave(eve);
  EXPECT_TRUE(kit.take().empty());
  // Three again, one of whom goes.
  const Person last = kit.join("lobby", "last");
  kit.leave(alice);  // of four: large still, but those who lose their room are told all the same
  const auto sent = kit.take();
  EXPECT_EQ(sent.size(), 3u);
  EXPECT_EQ(heard_at(sent, last.from), Texts{disconnected("last")});
}

TEST_F(Members, NoticesOfOddNamesAreJson) {
  const std::string name = "\"b\\ob\"";
  const Person alice = kit_.create("lobby", "alice");
  kit_.ask(kJoinRoom, "lobby", join_payload({.username = name, .port = 7}));
  const auto heard = heard_at(kit_.take(), alice.from);
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(JsonObject(heard[0]).text("username"), name);
}

TEST_F(Members, AllHearTheEnd) {
  std::vector<Person> people;
  for (const char* room : {"a", "b", "c"}) {
    people.push_back(kit_.create(room, "alice"));
    people.push_back(kit_.join(room, "bob"));
  }
  kit_.take();
  EXPECT_TRUE(kit_.relay.disconnect_all(kit_.out));
  const auto sent = kit_.take();
  for (const Person& person : people) {
    EXPECT_EQ(heard_at(sent, person.from), Texts{disconnected(person.name)});
  }
  EXPECT_EQ(rooms(), 0u);
  EXPECT_EQ(members(), 0u);
  EXPECT_FALSE(kit_.relay.next_deadline().has_value());
  EXPECT_EQ(kit_.count(Counter::kMembersDisconnected), 6u);
  EXPECT_EQ(kit_.count(Counter::kRoomsClosed), 3u);
  EXPECT_TRUE(kit_.relay.disconnect_all(kit_.out));  // once more does no harm
}

TEST_F(Members, TheEndGoesOnWhenTheOutboxWasFull) {
  RelayKit kit({}, /*outbox_limit=*/4);
  std::vector<Person> people;
  for (int i = 0; i < 10; ++i) {
    people.push_back(kit.create("room" + std::to_string(i), "alice"));
    people.push_back(kit.join("room" + std::to_string(i), "bob"));
    kit.take();
  }
  kit.leave(people[0]);  // a hole in the middle of things
  kit.take();
  int turns = 0;
  std::size_t told = 0;
  for (bool done = false; !done && turns < 100; ++turns) {
    done = kit.relay.disconnect_all(kit.out);
    const auto sent = kit.take_outbox();
    EXPECT_LE(sent.size(), 5u);  // at most one room more than fits
    told += sent.size();
  }
  EXPECT_EQ(told, 18u);
  EXPECT_GT(turns, 3);
  EXPECT_LT(turns, 100);
  EXPECT_EQ(kit.relay.roster().rooms().size(), 0u);
}

}  // namespace
}  // namespace chatd
