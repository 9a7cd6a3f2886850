// Loads with protocol v2: each member is a whole client, so that what is lost on the way is
// repaired, and the result says how often.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/chatbench/chatbench_program.h"

namespace chatd::test {
namespace {

using testing::HasSubstr;

class LoadV2 : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(server_.ready()) << server_.diagnosis(); }

  BenchRun run(const Arguments& more) {
    Arguments arguments =
        run_against(server_, {"--target", "chatd-v2", "--tcp-port",
                              std::to_string(server_.tls().port()), "--json", "-"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_chatbench(arguments);
  }

  static void expect_all_delivered(const BenchResult& result, std::uint32_t others) {
    ASSERT_TRUE(result.is_there());
    EXPECT_GT(result.number("/totals/sent"), 0);
    EXPECT_EQ(result.number("/totals/expected_deliveries"), result.number("/totals/sent") * others);
    EXPECT_EQ(result.number("/totals/delivered"), result.number("/totals/expected_deliveries"));
    for (const char* zero : {"/totals/lost", "/totals/duplicated", "/totals/reordered",
                             "/totals/foreign", "/totals/corrupted", "/repairs/entries_lost"}) {
      EXPECT_EQ(result.number(zero), 0) << zero;
    }
  }

  ChatdServer server_{{"--rate-limits", "off"}};
};

TEST_F(LoadV2, EverythingComesOnceAndInOrder) {
  const auto done = run({"--rooms", "3", "--members", "5", "--rate", "500", "--duration", "500ms"});
  EXPECT_EQ(done.exit_code, 0) << done.errors << done.output;
  const BenchResult result(done);
  EXPECT_EQ(result.number("/joins/count"), 15);
  EXPECT_EQ(result.number("/totals/sent"), 250);
  expect_all_delivered(result, 4);
}

// All members share a socket, which holds a few datagrams at a time.
TEST_F(LoadV2, WhatIsLostIsRepairedAndCounted) {
  const auto done = run({"--rooms", "1", "--members", "20", "--senders", "1", "--rate", "100",
                         "--duration", "500ms", "--gro", "off", "--receive-buffer", "8K"});
  EXPECT_EQ(done.exit_code, 3) << done.errors << done.output;
  const BenchResult result(done);
  EXPECT_THAT(result.invalid_because(), HasSubstr("receive buffer"));
  EXPECT_GT(result.number("/repairs/repairs_asked"), 0);
  expect_all_delivered(result, 19);
}

TEST_F(LoadV2, AMessageThatIsTooLongIsRefusedBeforeTheRun) {
  const auto done = run({"--rooms", "1", "--members", "2", "--size", "1101"});
  EXPECT_EQ(done.exit_code, 1) << done.output;
  EXPECT_THAT(done.errors, HasSubstr("at most 1100 bytes"));
}

TEST_F(LoadV2, MembersOfAMixedRoomGetTheSame) {
  const auto done = run({"--target", "chatd-mixed", "--rooms", "3", "--members", "5", "--senders",
                         "1", "--rate", "500", "--duration", "500ms"});
  EXPECT_EQ(done.exit_code, 0) << done.errors << done.output;
  const BenchResult result(done);
  EXPECT_EQ(result.number("/totals/sent"), 250);
  expect_all_delivered(result, 4);
  // The rooms have ended with their creators, who speak v1.
  const auto& totals = server_.stop();
  ASSERT_TRUE(totals);
  EXPECT_EQ((*totals)["rooms_created"], 3u);
  EXPECT_EQ((*totals)["rooms_closed"], 3u);
}

// The third room is one too many. The first two do not wait for their members' time to be up.
TEST(LoadV2HalfIn, LeavesNoRoomBehind) {
  ChatdServer server({"--rate-limits", "off", "--max-rooms", "2"});
  ASSERT_TRUE(server.ready()) << server.diagnosis();
  const auto done = run_chatbench(
      run_against(server, {"--target", "chatd-v2", "--tcp-port",
                           std::to_string(server.tls().port()), "--rooms", "3", "--members", "2"}));
  EXPECT_EQ(done.exit_code, 1) << done.errors << done.output;
  const auto& totals = server.stop();
  ASSERT_TRUE(totals);
  EXPECT_EQ((*totals)["rooms_created"], 2u) << totals->to_string();
  EXPECT_EQ((*totals)["leaves_sealed"], 2u) << totals->to_string();
}

// The fourth member is one too many: the second room has its creator alone, who speaks v1.
TEST(LoadV2HalfIn, LeavesNoMixedRoomBehind) {
  ChatdServer server({"--rate-limits", "off", "--max-members", "3"});
  ASSERT_TRUE(server.ready()) << server.diagnosis();
  const auto done = run_chatbench(run_against(
      server, {"--target", "chatd-mixed", "--tcp-port", std::to_string(server.tls().port()),
               "--rooms", "2", "--members", "2", "--senders", "1"}));
  EXPECT_EQ(done.exit_code, 1) << done.errors << done.output;
  const auto& totals = server.stop();
  ASSERT_TRUE(totals);
  EXPECT_EQ((*totals)["rooms_created"], 2u) << totals->to_string();
  EXPECT_EQ((*totals)["leaves"], 2u) << totals->to_string();
}

// If each join went to all who are in, there would be 4,950 datagrams to read before the
// measurement.
TEST_F(LoadV2, MembersHearOfAllJoinsAtOnce) {
  const auto done = run({"--rooms", "1", "--members", "100", "--senders", "1", "--rate", "10",
                         "--duration", "200ms"});
  EXPECT_EQ(done.exit_code, 0) << done.errors << done.output;
  expect_all_delivered(BenchResult(done), 99);
  const auto& totals = server_.stop();
  ASSERT_TRUE(totals);
  EXPECT_LT((*totals)["bundles_sent"], 1'500u);
}

TEST_F(LoadV2, InAMixedRoomOneSpeaks) {
  const auto done = run({"--target", "chatd-mixed", "--rooms", "1", "--members", "4"});
  EXPECT_EQ(done.exit_code, 1) << done.output;
  EXPECT_THAT(done.errors, HasSubstr("give --senders 1"));
}

// Protocol v1 repairs nothing.
TEST_F(LoadV2, WithoutItThereAreNoRepairs) {
  const auto done =
      run_chatbench(run_against(server_, {"--rooms", "1", "--members", "2", "--rate", "100",
                                          "--duration", "100ms", "--json", "-"}));
  EXPECT_EQ(done.exit_code, 0) << done.errors << done.output;
  EXPECT_THAT(done.output, HasSubstr("\"repairs\": null"));
}

}  // namespace
}  // namespace chatd::test
