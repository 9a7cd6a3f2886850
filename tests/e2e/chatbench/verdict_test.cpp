// Results that must not be taken for good, and command lines that cannot be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>

#include "server/os/unique_fd.h"
#include "tests/e2e/chatbench/chatbench_program.h"

namespace chatd::test {
namespace {

using testing::HasSubstr;

class Verdict : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(server_.ready()) << server_.diagnosis(); }

  BenchRun run(const Arguments& arguments) {
    return run_chatbench(run_against(server_, arguments));
  }

  ChatdServer server_;
};

// 2,000 messages under way to 100 members, into a buffer that holds a handful.
TEST_F(Verdict, OwnDropsMakeItInvalidAndTheLossIsOurs) {
  const auto done =
      run({"--rooms", "20", "--members", "100", "--window", "100", "--duration", "300ms", "--gro",
           "off", "--receive-buffer", "1", "--give-up", "50ms", "--drain", "100ms", "--json", "-"});
  EXPECT_EQ(done.exit_code, 3) << done.errors;
  const BenchResult result(done);
  ASSERT_TRUE(result.is_there());
  EXPECT_THAT(result.invalid_because(), HasSubstr("receive buffers overflowed"));
  EXPECT_GT(result.number("/totals/lost"), 0);
  EXPECT_EQ(result.number("/totals/expected_deliveries"),
            result.number("/totals/delivered") + result.number("/totals/lost"));
  EXPECT_GT(result.number("/totals/lost_by/chatbench_receive"), 0);
}

TEST_F(Verdict, ARateThatCannotBeSentIsInvalid) {
  const auto done = run({"--rooms", "1", "--members", "2", "--rate", "50e6", "--duration", "200ms",
                         "--warmup", "0", "--drain", "200ms", "--json", "-"});
  EXPECT_EQ(done.exit_code, 3) << done.errors;
  EXPECT_THAT(BenchResult(done).invalid_because(), HasSubstr("had not been sent"));
}

TEST_F(Verdict, NothingAtTheUdpPort) {
  Arguments arguments = run_against(server_, {"--rooms", "2", "--rate", "100", "--duration",
                                              "100ms", "--drain", "100ms", "--json", "-"});
  // chatd refuses members who claim its own port, so it is another one: nobody's.
  const SocketAddress nobody = [] {
    const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const SocketAddress any("127.0.0.1", 0);
    EXPECT_EQ(::bind(socket.get(), any.get(), any.size()), 0);
    return SocketAddress::local_of(socket.get());
  }();
  *(std::find(arguments.begin(), arguments.end(), "--udp-port") + 1) =
      std::to_string(nobody.port());
  const auto done = run_chatbench(arguments);
  EXPECT_EQ(done.exit_code, 3) << done.errors;
  EXPECT_THAT(BenchResult(done).invalid_because(), HasSubstr("not one delivery came"));
}

TEST_F(Verdict, AMissedSloHasAnExitCodeOfItsOwn) {
  const Arguments load{"--rooms", "2", "--rate", "2000", "--duration", "100ms", "--slo"};
  const auto with = [&](const std::string& slo) {
    Arguments arguments = load;
    arguments.push_back(slo);
    return run(arguments);
  };
  const auto missed = with("p50<1ns,loss=0");
  EXPECT_EQ(missed.exit_code, 99) << missed.errors << missed.output;
  EXPECT_THAT(missed.output, HasSubstr("MISSED"));
  const auto met = with("p50<20s,loss=0");
  EXPECT_EQ(met.exit_code, 0) << met.errors << met.output;
}

TEST_F(Verdict, TheSearchForTheHighestRateEnds) {
  // Nobody sends more than 150 a second and less.
  const auto done = run({"--rooms", "2", "--rate", "40", "--duration", "100ms", "--warmup", "0",
                         "--slo", "rate<=150", "--find-max"});
  EXPECT_EQ(done.exit_code, 0) << done.errors << done.output;
  EXPECT_THAT(done.errors, HasSubstr("40.0/s messages: holds"));
  EXPECT_THAT(done.errors, HasSubstr("missed"));
  EXPECT_THAT(done.errors, HasSubstr("highest rate that holds the SLO: 1"));
  EXPECT_THAT(done.output, HasSubstr("40.0/s   holds"));
}

TEST(ChatbenchUsage, WhatCannotBeIsRefusedInWords) {
  struct Case {
    Arguments flags;
    const char* told;
  };
  for (const Case& wrong : std::vector<Case>{
           {{"--size", "10"}, "42 to 4000 bytes"},
           {{"--size", "big"}, "'big' is not a size"},
           {{"--rooms", "0"}, "--rooms"},
           {{"--members", "1"}, "--members"},
           {{"--rooms", "1000000", "--members", "100"}, "at most 10000000"},
           {{"--senders", "11"}, "no 11 senders"},
           {{"--rate", "10", "--window", "2"}, "excludes"},
           {{"--window", "2", "--arrivals", "poisson"}, "excludes"},
           {{"--rate", "-1"}, "--rate"},
           {{"--rate", "nan"}, "'nan' is not a number from 0.001 to 100000000"},
           {{"--rate", "inf"}, "--rate"},
           {{"--rate", "1e308"}, "--rate"},
           {{"--rate", "1e999"}, "--rate"},
           {{"--rate", "1000x"}, "--rate"},
           {{"--rate", ""}, "--rate"},
           {{"--join-rate", "nan"}, "--join-rate"},
           {{"--join-rate", "-inf"}, "--join-rate"},
           {{"--rooms", "nan"}, "'nan' is not a whole number from 1 to 10000000"},
           {{"--rooms", "-1"}, "--rooms"},
           {{"--rooms", "1.5"}, "--rooms"},
           {{"--rooms", "1e3"}, "--rooms"},
           {{"--rooms", ""}, "--rooms"},
           {{"--rooms", "4294967297"}, "--rooms"},
           {{"--members", "0x10"}, "--members"},
           {{"--senders", "inf"}, "--senders"},
           {{"--window", "nan"}, "--window"},
           {{"--window", "99999999999999999999"}, "--window"},
           {{"--rooms", "1000", "--window", "65536"}, "65536000: at most 10000000"},
           {{"--seed", "-1"}, "--seed"},
           {{"--seed", "18446744073709551616"}, "--seed"},
           {{"--cpu", "-1"}, "--cpu"},
           {{"--cpu", "1024"}, "--cpu"},
           {{"--connections", "0"}, "--connections"},
           {{"--joins-per-connection", "nan"}, "--joins-per-connection"},
           {{"--sockets", "1e9"}, "--sockets"},
           {{"--first-address", "10.0.0.1"}, "is not an address in 127.0.0.0/8"},
           {{"--first-address", "::1"}, "is not an address in 127.0.0.0/8"},
           {{"--tcp-port", "0"}, "--tcp-port"},
           {{"--udp-port", "65536"}, "--udp-port"},
           {{"--server-pid", "nan"}, "--server-pid"},
           {{"--duration", "nan"}, "is not a duration"},
           {{"--duration", "infs"}, "is not a duration"},
           {{"--duration", "-1s"}, "is not a duration"},
           {{"--duration", "1e308s"}, "is not a duration"},
           {{"--duration", ""}, "is not a duration"},
           {{"--warmup", "nan"}, "is not a duration"},
           {{"--drain", "1e999"}, "is not a duration"},
           {{"--give-up", "-0.1"}, "is not a duration"},
           {{"--max-send-lag", "nanms"}, "is not a duration"},
           {{"--heartbeat", "nan"}, "is not a duration"},
           {{"--receive-buffer", "nan"}, "is not a size"},
           {{"--receive-buffer", "-1"}, "is not a size"},
           {{"--receive-buffer", "1e300G"}, "is not a size"},
           {{"--size", "nan"}, "is not a size"},
           {{"--size", ""}, "is not a size"},
           {{"--size", "64:99999999999999999999"}, "is not a size"},
           {{"--host", ""}, "--host"},
           {{"--json", ""}, "--json"},
           {{"--html", ""}, "--html"},
           {{"--html", "-"}, "a page goes to a file"},
           {{"--html", "/tmp/one", "--json", "/tmp/one"}, "is to hold the JSON"},
           {{"--slo", ""}, "begins with a metric"},
           {{"--slo", " "}, "begins with a metric"},
           {{"--slo", "", "--find-max"}, "begins with a metric"},
           {{"--slo", "p99<nanms"}, "not a duration"},
           {{"--slo", "p99<1e308s"}, "not a duration"},
           {{"--slo", "lost<inf"}, "not a number"},
           {{"--duration", "2 days"}, "is not a duration"},
           {{"--duration", "0"}, "nothing is measured"},
           {{"--gro", "maybe"}, "neither on nor off"},
           {{"--target", "irc"}, "irc"},
           {{"--slo", "p98<5ms"}, "p98"},
           {{"--find-max"}, "--slo"},
           {{"--find-max", "--slo", "loss=0", "--window", "2"}, "goes with --rate"},
           {{"--server-pid", "4194303"}, "there is no process"},
           {{"--heartbeat", "10us"}, "at least 1ms"},
           {{"--frobnicate"}, "--frobnicate"},
       }) {
    Arguments arguments{"run"};
    arguments.insert(arguments.end(), wrong.flags.begin(), wrong.flags.end());
    const auto done = run_chatbench(arguments);
    EXPECT_EQ(done.exit_code, 2) << testing::PrintToString(wrong.flags) << done.errors;
    EXPECT_THAT(done.errors, HasSubstr(wrong.told));
    EXPECT_EQ(done.output, "");
  }
  EXPECT_EQ(run_chatbench({}).exit_code, 2);
  EXPECT_EQ(run_chatbench({"fly"}).exit_code, 2);
  EXPECT_EQ(run_chatbench({"compare", "one.json"}).exit_code, 2);
}

TEST(ChatbenchUsage, HelpTellsTheExitCodes) {
  for (const Arguments& arguments : std::vector<Arguments>{{"--help"}, {"run", "--help"}}) {
    const auto done = run_chatbench(arguments);
    EXPECT_EQ(done.exit_code, 0);
    EXPECT_THAT(done.output, HasSubstr("99 the SLO was missed"));
  }
}

TEST(ChatbenchFailure, NoServer) {
  const auto done = run_chatbench({"run", "--tcp-port", "1", "--duration", "100ms"});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_THAT(done.errors, HasSubstr("is chatd running there?"));
}

TEST(ChatbenchFailure, AServerThatIsTooSmall) {
  ChatdServer server({"--max-members", "50"});
  ASSERT_TRUE(server.ready()) << server.diagnosis();
  const auto done = run_chatbench(run_against(server, {"--rooms", "10"}));
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_THAT(done.errors, HasSubstr("503"));
  EXPECT_THAT(done.errors, HasSubstr("--max-members"));
  // Those who had got in have left again: there is room for as many as there are places.
  const auto smaller =
      run_chatbench(run_against(server, {"--rooms", "5", "--duration", "100ms", "--rate", "100"}));
  EXPECT_EQ(smaller.exit_code, 0) << smaller.errors << smaller.output;
}

TEST(ChatbenchFailure, FilesThatCannotBe) {
  // Told before the run: there is no server, and that is not what it complains about.
  for (const char* flag : {"--json", "--html"}) {
    const auto done = run_chatbench({"run", "--tcp-port", "1", flag, "/nonexistent/out"});
    EXPECT_EQ(done.exit_code, 1);
    EXPECT_THAT(done.errors, HasSubstr("cannot write /nonexistent/out"));
  }
  EXPECT_EQ(run_chatbench({"compare", "/nonexistent/a.json", "/nonexistent/b.json"}).exit_code, 1);
  EXPECT_EQ(run_chatbench({"compare", "/dev/zero", "/dev/zero"}).exit_code, 1);
}

}  // namespace
}  // namespace chatd::test
