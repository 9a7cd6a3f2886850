// A member whose port refuses is removed after a few refusals in a row, and costs the others
// nothing.
#include "tests/e2e/chatd/server_test.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

constexpr int kToleratedRefusals = 3;

class IcmpRefusal : public ServerTest {};

TEST_F(IcmpRefusal, AMemberThatIsGoneIsRemovedAndTheOthersLoseNothing) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice", "gone", "bob", "carol"});
  ASSERT_EQ(room.size(), 4U);
  room[1].socket().close();
  bool told = false;
  const Deadline deadline = kPatience;
  for (int i = 0; i < 100 || (!told && !deadline.passed()); ++i) {
    const std::string said = room[0].say("message " + std::to_string(i));
    for (Member* listener : {&room[2], &room[3]}) {
      auto heard = listener->hear();
      // The notice comes once, between any two messages.
      if (heard && JsonObject(*heard).text("message") == "gone left") {
        told = true;
        heard = listener->hear();
      }
      ASSERT_EQ(heard, said) << listener->name();
    }
  }
  EXPECT_TRUE(told);
  EXPECT_TRUE(room[0].hears_left("gone"));
  EXPECT_EQ(TcpPeer(server().tcp()).join("room", fields_of("gone")).status(), 201);
  EXPECT_EQ(totals()["members_refused"], 1U);
}

TEST_F(IcmpRefusal, ABurstToAMemberThatIsGoneLosesNothingForTheOthers) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice", "gone", "bob", "gone too", "carol"},
                        {.receive_buffer_bytes = 4 << 20});
  ASSERT_EQ(room.size(), 5U);
  room[1].socket().close();
  room[3].socket().close();
  std::vector<std::string> said;
  for (int i = 0; i < 300; ++i) said.push_back(room[0].say("message " + std::to_string(i)));
  for (Member* listener : {&room[2], &room[4]}) {
    std::size_t notices = 0;
    for (const std::string& expected : said) {
      auto heard = listener->hear();
      while (heard && JsonObject(*heard).text("sender") == "system") {
        ++notices;
        heard = listener->hear();
      }
      ASSERT_EQ(heard, expected) << listener->name();
    }
    EXPECT_LE(notices, 2U);
  }
}

// A refusal shows as an error of the next send, whomever that is for. Here every other member is
// gone, so that wherever a batch of sends ends, the next one begins with such an error, and with
// somebody who must not lose the message for it.
TEST_F(IcmpRefusal, ARefusalIsNotTakenForTheNextMembers) {
  constexpr std::size_t kPairs = 100;
  ASSERT_NO_FATAL_FAILURE(start({"--max-notified-members", "0"}));
  auto alice = Member::create(server(), "room", "alice");
  ASSERT_TRUE(alice);
  TcpPeer control(server().tcp());
  std::vector<Member> listeners;
  std::vector<Member> leavers;  // open until all have a port: a free one would be given out again
  for (std::size_t i = 0; i < kPairs; ++i) {
    const std::string number = std::to_string(i);
    auto listener = Member::join(server(), "room", "listener " + number, {.control = &control});
    auto gone = Member::join(server(), "room", "gone " + number, {.control = &control});
    ASSERT_TRUE(listener && gone);
    listeners.push_back(std::move(*listener));
    leavers.push_back(std::move(*gone));
  }
  leavers.clear();
  std::vector<std::string> said;
  for (int i = 0; i < 20; ++i) said.push_back(alice->say("message " + std::to_string(i)));
  for (Member& listener : listeners) {
    for (const std::string& expected : said) ASSERT_TRUE(listener.hears(expected));
  }
}

// With several shards a refusal comes by way of another thread, and may come after the datagram
// that ends the count: then this cannot be told to the single refusal.
TEST_F(IcmpRefusal, ADatagramFromTheMemberEndsTheCount) {
  if (ChatdServer::has_several_shards()) GTEST_SKIP() << "exact with one shard alone";
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice", "flaky", "bob"});
  ASSERT_EQ(room.size(), 3U);
  const std::uint16_t port = room[1].socket().address().port();
  room[1].socket().close();
  for (int round = 0; round < 3; ++round) {
    SCOPED_TRACE(round);
    for (int i = 0; i < kToleratedRefusals; ++i) {
      const std::string said = room[0].say("into the void");
      ASSERT_TRUE(room[2].hears(said));
    }
    UdpPeer again("127.0.0.1", port);
    again.send(server().udp(), encode_datagram("room", room[1].token(), ""));
    // Heard by the one that was away: it is still a member.
    const std::string said = room[0].say("are you there?");
    ASSERT_TRUE(room[2].hears(said));
    const auto heard = again.receive();
    ASSERT_TRUE(heard);
    EXPECT_EQ(heard->bytes, std::string("\0\0", 2) + said);
  }
  // One refusal more than what is tolerated, and it is none. Refusals come back after the sends
  // that they answer, so it may take a message more to see.
  bool told = false;
  for (int i = 0; i < kToleratedRefusals + 5 && !told; ++i) {
    const std::string said = room[0].say("into the void");
    auto heard = room[2].hear();
    if (heard && JsonObject(*heard).text("message") == "flaky left") {
      told = true;
      heard = room[2].hear();
    }
    ASSERT_EQ(heard, said);
  }
  EXPECT_TRUE(told || room[2].hears_left("flaky"));
}

TEST_F(IcmpRefusal, ShowsOverIpv6AndOnASocketForBothFamilies) {
  struct Case {
    const char* host;
    const char* ip;
  };
  for (const auto& [host, ip] : {Case{"::1", "::1"}, Case{"::", "::1"}, Case{"::", "127.0.0.1"},
                                 Case{"0.0.0.0", "127.0.0.1"}}) {
    SCOPED_TRACE(testing::Message() << ip << " at " << host);
    ASSERT_NO_FATAL_FAILURE(start({"--host", host}));
    auto room =
        make_room(server(), "room", {"alice", "gone", "bob"}, {.source_ip = ip, .server_ip = ip});
    ASSERT_EQ(room.size(), 3U);
    room[1].socket().close();
    bool told = false;
    const Deadline deadline = kPatience;
    for (int i = 0; i < 20 || (!told && !deadline.passed()); ++i) {
      const std::string said = room[0].say("message " + std::to_string(i));
      auto heard = room[2].hear();
      if (heard && JsonObject(*heard).text("message") == "gone left") {
        told = true;
        heard = room[2].hear();
      }
      ASSERT_EQ(heard, said);
    }
    EXPECT_TRUE(told);
    EXPECT_EQ(totals()["members_refused"], 1U);
  }
}

TEST_F(IcmpRefusal, AHostThatIsGoneEndsItsRoom) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"gone", "alice", "bob"});
  ASSERT_EQ(room.size(), 3U);
  room[0].socket().close();
  std::optional<std::string> heard;
  const Deadline deadline = kPatience;
  while (JsonObject(heard.value_or("")).text("sender") != "system" && !deadline.passed()) {
    room[1].say("message");
    heard = room[2].hear();
  }
  while (heard && JsonObject(*heard).text("sender") != "system") heard = room[2].hear();
  EXPECT_EQ(JsonObject(heard.value_or("")).text("message"), "gone left");
  EXPECT_TRUE(room[2].hears_own_removal());
  EXPECT_EQ(TcpPeer(server().tcp()).join("room", fields_of("carol")).status(), 404);
}

TEST_F(IcmpRefusal, ANoticeOfRemovalToAClosedPortHarmsNobody) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto ending = make_room(server(), "ending", {"alice", "gone", "gone too"});
  auto staying = make_room(server(), "staying", {"carol", "dave"});
  ASSERT_EQ(ending.size(), 3U);
  ASSERT_EQ(staying.size(), 2U);
  ending[1].socket().close();
  ending[2].socket().close();
  ending[0].leave();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(staying[1].hears(staying[0].say("message " + std::to_string(i))));
  }
}

}  // namespace
}  // namespace chatd::test
