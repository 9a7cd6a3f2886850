// What is written is read back unchanged, and what is not of the format is refused with a reason.
#include "bench/chatbench/report/formats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <cmath>
#include <limits>
#include <string>

#include "tests/unit/bench/example_result.h"

namespace chatd::bench {
namespace {

using testing::HasSubstr;

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what << " is not in the file";
  return text.replace(at, what.size(), with);
}

std::string error_of(const std::string& json) {
  const auto result = parse_json(json);
  EXPECT_FALSE(result) << json;
  return result ? "" : result.error();
}

TEST(JsonReport, IsReadBackUnchanged) {
  const RunResult result = example_result();
  const auto read = parse_json(to_json(result));
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(*read, result);
}

TEST(JsonReport, KeepsWhatWasNotMeasuredApartFromZero) {
  RunResult result = example_result();
  result.settings.loop = LoopKind::kClosed;
  result.settings.rate_per_s.reset();
  result.settings.window = 16;
  result.settings.gro = true;
  result.machine.governor.reset();
  result.joins.server_cpu_ns_per_join.reset();
  result.repairs.reset();
  result.server.reset();
  result.slo.reset();
  result.seconds.clear();
  result.response_time = LatencySummary();
  result.invalid_because = {"chatbench lagged.", "\"quoted\" \\ \n\x01 µ"};
  const auto read = parse_json(to_json(result));
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(*read, result);
  EXPECT_FALSE(read->is_valid());
}

TEST(JsonReport, HasStableKeysWithUnits) {
  simdjson::dom::parser parser;
  const simdjson::dom::element root = parser.parse(to_json(example_result()));
  EXPECT_EQ(std::string_view(root["schema"]), "chatbench.run");
  EXPECT_EQ(std::uint64_t(root["schema_version"]), 3u);
  EXPECT_EQ(std::string_view(root["settings"]["loop"]), "open");
  EXPECT_EQ(double(root["settings"]["rate_per_s"]), 2000);
  EXPECT_EQ(std::uint64_t(root["totals"]["lost_by"]["server_kernel"]), 5u);
  EXPECT_EQ(std::uint64_t(root["send_lag"]["p50_ns"]), 2000u);
  EXPECT_TRUE(root["send_lag"]["p99_99_ns"].is_null());
  EXPECT_EQ(double(root["server"]["cpu_ns_per_delivery"]), 11'113);
}

TEST(JsonReport, WritesNumbersThatJsonLacksAsNull) {
  RunResult result = example_result();
  result.own.cpu_share = std::numeric_limits<double>::quiet_NaN();
  result.rates.sent_per_s = std::numeric_limits<double>::infinity();
  const auto read = parse_json(to_json(result));
  ASSERT_TRUE(read) << read.error();
  EXPECT_TRUE(std::isnan(read->own.cpu_share));
  EXPECT_TRUE(std::isnan(read->rates.sent_per_s));
}

// A reader that knows nothing of it takes it for too late, and not for good.
TEST(JsonReport, WhatNeverCameIsAVeryLongTime) {
  RunResult result = example_result();
  Histogram response;
  for (int i = 0; i < 600; ++i) response.record(1'000);
  response.record_never(400);
  result.response_time = summarize(response);
  simdjson::dom::parser parser;
  const simdjson::dom::element root = parser.parse(to_json(result));
  EXPECT_EQ(std::uint64_t(root["response_time"]["count"]), 1'000u);
  EXPECT_EQ(std::uint64_t(root["response_time"]["never"]), 400u);
  EXPECT_EQ(std::uint64_t(root["response_time"]["p50_ns"]), 1'000u);
  EXPECT_EQ(std::uint64_t(root["response_time"]["p95_ns"]), kNever);
  EXPECT_EQ(std::uint64_t(root["response_time"]["max_ns"]), kNever);
  EXPECT_TRUE(root["response_time"]["mean_ns"].is_null());
  const auto read = parse_json(to_json(result));
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->response_time.percentiles_ns, result.response_time.percentiles_ns);
}

TEST(JsonReport, OfAnotherVersionIsRefused) {
  const std::string error = error_of(
      replaced(to_json(example_result()), "\"schema_version\": 3", "\"schema_version\": 4"));
  EXPECT_THAT(error, HasSubstr("version 3"));
  EXPECT_THAT(error, HasSubstr("reads version 3"));
}

TEST(JsonReport, ThatIsSomethingElseIsRefused) {
  EXPECT_THAT(error_of("{\"schema_version\": 1}"),
              HasSubstr("not a result of `chatbench run --json`"));
  EXPECT_THAT(error_of("{}"), HasSubstr("not a result"));
  EXPECT_THAT(error_of(""), HasSubstr("not a JSON object"));
  EXPECT_THAT(error_of("[1]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(error_of(to_json(example_result()).substr(0, 500)), HasSubstr("not a JSON object"));
}

TEST(JsonReport, NamesTheFieldAtFault) {
  const std::string json = to_json(example_result());
  EXPECT_EQ(error_of(replaced(json, "\"rooms\": 20", "\"zooms\": 20")),
            "settings.rooms is missing");
  EXPECT_EQ(error_of(replaced(json, "\"rooms\": 20", "\"rooms\": -20")),
            "settings.rooms is not a whole number");
  EXPECT_EQ(error_of(replaced(json, "\"kernel\": \"6.1.0-18-amd64\"", "\"kernel\": 6")),
            "machine.kernel is not a string");
  EXPECT_EQ(error_of(replaced(json, "\"server_kernel\": 5", "\"server_kernel\": null")),
            "totals.lost_by.server_kernel is not a whole number");
  EXPECT_EQ(error_of(replaced(json, "\"loop\": \"open\"", "\"loop\": \"ajar\"")),
            "settings.loop is neither \"open\" nor \"closed\"");
  EXPECT_EQ(error_of(replaced(json, "\"gro\": false", "\"gro\": 0")),
            "settings.gro is neither true nor false");
  EXPECT_EQ(error_of(replaced(json, "\"measure_s\": 2.0", "\"measure_s\": \"2\"")),
            "phases.measure_s is not a number");
  EXPECT_EQ(error_of(replaced(json, "\"invalid_because\": []", "\"invalid_because\": 0")),
            "invalid_because is not an array");
}

TEST(JsonReport, ErrorsOfAFileBeginWithItsPath) {
  const auto missing = load_json("/nonexistent/run.json");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error(), "/nonexistent/run.json: No such file or directory");
  const auto wrong = load_json("/dev/null");
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error(), testing::StartsWith("/dev/null: not a JSON object"));
  // Opens, and cannot be read.
  const auto folder = load_json("/tmp");
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error(), "/tmp: Is a directory");
  const auto endless = load_json("/dev/zero");
  ASSERT_FALSE(endless);
  EXPECT_THAT(endless.error(), testing::StartsWith("/dev/zero: larger than any result"));
}

}  // namespace
}  // namespace chatd::bench
