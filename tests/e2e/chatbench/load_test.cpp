// Loads that the real chatd carries: every delivery is there, and the figures are those that the
// server counted itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "tests/e2e/chatbench/chatbench_program.h"
#include "tests/support/tcp_peer.h"
#include "tests/support/wire.h"

namespace chatd::test {
namespace {

using testing::HasSubstr;

class Load : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(server_.ready()) << server_.diagnosis(); }

  BenchRun run(const Arguments& arguments) {
    return run_chatbench(run_against(server_, arguments));
  }

  // The books close, everything came once and in order, and it is what the server sent.
  void expect_all_delivered(const BenchResult& result, std::uint32_t others) {
    ASSERT_TRUE(result.is_there());
    EXPECT_EQ(result.invalid_because(), "");
    EXPECT_GT(result.number("/totals/sent"), 0);
    EXPECT_EQ(result.number("/totals/expected_deliveries"), result.number("/totals/sent") * others);
    EXPECT_EQ(result.number("/totals/delivered"), result.number("/totals/expected_deliveries"));
    for (const char* zero : {"/totals/lost", "/totals/duplicated", "/totals/reordered",
                             "/totals/foreign", "/totals/corrupted"}) {
      EXPECT_EQ(result.number(zero), 0) << zero;
    }
    EXPECT_EQ(result.number("/response_time/count"), result.number("/totals/delivered"));
    // It left nothing behind: its rooms are gone with their creators.
    const auto& totals = server_.stop();
    ASSERT_TRUE(totals);
    EXPECT_EQ((*totals)["rooms_closed"], (*totals)["rooms_created"]);
    EXPECT_EQ(totals->sum_of("dropped_"), 0u);
    EXPECT_EQ((*totals)["deliveries_planned"], (*totals)["messages_accepted"] * others);
    EXPECT_GE(static_cast<double>((*totals)["messages_accepted"]), result.number("/totals/sent"));
  }

  ChatdServer server_;
};

TEST_F(Load, OpenLoopKeepsTheRate) {
  const auto done = run(
      {"--rooms", "20", "--members", "10", "--rate", "2000", "--duration", "500ms", "--json", "-"});
  EXPECT_EQ(done.exit_code, 0) << done.errors << done.output;
  const BenchResult result(done);
  EXPECT_EQ(result.number("/totals/sent"), 1000);
  EXPECT_EQ(result.number("/joins/count"), 200);
  EXPECT_EQ(result.text("/settings/loop"), "open");
  expect_all_delivered(result, 9);
}

// An open loop does not wait for a server that is busy with something else.
TEST_F(Load, HandOversCostNoDelivery) {
  Process chatbench = start_chatbench(
      run_against(server_, {"--rooms", "5", "--members", "8", "--rate", "2000", "--duration", "8s",
                            "--one-socket-per-client", "--json", "-"}));
  ASSERT_TRUE(server_.process().wait_for_line(Stream::kStderr, "room \"")) << server_.diagnosis();
  // On a busy machine there is time for fewer.
  int hand_overs = 0;
  for (; hand_overs < 10 && chatbench.running(); ++hand_overs) {
    ASSERT_TRUE(server_.hand_over()) << hand_overs << server_.diagnosis();
  }
  EXPECT_GE(hand_overs, 3);
  const BenchRun done = finish(chatbench);
  EXPECT_EQ(done.exit_code, 0) << done.errors << done.output;
  expect_all_delivered(BenchResult(done), 7);
}

TEST_F(Load, PoissonArrivalsOfManySizesWithoutGro) {
  const auto done = run(
      {"--rooms", "5",          "--members", "4",          "--senders", "2",      "--rate",
       "1000",    "--duration", "500ms",     "--arrivals", "poisson",   "--size", "64-512,1400:1",
       "--gro",   "off",        "--seed",    "7",          "--json",    "-"});
  EXPECT_EQ(done.exit_code, 0) << done.errors << done.output;
  const BenchResult result(done);
  EXPECT_NEAR(result.number("/totals/sent"), 500, 150);
  expect_all_delivered(result, 3);
}

TEST_F(Load, ClosedLoopSaysThatItIsOne) {
  const auto done = run({"--rooms", "2", "--members", "50", "--window", "16", "--duration", "300ms",
                         "--server-pid", std::to_string(server_.pid()), "--json", "-"});
  // Beside other tests chatbench may be short of processor time, and must say so.
  EXPECT_TRUE(done.exit_code == 0 || done.exit_code == 3) << done.errors << done.output;
  const BenchResult result(done);
  EXPECT_EQ(result.text("/settings/loop"), "closed");
  EXPECT_EQ(result.number("/settings/window"), 16);
  EXPECT_GT(result.number("/server/cpu_ns_per_delivery"), 0);
  EXPECT_GT(result.number("/server/resident_bytes_joined"), 1e6);
  EXPECT_GT(result.number("/joins/server_cpu_ns_per_join"), 0);
  EXPECT_EQ(result.number("/send_lag/count"), 0);
  if (done.exit_code == 0) expect_all_delivered(result, 49);
}

TEST_F(Load, JoinsPipelinedOnConnectionsOfMembersWhoShareAnAddress) {
  const auto done =
      run({"--rooms", "100", "--members", "7", "--joins-per-connection", "16", "--connections", "5",
           "--rate", "500", "--duration", "300ms", "--json", "-"});
  EXPECT_EQ(done.exit_code, 0) << done.errors << done.output;
  const BenchResult result(done);
  EXPECT_EQ(result.number("/joins/count"), 700);
  expect_all_delivered(result, 6);
  EXPECT_EQ((*server_.stop())["connections_accepted"], (700 + 15) / 16u);
}

TEST_F(Load, ASocketForEachClient) {
  const auto done =
      run({"--rooms", "10", "--members", "10", "--one-socket-per-client", "--joins-per-connection",
           "25", "--rate", "500", "--duration", "300ms", "--json", "-"});
  EXPECT_EQ(done.exit_code, 0) << done.errors << done.output;
  const BenchResult result(done);
  EXPECT_EQ(result.text("/settings/sockets"), "own");
  expect_all_delivered(result, 9);
}

// Whose rooms they are depends on it: the server lets each address open one.
TEST(LoadFromAnAddress, TwoRunsAreOfTwoPeople) {
  ChatdServer server({"--limit-loopback", "--max-address-rooms", "1"});
  ASSERT_TRUE(server.ready()) << server.diagnosis();
  TcpPeer owner(server.tcp(), "127.77.0.1");
  ASSERT_EQ(owner.create("room", {.username = "alice"}).status(), 201);
  const Arguments one_room{"--rooms",    "1",     "--members",      "3", "--rate", "100",
                           "--duration", "100ms", "--first-address"};
  const auto run_from = [&](const char* address) {
    Arguments arguments = one_room;
    arguments.emplace_back(address);
    return run_chatbench(run_against(server, arguments));
  };
  EXPECT_EQ(run_from("127.77.0.2").exit_code, 0);
  const auto same = run_from("127.77.0.1");
  EXPECT_EQ(same.exit_code, 1) << same.output;
  EXPECT_THAT(same.errors, HasSubstr("429"));
}

// Four members speak, the rest only listens for three times as long as chatd waits for them.
TEST(LongLoad, HeartbeatsKeepSilentMembers) {
  ChatdServer server({"--idle-timeout", "400ms"});
  ASSERT_TRUE(server.ready()) << server.diagnosis();
  const auto done = run_chatbench(
      run_against(server, {"--rooms", "4", "--members", "10", "--senders", "1", "--rate", "200",
                           "--heartbeat", "100ms", "--duration", "1200ms", "--json", "-"}));
  EXPECT_EQ(done.exit_code, 0) << done.errors << done.output;
  const auto& totals = server.stop();
  ASSERT_TRUE(totals);
  EXPECT_EQ((*totals)["members_timed_out"], 0u);
  EXPECT_GE((*totals)["heartbeats"], 40u);
}

TEST(LoadOverIPv6, EachMemberHasASocket) {
  ChatdServer server({"--host", "::1"});
  ASSERT_TRUE(server.ready()) << server.diagnosis();
  const auto done = run_chatbench(run_against(server, {"--rooms", "4", "--joins-per-connection",
                                                       "5", "--duration", "200ms", "--json", "-"}));
  EXPECT_EQ(done.exit_code, 0) << done.errors << done.output;
  EXPECT_THAT(done.errors, HasSubstr("a socket of its own"));
  const BenchResult result(done);
  EXPECT_EQ(result.number("/totals/delivered"), 200 * 9);
  EXPECT_EQ(result.text("/settings/sockets"), "own");
}

TEST_F(Load, JoinsAtARate) {
  const auto done = run({"--rooms", "10", "--members", "10", "--join-rate", "200", "--rate", "100",
                         "--duration", "100ms", "--json", "-"});
  EXPECT_EQ(done.exit_code, 0) << done.errors << done.output;
  const BenchResult result(done);
  EXPECT_GE(result.number("/joins/seconds"), 0.49);
  expect_all_delivered(result, 9);
}

TEST_F(Load, ReportsForPeopleAndForPrograms) {
  const std::string stem = testing::TempDir() + "chatbench-" + std::to_string(server_.pid());
  const auto done = run({"--rooms", "3", "--rate", "200", "--duration", "200ms", "--json",
                         stem + ".json", "--html", stem + ".html"});
  EXPECT_EQ(done.exit_code, 0) << done.errors << done.output;
  EXPECT_THAT(done.output, HasSubstr("open loop"));
  EXPECT_THAT(done.output, HasSubstr("3 rooms"));
  EXPECT_EQ(done.errors, "");  // no terminal, no progress
  std::ostringstream page;
  page << std::ifstream(stem + ".html").rdbuf();
  EXPECT_THAT(page.str(), HasSubstr("<html"));

  const auto compared = run_chatbench({"compare", stem + ".json", stem + ".json"});
  EXPECT_EQ(compared.exit_code, 0) << compared.errors;
  EXPECT_THAT(compared.output, HasSubstr("p50"));
  std::remove((stem + ".json").c_str());
  std::remove((stem + ".html").c_str());
}

}  // namespace
}  // namespace chatd::test
