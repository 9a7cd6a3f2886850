// The same workload through each kind of server that chatbench knows: every delivery comes, to
// everyone but the sender, and the server's cost is known.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/chatbench/chatbench_program.h"
#include "tests/e2e/chatbench/other_server.h"
#include "tests/support/temporary_file.h"

namespace chatd::test {
namespace {

using testing::HasSubstr;

class Targets : public testing::TestWithParam<const char*> {
 protected:
  Targets() : server_(GetParam()) {}

  void SetUp() override {
    if (!server_.is_installed()) GTEST_SKIP() << server_.remedy();
    ASSERT_TRUE(server_.ready()) << server_.diagnosis();
  }

  // 12 members in 3 rooms, in a closed loop.
  void expect_all_delivered(const Arguments& more) {
    Arguments arguments{"run",   "--rooms", "3",   "--members", "4",     "--window",
                        "8",     "--json",  "-",   "--warmup",  "100ms", "--duration",
                        "300ms", "--drain", "20s", "--give-up", "20s"};
    for (const auto& flags : {server_.flags(), more}) {
      arguments.insert(arguments.end(), flags.begin(), flags.end());
    }
    const BenchRun run = run_chatbench(arguments);
    const BenchResult result(run);
    ASSERT_TRUE(result.is_there()) << run.errors << server_.diagnosis();
    EXPECT_EQ(result.number("/joins/count"), 12);
    EXPECT_GT(result.number("/totals/sent"), 0);
    EXPECT_EQ(result.number("/totals/expected_deliveries"), result.number("/totals/sent") * 3);
    EXPECT_EQ(result.number("/totals/delivered"), result.number("/totals/expected_deliveries"));
    for (const char* zero : {"/totals/lost", "/totals/duplicated", "/totals/reordered",
                             "/totals/foreign", "/totals/corrupted"}) {
      EXPECT_EQ(result.number(zero), 0) << zero;
    }
    EXPECT_GT(result.number("/server/cpu_ns_per_delivery"), 0);
  }

  OtherServer server_;
};

TEST_P(Targets, OneSpeaksInEachRoom) {
  expect_all_delivered({"--senders", "1"});
  EXPECT_TRUE(server_.stop());
}

TEST_P(Targets, EverybodySpeaks) {
  expect_all_delivered({"--senders", "4"});
}

TEST_P(Targets, TrainsOrNoTrains) {
  expect_all_delivered({"--senders", "1", "--gro", "off", "--gso", "off"});
  expect_all_delivered({"--senders", "2", "--size", "64-512"});
}

TEST_P(Targets, NobodyIsThere) {
  const Arguments flags = server_.flags_without_pid();
  ASSERT_TRUE(server_.stop());
  Arguments arguments{"run", "--rooms", "1", "--members", "2", "--duration", "100ms"};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  const BenchRun run = run_chatbench(arguments);
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_NE(run.errors, "");
}

INSTANTIATE_TEST_SUITE_P(All, Targets,
                         testing::Values("naive", "lower-bound", "redis", "nats", "mosquitto",
                                         "redis-tls", "nats-tls", "mosquitto-tls"),
                         [](const auto& test) { return test_name(test.param); });

class TargetsWithTls : public Targets {
 protected:
  // An attempt to get one room's members in.
  BenchRun run(const Arguments& more) {
    Arguments arguments{"run", "--rooms", "1", "--members", "2", "--duration", "100ms"};
    for (const auto& flags : {server_.flags_without_pid(), more}) {
      arguments.insert(arguments.end(), flags.begin(), flags.end());
    }
    return run_chatbench(arguments);
  }
};

// Whoever answers in the broker's place would be measured instead.
TEST_P(TargetsWithTls, ABrokerWithAnotherCertificateIsRefused) {
  const TemporaryFile another(OtherServer::make_certificate());
  const BenchRun done = run({"--tls-ca", another.path()});
  EXPECT_EQ(done.exit_code, 1) << done.output;
  EXPECT_THAT(done.errors, HasSubstr("its certificate is not good by --tls-ca"));
}

// The certificate is for 127.0.0.1 and localhost.
TEST_P(TargetsWithTls, ABrokerWithAnotherNameIsRefused) {
  const BenchRun done = run({"--host", "127.1"});
  EXPECT_EQ(done.exit_code, 1) << done.output;
  EXPECT_THAT(done.errors, HasSubstr("its certificate is not good by --tls-ca"));
  EXPECT_EQ(run({"--host", "localhost", "--rate", "10"}).exit_code, 0);
}

INSTANTIATE_TEST_SUITE_P(All, TargetsWithTls,
                         testing::Values("redis-tls", "nats-tls", "mosquitto-tls"),
                         [](const auto& test) { return test_name(test.param); });

// Redis says nothing to what it takes for the beginning of a command, so that one is given up only
// when its time is over.
class TargetsInClear : public TargetsWithTls {};

TEST_P(TargetsInClear, DoNotSpeakTls) {
  const TemporaryFile certificate(OtherServer::make_certificate());
  const BenchRun done = run({"--tls-ca", certificate.path()});
  EXPECT_EQ(done.exit_code, 1) << done.output;
  EXPECT_THAT(done.errors, HasSubstr("ended a connection while members joined"));
}

INSTANTIATE_TEST_SUITE_P(All, TargetsInClear, testing::Values("nats", "mosquitto"),
                         [](const auto& test) { return test_name(test.param); });

TEST(TlsOption, IsForBrokersWithACertificate) {
  for (const char* target : {"chatd", "chatd-v2", "naive"}) {
    const BenchRun done = run_chatbench({"run", "--target", target, "--tls-ca", "/dev/null"});
    EXPECT_EQ(done.exit_code, 2) << done.output;
    EXPECT_THAT(done.errors, HasSubstr("--tls-ca is for brokers"));
  }
  const BenchRun done =
      run_chatbench({"run", "--target", "redis", "--host", "127.0.0.1", "--tls-ca", "/dev/null"});
  EXPECT_EQ(done.exit_code, 1) << done.output;
  EXPECT_THAT(done.errors, HasSubstr("no certificate can be read from /dev/null"));
}

// Each member of a broker is a TCP connection, and so a descriptor.
TEST(TargetsWithFewDescriptors, ABrokersMembersAreTooMany) {
  ProcessOptions options;
  options.max_open_files = {100, 100};
  Process process({CHATBENCH_PROGRAM, "run", "--target", "redis", "--rooms", "1", "--members",
                   "1000", "--duration", "1s"},
                  options);
  const auto status = process.wait_exit();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 1);
  const std::string said = process.captured(Stream::kStderr);
  EXPECT_NE(said.find("1032 file descriptors, and the limit is 100"), std::string::npos) << said;
  EXPECT_NE(said.find("fewer members"), std::string::npos) << said;
}

}  // namespace
}  // namespace chatd::test
