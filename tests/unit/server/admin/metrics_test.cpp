#include "server/admin/documents.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "tests/unit/server/admin/example_stats.h"

namespace chatd::test {
namespace {

bool has_line(const std::string& text, const std::string& line) {
  std::istringstream in(text);
  for (std::string each; std::getline(in, each);) {
    if (each == line) return true;
  }
  return false;
}

TEST(Metrics, EveryCounterOfEveryShardIsThere) {
  const std::string text = metrics_text(stats_of_two_shards());
  for (const CounterSpec& row : counter_table()) {
    for (const std::uint64_t shard : {0u, 1u}) {
      std::string line = row.metric() + "{shard=\"" + std::to_string(shard) + "\"";
      if (!row.label.empty()) {
        line += "," + std::string(row.label) + "=\"" + std::string(row.value) + "\"";
      }
      line += "} " + std::to_string((shard + 1) * 1000 + static_cast<std::uint64_t>(row.counter));
      EXPECT_TRUE(has_line(text, line)) << line;
    }
  }
}

TEST(Metrics, GaugesAndTheProcess) {
  ServerStats stats = stats_of_two_shards();
  stats.is_draining = true;
  const std::string text = metrics_text(stats);
  for (const char* line :
       {"chatd_rooms{shard=\"0\"} 1001", "chatd_members{shard=\"1\"} 2002",
        "chatd_members_pending{shard=\"0\"} 1003", "chatd_messages_waiting{shard=\"1\"} 2004",
        "chatd_build_info{version=\"1.2.3\"} 1", "chatd_connections 7", "chatd_draining 1",
        "process_resident_memory_bytes 12345", "process_open_fds 19",
        "process_start_time_seconds 1700000000",
        "chatd_tls_certificate_expiry_timestamp_seconds 2000000000", "# TYPE chatd_rooms gauge",
        "# TYPE chatd_datagrams_received_total counter",
        "# TYPE chatd_relay_latency_seconds histogram"}) {
    EXPECT_TRUE(has_line(text, line)) << line << " is not in\n" << text;
  }
}

// Large numbers arrive whole, not as 1.23e+15.
TEST(Metrics, CountersKeepAllTheirDigits) {
  ServerStats stats = stats_of_two_shards();
  stats.shards.resize(1);
  stats.shards[0].counters = {};
  stats.shards[0].counters.add(Counter::kDeliveriesSent, 123'456'789'012'345);
  EXPECT_TRUE(
      has_line(metrics_text(stats), "chatd_deliveries_sent_total{shard=\"0\"} 123456789012345"));
}

TEST(Metrics, HistogramsAreCumulativeAndTheirBoundsHold) {
  ServerStats stats = stats_of_two_shards();
  RelayHistograms& histograms = stats.shards[0].histograms;
  for (const std::uint64_t receivers : {0u, 1u, 2u, 3u, 4u}) histograms.receivers.add(receivers);
  histograms.latency_us.add(999, 2);          // 512 to 1023 us
  histograms.latency_us.add(100'000'000, 1);  // above every bound
  const std::string text = metrics_text(stats);
  for (const char* line : {"chatd_message_receivers_bucket{shard=\"0\",le=\"0\"} 1",
                           "chatd_message_receivers_bucket{shard=\"0\",le=\"1\"} 2",
                           "chatd_message_receivers_bucket{shard=\"0\",le=\"3\"} 4",
                           "chatd_message_receivers_bucket{shard=\"0\",le=\"7\"} 5",
                           "chatd_message_receivers_bucket{shard=\"0\",le=\"+Inf\"} 5",
                           "chatd_message_receivers_count{shard=\"0\"} 5",
                           "chatd_relay_latency_seconds_bucket{shard=\"0\",le=\"0.000512\"} 0",
                           "chatd_relay_latency_seconds_bucket{shard=\"0\",le=\"0.001024\"} 2",
                           "chatd_relay_latency_seconds_bucket{shard=\"0\",le=\"+Inf\"} 3",
                           "chatd_relay_latency_seconds_count{shard=\"0\"} 3"}) {
    EXPECT_TRUE(has_line(text, line)) << line << " is not in\n" << text;
  }
}

}  // namespace
}  // namespace chatd::test
