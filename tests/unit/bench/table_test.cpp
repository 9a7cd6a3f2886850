#include "bench/chatbench/report/formats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "bench/chatbench/report/units.h"
#include "tests/unit/bench/example_result.h"

namespace chatd::bench {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

TEST(Table, SaysWhatWasRunAndWhatCameOut) {
  const std::string table = to_table(example_result());
  EXPECT_THAT(table, HasSubstr("chatd over TLS, open loop (2,000/s messages, constant arrivals)"));
  EXPECT_THAT(table,
              HasSubstr("20 rooms × 10 members, 1 sender each, 128-byte payloads, UDP_GRO off"));
  EXPECT_THAT(table, HasSubstr("Linux 6.1.0-18-amd64, AMD EPYC 7B13, 2 cores"));
  EXPECT_THAT(table, ContainsRegex("Members joined +200 +20,000/s, in 10.0 ms, server CPU 12.3"));
  EXPECT_THAT(table, ContainsRegex("Messages sent +4,000 +2,000/s of 2,000/s scheduled"));
  EXPECT_THAT(table, ContainsRegex("Delivered +35,993 +17,996/s, payload 2.19 MiB/s"));
  EXPECT_THAT(table, ContainsRegex("Lost +7   0.02 %\n"
                                   " +2   dropped at our own receive buffer\n"
                                   " +5   dropped at the server's receive buffer\n"
                                   "Duplicated +1\n"));
  EXPECT_THAT(table, ContainsRegex("Server CPU +11.1 µs +per delivery"));
  EXPECT_THAT(table, HasSubstr("p99 < 5.00 ms                    met:    3.61 ms"));
  EXPECT_THAT(table, HasSubstr("loss = 0.00 %                    MISSED: 0.02 %"));
  EXPECT_THAT(table, Not(HasSubstr("INVALID")));
  EXPECT_THAT(table, Not(HasSubstr("\x1b"))) << "color is for terminals";
}

TEST(Table, ShowsRepairsOfProtocolsThatRepair) {
  RunResult result = example_result();
  EXPECT_THAT(to_table(result), ContainsRegex("Said again +11   datagrams\n"
                                              "Repairs asked +12\n"
                                              "Entries twice +13   that a member had already\n"
                                              "Entries lost +14   for good"));
  result.repairs.reset();
  EXPECT_THAT(to_table(result), Not(HasSubstr("Said again")));
}

TEST(Table, LeavesOutPercentilesWithTooFewSamples) {
  const std::string table = to_table(example_result());
  EXPECT_THAT(table, ContainsRegex("p99.9 +3.6[0-9] ms +n/a"));
  EXPECT_THAT(table, ContainsRegex("p99.999 +n/a +n/a"));
}

TEST(Table, WhatNeverCameIsLaterThanEverything) {
  RunResult result = example_result();
  EXPECT_THAT(to_table(result), Not(HasSubstr("never")));
  Histogram response;
  for (int i = 0; i < 600; ++i) response.record(1'000);
  response.record_never(400);
  result.response_time = summarize(response);
  const std::string table = to_table(result);
  EXPECT_THAT(table, HasSubstr("What was lost is in it as what never came"));
  EXPECT_THAT(table, ContainsRegex("p50 +1.00 µs"));
  EXPECT_THAT(table, ContainsRegex("p95 +never"));
  EXPECT_THAT(table, ContainsRegex("max +never"));
  EXPECT_THAT(table, ContainsRegex("mean +never"));
}

TEST(Table, OfNothingInventsNothing) {
  const std::string table = to_table(RunResult());
  EXPECT_THAT(table, ContainsRegex("min +n/a +n/a"));
  EXPECT_THAT(table, ContainsRegex("mean +n/a +n/a"));
  EXPECT_THAT(table, ContainsRegex("Server CPU +n/a +give --server-pid"));
}

TEST(Table, AnInvalidRunIsLoudAtBothEnds) {
  RunResult result = example_result();
  result.invalid_because = {"chatbench used 97 % of its core."};
  const std::string plain = to_table(result);
  EXPECT_THAT(plain, HasSubstr("**** INVALID: these figures are not what the server can do ****"));
  EXPECT_THAT(plain, HasSubstr("  * chatbench used 97 % of its core.\n"));
  EXPECT_THAT(plain, testing::EndsWith("INVALID, see above: do not quote these figures.\n"));
  EXPECT_THAT(to_table(result, TextStyle::kColor), HasSubstr("\x1b[1;31m******** INVALID"));
}

TEST(Table, AClosedLoopIsCalledOneAndHasNoSendLag) {
  RunResult result = example_result();
  result.settings.loop = LoopKind::kClosed;
  result.settings.rate_per_s.reset();
  result.settings.window = 16;
  result.rates.offered_per_s.reset();
  const std::string table = to_table(result);
  EXPECT_THAT(table, HasSubstr("closed loop (window of 16 in flight per room)"));
  EXPECT_THAT(table, Not(HasSubstr("open loop")));
  EXPECT_THAT(table, Not(HasSubstr("send lag")));
  EXPECT_THAT(table, Not(HasSubstr("scheduled")));
}

TEST(Table, FitsATerminalAndIsAligned) {
  std::istringstream lines(to_table(example_result()));
  std::size_t latency_width = 0;
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(width_of(line), 110u) << line;
    if (!line.starts_with("p9") || line.find('<') != std::string::npos) continue;
    if (latency_width == 0) latency_width = width_of(line);
    EXPECT_EQ(width_of(line), latency_width) << line;
  }
  EXPECT_GT(latency_width, 0u);
}

}  // namespace
}  // namespace chatd::bench
