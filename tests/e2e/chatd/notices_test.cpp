// Who hears that somebody comes or goes, and what happens to a room then.
#include <csignal>

#include "tests/e2e/chatd/server_test.h"

namespace chatd::test {
namespace {

class Notices : public ServerTest {
 protected:
  int join_status(std::string_view room, std::string_view name = "latecomer") {
    return TcpPeer(server().tcp()).join(room, fields_of(name)).status();
  }
};

TEST_F(Notices, AJoinIsToldToTheOthers) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice", "bob", "carol"});  // checks each notice
  auto other = make_room(server(), "other", {"dave", "erin"});
  ASSERT_EQ(room.size(), 3U);
  ASSERT_EQ(other.size(), 2U);
  EXPECT_TRUE(all_is_heard(room));  // carol has not heard of herself
  EXPECT_TRUE(all_is_heard(other));
}

TEST_F(Notices, ANoticeIsAsTheClientsKnowIt) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice"});
  ASSERT_EQ(room.size(), 1U);
  auto bob = Member::join(server(), "room", "bob");
  ASSERT_TRUE(bob);
  const JsonObject joined(room[0].hear().value_or(""));
  EXPECT_EQ(joined.keys(),
            (std::vector<std::string>{"sender", "operation", "username", "message"}));
  EXPECT_EQ(joined.text("sender"), "system");
  EXPECT_EQ(joined.number("operation"), 1);
  EXPECT_EQ(joined.text("username"), "bob");
  EXPECT_EQ(joined.text("message"), "bob joined");
}

TEST_F(Notices, NamesInNoticesAreEscaped) {
  ASSERT_NO_FATAL_FAILURE(start());
  const std::string name = "\"quoted\" \\ \xf0\x9f\x98\x80";
  auto room = make_room(server(), "room", {"alice", name, std::string(255, '"')});
  ASSERT_EQ(room.size(), 3U);
  room[2].leave();
  EXPECT_TRUE(room[0].hears_left(room[2].name()));
  EXPECT_TRUE(room[1].hears_left(room[2].name()));
  room[0].leave();
  EXPECT_TRUE(room[1].hears_left("alice"));
  EXPECT_TRUE(room[1].hears_own_removal());
}

TEST_F(Notices, LeavingIsToldToTheOthersAndNotToTheOneThatLeaves) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice", "bob", "carol"});
  ASSERT_EQ(room.size(), 3U);
  room[1].leave();
  EXPECT_TRUE(room[0].hears_left("bob"));
  EXPECT_TRUE(room[2].hears_left("bob"));
  EXPECT_TRUE(room[2].hears_nothing_before(room[0]));
  EXPECT_FALSE(room[1].socket().try_receive());
  // The name is free again.
  auto again = Member::join(server(), "room", "bob");
  ASSERT_TRUE(again);
  EXPECT_TRUE(room[0].hears_joined("bob"));
  EXPECT_TRUE(room[2].hears_joined("bob"));
  EXPECT_FALSE(room[1].socket().try_receive());
  EXPECT_EQ(totals()["members_left"], 1U);
}

TEST_F(Notices, WhenTheHostLeavesTheRoomEndsAndAllAreTold) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice", "bob", "carol"});
  auto other = make_room(server(), "other", {"alice", "bob"});
  ASSERT_EQ(room.size(), 3U);
  ASSERT_EQ(other.size(), 2U);
  room[0].leave();
  for (std::size_t i : {1U, 2U}) {
    EXPECT_TRUE(room[i].hears_left("alice"));
    EXPECT_TRUE(room[i].hears_own_removal());
  }
  EXPECT_EQ(join_status("room"), 404);
  // The tokens have ended with the room.
  room[1].say("anybody here? this is long enough for an answer");
  EXPECT_EQ(room[1].hear(), kNotAuthenticated);
  EXPECT_TRUE(all_is_heard(other));
  EXPECT_FALSE(room[0].socket().try_receive());
  EXPECT_FALSE(room[2].socket().try_receive());
  // The name is free for another room, with another host.
  auto again = make_room(server(), "room", {"bob", "carol"});
  ASSERT_EQ(again.size(), 2U);
  room[2].say("an old token in a new room");
  EXPECT_TRUE(all_is_heard(again));
  const Counters counted = totals();
  EXPECT_EQ(counted["rooms_created"], 3U);
  EXPECT_EQ(counted["dropped_unknown_token"], 2U);
}

TEST_F(Notices, ARoomEndsWithItsLastMember) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto witness = make_room(server(), "witness", {"alice", "bob"});
  auto room = make_room(server(), "room", {"alice"});
  ASSERT_EQ(witness.size(), 2U);
  ASSERT_EQ(room.size(), 1U);
  room[0].leave();
  EXPECT_TRUE(all_is_heard(witness));
  EXPECT_EQ(join_status("room"), 404);
  EXPECT_FALSE(room[0].socket().try_receive());
}

TEST_F(Notices, LeavingMayBeSaidInAnyOrderOfKeys) {
  ASSERT_NO_FATAL_FAILURE(start());
  for (const char* payload :
       {R"({"sender":"system","operation":2,"username":"bob"})",
        R"({ "username" : "b\u006fb", "operation" : 2, "sender" : "system" })",
        R"({"operation":2,"sender":"syst\u0065m","username":"bob","message":"bye","x":[1]})"}) {
    SCOPED_TRACE(payload);
    auto room = make_room(server(), payload, {"alice", "bob"});
    ASSERT_EQ(room.size(), 2U);
    room[1].send_payload(payload);
    EXPECT_TRUE(room[0].hears_left("bob"));
  }
}

TEST_F(Notices, ABigRoomIsSparedJoinAndLeaveNotices) {
  ASSERT_NO_FATAL_FAILURE(start({"--max-notified-members", "3"}));
  auto room = make_room(server(), "room", {"alice", "bob", "carol"});  // up to three: told
  ASSERT_EQ(room.size(), 3U);
  for (int i = 0; i < 6; ++i) {
    auto member = Member::join(server(), "room", "m" + std::to_string(i));
    ASSERT_TRUE(member);
    room.push_back(std::move(*member));
  }
  room.back().leave();  // eight remain
  room.pop_back();
  EXPECT_TRUE(all_is_heard(room));
}

TEST_F(Notices, TheEndOfABigRoomIsToldToEverybody) {
  ASSERT_NO_FATAL_FAILURE(start({"--max-notified-members", "3"}));
  TcpPeer control(server().tcp());
  auto host = Member::create(server(), "room", "host", {.control = &control});
  ASSERT_TRUE(host);
  std::vector<Member> crowd;
  for (int i = 0; i < 200; ++i) {
    auto member = Member::join(server(), "room", "m" + std::to_string(i), {.control = &control});
    ASSERT_TRUE(member);
    crowd.push_back(std::move(*member));
  }
  EXPECT_TRUE(crowd[0].hears_joined("m1"));
  host->leave();
  for (Member& member : crowd) EXPECT_TRUE(member.hears_own_removal());
}

TEST_F(Notices, RoomsOfUpTo128AreToldByDefault) {
  ASSERT_NO_FATAL_FAILURE(start());
  TcpPeer control(server().tcp());
  auto host = Member::create(server(), "room", "host", {.control = &control});
  ASSERT_TRUE(host);
  std::vector<Member> crowd;
  for (int i = 2; i <= 140; ++i) {
    const std::string name = "member " + std::to_string(i);
    auto member = Member::join(server(), "room", name, {.control = &control});
    ASSERT_TRUE(member);
    crowd.push_back(std::move(*member));
    if (i <= 128) {
      ASSERT_TRUE(host->hears_joined(name));
    }
  }
  // Whether the 129th is told is a matter of counting; the 131st surely is not.
  std::string said = crowd.back().say("end");
  std::vector<std::string> heard;
  for (auto payload = host->hear(); payload && *payload != said; payload = host->hear()) {
    heard.push_back(*payload);
  }
  EXPECT_LE(heard.size(), 1U);
}

TEST_F(Notices, AStopIsToldToAllMembers) {
  for (const int signal : {SIGTERM, SIGINT}) {
    SCOPED_TRACE(signal);
    ASSERT_NO_FATAL_FAILURE(start());
    auto one = make_room(server(), "one", {"alice", "bob"});
    auto two = make_room(server(), "two", {"carol"});
    ASSERT_EQ(one.size(), 2U);
    ASSERT_EQ(two.size(), 1U);
    auto pending = Member::join(server(), "two", "dave", {.stated_port = 0});
    ASSERT_TRUE(pending);
    EXPECT_TRUE(two[0].hears_joined("dave"));
    EXPECT_TRUE(server().stop(signal));
    for (Member* member : {&one[0], &one[1], &two[0]}) {
      EXPECT_TRUE(member->hears_own_removal());
      EXPECT_FALSE(member->socket().try_receive());
    }
    EXPECT_FALSE(pending->socket().try_receive());
  }
}

}  // namespace
}  // namespace chatd::test
