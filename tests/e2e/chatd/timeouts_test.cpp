// Members that fall silent are removed after --idle-timeout, and told so.
#include "tests/e2e/chatd/server_test.h"

namespace chatd::test {
namespace {

using std::chrono::milliseconds;

class Timeouts : public ServerTest {
 protected:
  // The next thing that `listener` hears; meanwhile it and `others` keep showing that they live.
  std::optional<std::string> hear_alive(Member& listener, const std::vector<Member*>& others = {}) {
    const Deadline deadline = kPatience;
    while (!deadline.passed()) {
      listener.heartbeat();
      for (Member* other : others) other->heartbeat();
      if (auto heard = listener.hear(milliseconds(50))) return heard;
    }
    return std::nullopt;
  }
};

TEST_F(Timeouts, ASilentMemberIsRemovedAndAllAreTold) {
  ASSERT_NO_FATAL_FAILURE(start({"--idle-timeout", "400ms"}));
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  const auto began = std::chrono::steady_clock::now();
  const JsonObject notice(hear_alive(room[0]).value_or(""));
  const auto after = std::chrono::steady_clock::now() - began;
  EXPECT_EQ(notice.text("username"), "bob");
  EXPECT_EQ(notice.number("operation"), 2);
  EXPECT_GE(after, milliseconds(300));
  EXPECT_TRUE(room[1].hears_own_removal());
  room[1].say("am I still there? asks bob");
  EXPECT_EQ(room[1].hear(), kNotAuthenticated);
  EXPECT_EQ(TcpPeer(server().tcp()).join("room", fields_of("bob")).status(), 201);
  const Counters counted = totals();
  EXPECT_EQ(counted["members_timed_out"], 1U);
  EXPECT_EQ(counted["members_left"], 0U);
}

TEST_F(Timeouts, HeartbeatsAndMessagesKeepAMemberAlive) {
  ASSERT_NO_FATAL_FAILURE(start({"--idle-timeout", "300ms"}));
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  // Three silent members in a row live and go: three timeouts pass, alice and bob stay.
  for (int i = 0; i < 3; ++i) {
    const std::string name = "silent " + std::to_string(i);
    auto silent = Member::join(server(), "room", name);
    ASSERT_TRUE(silent);
    EXPECT_TRUE(room[0].hears_joined(name));
    EXPECT_TRUE(room[1].hears_joined(name));
    const JsonObject notice(hear_alive(room[0], {&room[1]}).value_or(""));
    EXPECT_EQ(notice.text("username"), name);
    EXPECT_TRUE(room[1].hears_left(name));
  }
  EXPECT_TRUE(all_is_heard(room));
  EXPECT_EQ(totals()["members_timed_out"], 3U);
}

TEST_F(Timeouts, WhenTheHostFallsSilentTheRoomEnds) {
  ASSERT_NO_FATAL_FAILURE(start({"--idle-timeout", "300ms"}));
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  const JsonObject first(hear_alive(room[1]).value_or(""));
  EXPECT_EQ(first.text("username"), "alice");
  EXPECT_EQ(first.text("message"), "alice left");
  EXPECT_TRUE(room[1].hears_own_removal());
  EXPECT_TRUE(room[0].hears_own_removal());
  EXPECT_EQ(TcpPeer(server().tcp()).join("room", fields_of("bob")).status(), 404);
}

TEST_F(Timeouts, StrangersDatagramsDoNotKeepAMemberAlive) {
  ASSERT_NO_FATAL_FAILURE(start({"--idle-timeout", "300ms"}));
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  UdpPeer thief;
  std::optional<std::string> heard;
  const Deadline deadline = kPatience;
  while (!heard && !deadline.passed()) {
    room[0].heartbeat();
    thief.send(server().udp(), encode_datagram("room", room[1].token(), ""));
    room[1].socket().send(server().udp(), encode_datagram("other", room[1].token(), ""));
    heard = room[0].hear(milliseconds(20));
  }
  EXPECT_EQ(JsonObject(heard.value_or("")).text("username"), "bob");
  EXPECT_EQ(totals()["members_timed_out"], 1U);
}

TEST_F(Timeouts, APendingMemberTimesOutToo) {
  ASSERT_NO_FATAL_FAILURE(start({"--idle-timeout", "300ms"}));
  auto room = make_room(server(), "room", {"alice"});
  ASSERT_EQ(room.size(), 1U);
  auto pending = Member::join(server(), "room", "bob", {.stated_port = 0});
  ASSERT_TRUE(pending);
  EXPECT_TRUE(room[0].hears_joined("bob"));
  EXPECT_EQ(JsonObject(hear_alive(room[0]).value_or("")).text("username"), "bob");
  EXPECT_FALSE(pending->socket().try_receive());
}

TEST_F(Timeouts, ManyMembersTimeOutTogether) {
  ASSERT_NO_FATAL_FAILURE(start({"--idle-timeout", "500ms"}));
  auto witness = Member::create(server(), "witness", "witness");
  ASSERT_TRUE(witness);
  TcpPeer control(server().tcp());
  std::vector<Member> members;
  for (int room = 0; room < 50; ++room) {
    for (int i = 0; i < 4; ++i) {
      const std::string name = "m" + std::to_string(i);
      const std::string room_name = "room " + std::to_string(room);
      auto member = i == 0 ? Member::create(server(), room_name, name, {.control = &control})
                           : Member::join(server(), room_name, name, {.control = &control});
      ASSERT_TRUE(member);
      members.push_back(std::move(*member));
    }
    witness->heartbeat();
  }
  // Each hears of its own end; what it hears of the others depends on the order of their ends.
  for (Member& member : members) {
    std::string message;
    while (message != "You have been disconnected") {
      const auto heard = member.hear();
      ASSERT_TRUE(heard) << member.name() << " of " << member.room() << " hears of no removal";
      message = JsonObject(*heard).text("message");
    }
  }
  const Answer list = TcpPeer(server().tcp()).request(list_request());
  ASSERT_TRUE(list.completed);
  EXPECT_LE(JsonObject(list.completed->payload).number("total"), 1);
}

}  // namespace
}  // namespace chatd::test
