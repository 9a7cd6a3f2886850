// Control connections that dribble, stall, never read, come by the thousand, or take the last
// descriptor: each costs itself and nobody else.
#include <sys/socket.h>

#include <algorithm>

#include "tests/e2e/chatd/server_test.h"
#include "tests/support/process_figures.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

class Connections : public ServerTest {
 protected:
  // A session that must go on whatever the connections do.
  void start_talking(std::vector<std::string> flags) {
    ASSERT_NO_FATAL_FAILURE(start(std::move(flags)));
    talk_ = make_room(server(), "talk", {"alice", "bob"});
    ASSERT_EQ(talk_.size(), 2U);
  }
  void converse() { ASSERT_TRUE(talk_[1].hears(talk_[0].say("over and out"))); }

  // The server's processor time while the session goes on at a leisurely pace for this long.
  milliseconds cpu_time_while_talking(milliseconds wall) {
    const milliseconds before = cpu_time(server().pid());
    const auto end = SteadyClock::now() + wall;
    UdpPeer nobody;
    while (SteadyClock::now() < end) {
      converse();
      nobody.receive(milliseconds(10));
    }
    return cpu_time(server().pid()) - before;
  }

  bool serves() {
    return TcpPeer(server().tcp()).join("none", fields_of("prober")).status() == 404;
  }

 private:
  std::vector<Member> talk_;
};

TEST_F(Connections, ASilentOneIsClosedAtTheHandshakeTimeout) {
  ASSERT_NO_FATAL_FAILURE(start_talking({"--handshake-timeout", "300ms"}));
  const auto began = SteadyClock::now();
  TcpPeer silent(server().tcp());
  TcpPeer half_a_frame(server().tcp());
  ASSERT_TRUE(half_a_frame.send(encode(join_request("talk", "carol")).substr(0, 50)));
  EXPECT_NE(silent.wait_end(), StreamEnd::kOpen);
  EXPECT_GE(SteadyClock::now() - began, milliseconds(290));
  EXPECT_NE(half_a_frame.wait_end(), StreamEnd::kOpen);
  EXPECT_NO_FATAL_FAILURE(converse());
  EXPECT_EQ(totals()["connections_timed_out"], 2U);
}

TEST_F(Connections, DribblingDoesNotPutTheTimeoutOff) {
  ASSERT_NO_FATAL_FAILURE(start_talking({"--handshake-timeout", "300ms"}));
  TcpPeer dribbling(server().tcp());
  ASSERT_TRUE(dribbling.read_greeting());
  ASSERT_TRUE(dribbling.send(encode_header(4, kJoinRoom, kRequest, 10'000)));
  const Deadline deadline = kPatience;
  while (dribbling.wait_end(milliseconds(5)) == StreamEnd::kOpen && !deadline.passed()) {
    dribbling.send_some("x");
    ASSERT_NO_FATAL_FAILURE(converse());
  }
  EXPECT_FALSE(deadline.passed());
  EXPECT_EQ(totals()["connections_timed_out"], 1U);
}

TEST_F(Connections, ACompletedRequestStartsTheTimeoutAnew) {
  ASSERT_NO_FATAL_FAILURE(start_talking({"--handshake-timeout", "500ms", "--rate-limits", "off"}));
  TcpPeer busy(server().tcp());
  const auto end = SteadyClock::now() + milliseconds(1200);
  while (SteadyClock::now() < end) {
    ASSERT_EQ(busy.request(join_request("none", "carol")).status(), 404);
    ASSERT_NO_FATAL_FAILURE(converse());
  }
  EXPECT_NE(busy.wait_end(), StreamEnd::kOpen);
}

// With most places taken, time counts from what a connection has done last, as always; it is only
// shorter for one that has been served.
TEST_F(Connections, WhenMostPlacesAreTakenThoseWhoAskStayAndThoseWhoIdleGo) {
  ASSERT_NO_FATAL_FAILURE(
      start({"--max-connections", "8", "--handshake-timeout", "4s", "--rate-limits", "off"}));
  const auto is_served = [](TcpPeer& peer) {
    return peer.request(join_request("none", "carol")).status() == 404;
  };
  std::vector<TcpPeer> busy;
  for (int i = 0; i < 6; ++i) {
    busy.emplace_back(server().tcp());
    ASSERT_TRUE(busy.back().read_greeting());
  }
  TcpPeer silent(server().tcp());  // its time tells when that of the busy ones, who came before, is
  ASSERT_TRUE(silent.read_greeting());  // over, had it counted from when they were accepted
  TcpPeer idle(server().tcp());
  ASSERT_TRUE(is_served(idle));

  bool has_idle_gone = false;
  const Deadline deadline = kPatience;
  while (silent.wait_end(milliseconds(20)) == StreamEnd::kOpen && !deadline.passed()) {
    for (TcpPeer& peer : busy) ASSERT_TRUE(is_served(peer));
    has_idle_gone = has_idle_gone || idle.wait_end(milliseconds(0)) != StreamEnd::kOpen;
  }
  EXPECT_FALSE(deadline.passed());
  EXPECT_TRUE(has_idle_gone) << "it kept a scarce place as long as one that was never served";
  for (TcpPeer& peer : busy) EXPECT_TRUE(is_served(peer));
  EXPECT_EQ(totals()["connections_timed_out"], 2U);
}

TEST_F(Connections, AThousandAtOnceAreServed) {
  raise_own_open_files_limit();
  ASSERT_NO_FATAL_FAILURE(start_talking({}));
  std::vector<TcpPeer> peers;
  constexpr std::size_t kPeers = 1000;
  for (std::size_t i = 0; i < kPeers; ++i) {
    peers.emplace_back(server().tcp());
    ASSERT_TRUE(peers.back().connected());
  }
  // All are open, and each has sent its request, before the first answer is read.
  for (std::size_t i = 0; i < kPeers; ++i) {
    ASSERT_TRUE(peers[i].send(encode(create_request("room " + std::to_string(i), "host"))));
  }
  for (std::size_t i = 0; i < kPeers; ++i) {
    ASSERT_TRUE(peers[i].read_greeting()) << i;
    ASSERT_EQ(peers[i].read_answer().status(), 201) << i;
  }
  EXPECT_NO_FATAL_FAILURE(converse());
  // Stalled as they are now, they are in nobody's way.
  EXPECT_TRUE(serves());
  EXPECT_GE(totals()["connections_accepted"], kPeers);
}

TEST_F(Connections, ThoseThatVanishLeaveNothingBehind) {
  ASSERT_NO_FATAL_FAILURE(start_talking({}));
  const std::size_t before = open_descriptors(server().pid());
  for (int i = 0; i < 1000; ++i) {
    TcpPeer peer(server().tcp());
    if (i % 3 == 0) peer.send(encode(list_request()));
    if (i % 3 == 1) peer.send(encode(join_request("none", "carol")).substr(0, 40));
    const linger reset{.l_onoff = 1, .l_linger = 0};
    if (i % 2 == 0) ::setsockopt(peer.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  EXPECT_NO_FATAL_FAILURE(converse());
  EXPECT_TRUE(wait_until([&] { return open_descriptors(server().pid()) <= before; }));
  EXPECT_TRUE(serves());
}

TEST_F(Connections, ThoseOverTheLimitAreTold503) {
  ASSERT_NO_FATAL_FAILURE(start_talking({"--max-connections", "10"}));
  std::vector<TcpPeer> peers;
  for (int i = 0; i < 10; ++i) {
    peers.emplace_back(server().tcp());
    ASSERT_EQ(peers.back().request(join_request("none", "carol")).status(), 404);
  }
  for (const Frame& request :
       {create_request("room", "carol"), join_request("talk", "carol"), list_request()}) {
    TcpPeer over(server().tcp());
    ASSERT_TRUE(over.read_greeting());
    const Answer answer = over.request(request);
    ASSERT_EQ(answer.status(), 503);
    EXPECT_EQ(answer.accepted_status(), request.operation == kListRooms ? -1 : 202);
    EXPECT_EQ(answer.completed->operation, request.operation);
    EXPECT_EQ(over.wait_end(), StreamEnd::kOrderly);
  }
  EXPECT_NO_FATAL_FAILURE(converse());
  peers.pop_back();
  EXPECT_TRUE(wait_until([&] { return serves(); }));
  EXPECT_GE(totals()["connections_over_limit"], 3U);
}

TEST_F(Connections, ThoseFarOverTheLimitAreClosed) {
  ASSERT_NO_FATAL_FAILURE(start_talking({"--max-connections", "10", "--handshake-timeout", "60s"}));
  std::vector<TcpPeer> peers;
  for (int i = 0; i < 10 + 64 + 30; ++i) peers.emplace_back(server().tcp());
  // Not the last ones, necessarily: places come free while those with whom the talk began go.
  EXPECT_TRUE(wait_until([&] {
    return std::ranges::count_if(peers, [](TcpPeer& peer) {
             return peer.wait_end(milliseconds(0)) != StreamEnd::kOpen;
           }) >= 30;
  }));
  EXPECT_EQ(peers.front().request(join_request("none", "carol")).status(), 404);
  EXPECT_NO_FATAL_FAILURE(converse());
  peers.clear();
  EXPECT_TRUE(wait_until([&] { return serves(); }));
}

// One room list is some 40 KiB here: whoever asks for it over and over and reads none of it would
// fill any memory that is not bounded.
TEST_F(Connections, OneThatNeverReadsIsBounded) {
  ASSERT_NO_FATAL_FAILURE(start_talking({"--rate-limits", "off"}));
  TcpPeer control(server().tcp());
  for (int i = 0; i < 500; ++i) {
    ASSERT_EQ(control.create("room " + std::to_string(i), fields_of("host")).status(), 201);
  }
  const std::size_t memory_before = resident_bytes(server().pid());
  std::vector<TcpPeer> greedy;
  for (int i = 0; i < 5; ++i) greedy.emplace_back(server().tcp());
  std::string requests;
  for (int i = 0; i < 100; ++i) requests += encode(list_request());
  std::size_t most = memory_before;
  // Until none of them could send for a while (the server does not read on, as long as its answers
  // are not read), or all are closed.
  const Deadline deadline = kPatience;
  for (int quiet_rounds = 0; quiet_rounds < 50 && !deadline.passed(); ++quiet_rounds) {
    for (TcpPeer& peer : greedy) {
      if (peer.send_some(requests) > 0) quiet_rounds = 0;
    }
    ASSERT_NO_FATAL_FAILURE(converse());
    most = std::max(most, resident_bytes(server().pid()));
  }
  EXPECT_FALSE(deadline.passed()) << "the server reads on and on";
  // A sanitizer keeps freed memory aside for a while.
  if (!CHATD_SANITIZED) {
    EXPECT_LT(most, memory_before + (16U << 20U));
  }
  EXPECT_TRUE(serves());
}

TEST_F(Connections, RunningOutOfDescriptorsNeitherSpinsNorStrands) {
  ASSERT_NO_FATAL_FAILURE(start_talking({"--handshake-timeout", "60s"}));
  const std::uint64_t limit_before = soft_open_files_limit(server().pid());
  const std::size_t open_before = open_descriptors(server().pid());
  set_soft_open_files_limit(server().pid(), open_before + 5);
  std::vector<TcpPeer> peers;
  for (int i = 0; i < 40; ++i) {
    peers.emplace_back(server().tcp());
    ASSERT_TRUE(peers.back().connected());
  }
  // Those beyond the limit wait in the queue (or were refused); the session does not care, and
  // the server does not try again and again.
  constexpr milliseconds kWall{500};
  EXPECT_LT(cpu_time_while_talking(kWall), kWall / (CHATD_SANITIZED ? 1 : 4));

  // Those that were served go, and whoever waited has its turn, or was told by a close.
  for (std::size_t i = 0; i < peers.size(); ++i) {
    if (const auto greeting = peers[i].read_greeting(); !greeting) {
      ASSERT_NE(peers[i].wait_end(milliseconds(0)), StreamEnd::kOpen) << i << " is stranded";
    }
    TcpPeer closing = std::move(peers[i]);
  }
  EXPECT_TRUE(wait_until([&] { return serves(); }));
  set_soft_open_files_limit(server().pid(), limit_before);
  EXPECT_TRUE(wait_until([&] { return open_descriptors(server().pid()) <= open_before; }));
}

TEST_F(Connections, DescriptorsThatComeBackByAHigherLimitAreUsed) {
  ASSERT_NO_FATAL_FAILURE(start_talking({"--handshake-timeout", "60s"}));
  const std::uint64_t limit_before = soft_open_files_limit(server().pid());
  set_soft_open_files_limit(server().pid(), open_descriptors(server().pid()));
  std::vector<TcpPeer> peers;
  for (int i = 0; i < 10; ++i) peers.emplace_back(server().tcp());
  ASSERT_NO_FATAL_FAILURE(converse());
  set_soft_open_files_limit(server().pid(), limit_before);
  // No event tells the server of it; another connection, or time, must do.
  EXPECT_TRUE(serves());
  for (std::size_t i = 0; i < peers.size(); ++i) {
    if (const auto greeting = peers[i].read_greeting(); !greeting) {
      ASSERT_NE(peers[i].wait_end(milliseconds(0)), StreamEnd::kOpen) << i << " is stranded";
    }
  }
}

TEST_F(Connections, AnIdleServerUsesNoProcessorTime) {
  ASSERT_NO_FATAL_FAILURE(start_talking({}));
  TcpPeer idle(server().tcp());
  ASSERT_TRUE(idle.read_greeting());
  constexpr milliseconds kWall{400};
  EXPECT_LT(cpu_time_while_talking(kWall), kWall / (CHATD_SANITIZED ? 1 : 4));
}

}  // namespace
}  // namespace chatd::test
