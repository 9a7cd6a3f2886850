// The library for other people's programs (client/public), against the real chatd.
#include <chatd/client.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "tests/e2e/chatd/server_test.h"
#include "tests/support/process.h"

namespace chatd::test {
namespace {

using chatd_client::Error;
using chatd_client::Room;
using chatd_client::RoomOptions;
using chatd_client::Rooms;
using Kind = chatd_client::Event::Kind;

// Long enough for any machine; nothing waits for it when all is well.
constexpr std::int64_t kPatienceMs = 30'000;

class ClientLibrary : public ServerTest {
 protected:
  void SetUp() override { ASSERT_NO_FATAL_FAILURE(start()); }

  RoomOptions options(const std::string& name, bool create = false) {
    return {
        .server = server().tls().to_string(), .room = "kitchen", .name = name, .create = create};
  }
  static Room entered(const RoomOptions& options) {
    auto room = Room::enter(options);
    EXPECT_TRUE(room.has_value()) << (room ? "" : room.error().reason);
    return std::move(room.value());
  }
  static Error refused(const RoomOptions& options) {
    const auto room = Room::enter(options);
    EXPECT_FALSE(room.has_value());
    return room ? Error{} : room.error();
  }
  // The next event of this kind; others are passed over.
  static chatd_client::Event wait_for(Room& room, Kind kind) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
    while (std::chrono::steady_clock::now() < end) {
      auto event = room.next(1'000);
      if (event && event->kind == kind) return *event;
    }
    ADD_FAILURE() << "no such event";
    return {};
  }
};

TEST_F(ClientLibrary, WhatIsSaidIsDeliveredAndHeard) {
  Room alice = entered(options("alice", true));
  Room bob = entered(options("bob"));
  EXPECT_EQ(wait_for(alice, Kind::kJoined).name, "bob");
  EXPECT_EQ(alice.members(), (std::vector<std::string>{"alice", "bob"}));
  const auto id = alice.say("hello, b\"o\"b\n");
  ASSERT_TRUE(id.has_value());
  EXPECT_EQ(alice.undelivered(), 1u);
  EXPECT_EQ(wait_for(alice, Kind::kDelivered).id, *id);
  EXPECT_EQ(alice.undelivered(), 0u);
  const auto heard = wait_for(bob, Kind::kMessage);
  EXPECT_EQ(heard.name, "alice");
  EXPECT_EQ(heard.text, "hello, b\"o\"b\n");
  EXPECT_FALSE(heard.is_own);
  EXPECT_EQ(bob.leave(), 0u);
  EXPECT_EQ(wait_for(alice, Kind::kLeft).name, "bob");
}

TEST_F(ClientLibrary, TheRoomEndsWithItsHost) {
  Room alice = entered(options("alice", true));
  Room bob = entered(options("bob"));
  EXPECT_EQ(alice.leave(), 0u);
  EXPECT_FALSE(wait_for(bob, Kind::kEnded).text.empty());
  EXPECT_TRUE(bob.is_over());
  EXPECT_EQ(bob.say("anybody?").error().kind, Error::Kind::kNotSendable);
  EXPECT_FALSE(bob.next(0).has_value());
}

TEST_F(ClientLibrary, LateMembersReadWhatTheRoomAllows) {
  RoomOptions first = options("alice", true);
  first.history_messages = 10;
  Room alice = entered(first);
  ASSERT_TRUE(alice.say("early"));
  wait_for(alice, Kind::kDelivered);
  RoomOptions late = options("bob");
  late.wants_history = true;
  Room bob = entered(late);
  const auto heard = wait_for(bob, Kind::kMessage);
  EXPECT_EQ(heard.text, "early");
  EXPECT_TRUE(heard.is_history);
  wait_for(bob, Kind::kCaughtUp);
  ASSERT_TRUE(alice.say("late"));
  EXPECT_FALSE(wait_for(bob, Kind::kMessage).is_history);
}

TEST_F(ClientLibrary, WhatIsUnderARoomKeyIsForThoseWhoHaveIt) {
  RoomOptions first = options("alice", true);
  first.room_key = "correct horse battery staple";
  Room alice = entered(first);
  RoomOptions second = options("bob");
  second.room_key = first.room_key;
  Room bob = entered(second);
  Room carol = entered(options("carol"));
  ASSERT_TRUE(alice.say("hello"));
  const auto heard = wait_for(bob, Kind::kMessage);
  EXPECT_EQ(heard.text, "hello");
  EXPECT_EQ(heard.is_sealed, true);
  const auto unreadable = wait_for(carol, Kind::kUnreadable);
  EXPECT_EQ(unreadable.name, "alice");
  EXPECT_EQ(unreadable.text, "it is sealed under a room key, and none is given");
  ASSERT_TRUE(carol.say("what?"));
  EXPECT_EQ(wait_for(bob, Kind::kMessage).is_sealed, false);
  EXPECT_FALSE(alice.say(std::string(1'060, 'x')).has_value());
  EXPECT_TRUE(alice.say(std::string(1'059, 'x')).has_value());
}

TEST_F(ClientLibrary, ASeatIsTakenAgainByItsToken) {
  Room alice = entered(options("alice", true));
  Room bob = entered(options("bob"));
  EXPECT_EQ(refused(options("bob")).status, 409);
  RoomOptions again = options("bob");
  again.token = bob.token();
  Room back = entered(again);
  wait_for(bob, Kind::kEnded);
  ASSERT_TRUE(back.say("here again"));
  EXPECT_EQ(wait_for(alice, Kind::kMessage).name, "bob");
}

// Each says something, and all hear all of it, in one order.
TEST_F(ClientLibrary, ManyShareAThread) {
  constexpr std::size_t kMembers = 20;
  Rooms rooms;
  for (std::size_t i = 0; i < kMembers; ++i) {
    EXPECT_EQ(rooms.add(entered(options("m" + std::to_string(i), i == 0))), i);
  }
  for (std::size_t i = 0; i < kMembers; ++i) {
    ASSERT_TRUE(rooms[i].say("from " + std::to_string(i)));
  }
  std::vector<std::vector<std::string>> heard(kMembers);
  std::size_t delivered = 0;
  std::size_t missing = kMembers * kMembers;
  while (missing > 0 || delivered < kMembers) {
    const auto next = rooms.next(kPatienceMs);
    ASSERT_TRUE(next.has_value()) << missing << " are missing";
    if (next->second.kind == Kind::kDelivered) ++delivered;
    if (next->second.kind != Kind::kMessage) continue;
    heard[next->first].push_back(next->second.text);
    --missing;
  }
  for (const auto& texts : heard) EXPECT_EQ(texts, heard[0]);
  EXPECT_FALSE(rooms.next(0).has_value());
}

TEST_F(ClientLibrary, ErrorsSayWhatIsWrong) {
  EXPECT_EQ(refused(options("alice")).status, 404);
  RoomOptions secret = options("alice", true);
  secret.password = "open sesame";
  Room alice = entered(secret);
  EXPECT_EQ(refused(options("bob")).status, 401);
  RoomOptions wrong = secret;
  wrong.create = false;
  wrong.name = "bob";
  wrong.pin = "sha256:" + std::string(64, 'a');
  EXPECT_EQ(refused(wrong).kind, Error::Kind::kUntrusted);
  wrong.pin = "md5:1";
  EXPECT_NE(refused(wrong).reason.find("is not a fingerprint"), std::string::npos);
  wrong = options("");
  EXPECT_EQ(refused(wrong).kind, Error::Kind::kNotSendable);
  wrong = options("bob");
  wrong.server = "nowhere:0";
  EXPECT_NE(refused(wrong).reason.find("is not a server"), std::string::npos);
  wrong.server = server().tcp().to_string();
  EXPECT_EQ(refused(wrong).kind, Error::Kind::kUnreachable) << "it is the port without TLS";
  EXPECT_EQ(alice.say(std::string(1'101, 'x')).error().kind, Error::Kind::kNotSendable);
  EXPECT_EQ(alice.say("").error().kind, Error::Kind::kNotSendable);
  EXPECT_EQ(alice.say("a\x01").error().kind, Error::Kind::kNotSendable);
}

// For loops of somebody's own.
TEST_F(ClientLibrary, SaysWhenItWantsToBeCalled) {
  Room alice = entered(options("alice", true));
  EXPECT_GE(alice.fd(), 0);
  while (alice.next(100)) {
  }
  EXPECT_GE(alice.wait_ms(), 0);
  EXPECT_LE(alice.wait_ms(), 60'000);
}

// The example of the documentation, as it is compiled there.
TEST_F(ClientLibrary, TheParrotRepeatsAndGoes) {
  Room alice = entered(options("alice", true));
  Process parrot({CHATD_CLIENT_EXAMPLE, server().tls().to_string(), "kitchen"});
  EXPECT_EQ(wait_for(alice, Kind::kJoined).name, "parrot");
  ASSERT_TRUE(alice.say("hello"));
  while (true) {
    const auto heard = wait_for(alice, Kind::kMessage);
    if (heard.is_own) continue;
    EXPECT_EQ(heard.text, "alice says: hello");
    break;
  }
  ASSERT_TRUE(alice.say("bye"));
  const auto end = parrot.wait_exit();
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->code, 0) << parrot.captured(Stream::kStderr);
  EXPECT_EQ(wait_for(alice, Kind::kLeft).name, "parrot");
}

}  // namespace
}  // namespace chatd::test
