// Draining: nobody new, members are told and go on talking, and chatd stops when they have gone.
#include <csignal>

#include "tests/e2e/chatd/server_test.h"

namespace chatd::test {
namespace {

constexpr std::string_view kNotice =
    R"({"sender":"Server","message":"This server is about to stop: please finish here and meet elsewhere"})";

class Drain : public ServerTest {};

TEST_F(Drain, EndsWhenTheLastMemberHasGone) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  server().process().kill(SIGUSR2);
  for (Member& member : room) EXPECT_TRUE(member.hears(kNotice));

  TcpPeer late(server().tcp());
  EXPECT_EQ(late.join("room", fields_of("late")).status(), 503);
  EXPECT_EQ(late.create("another", fields_of("late")).status(), 503);
  EXPECT_TRUE(late.request(list_request()).completed);
  EXPECT_TRUE(all_is_heard(room));
  EXPECT_TRUE(server().running());

  room[0].leave();  // the host: its room ends with it
  const auto status = server().process().wait_exit();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 0);
  EXPECT_NE(server().diagnosis().find("drained: the last member has gone"), std::string::npos);
  EXPECT_EQ(totals()["requests_refused"], 2U);
}

TEST_F(Drain, OfAnEmptyServerIsAStop) {
  ASSERT_NO_FATAL_FAILURE(start());
  EXPECT_TRUE(server().stop(SIGUSR2)) << server().diagnosis();
}

TEST_F(Drain, HasAnEnd) {
  ASSERT_NO_FATAL_FAILURE(start({"--drain-timeout", "300ms"}));
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  server().process().kill(SIGUSR2);
  const auto status = server().process().wait_exit();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 0);
  EXPECT_NE(server().diagnosis().find("2 members are disconnected"), std::string::npos)
      << server().diagnosis();
  EXPECT_EQ(totals()["members_disconnected"], 2U);
}

TEST_F(Drain, IsCutShortBySigterm) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  server().process().kill(SIGUSR2);
  EXPECT_TRUE(room[0].hears(kNotice));
  server().process().kill(SIGUSR2);
  EXPECT_TRUE(server().process().wait_for_text(Stream::kStderr, "draining already"));
  EXPECT_TRUE(server().stop(SIGTERM)) << server().diagnosis();
}

}  // namespace
}  // namespace chatd::test
