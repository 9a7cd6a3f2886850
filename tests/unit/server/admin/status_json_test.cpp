#include "server/admin/documents.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>

#include "tests/support/json.h"
#include "tests/unit/server/admin/example_stats.h"

namespace chatd::test {
namespace {

TEST(StatusJson, HasEveryCounterSummedOverShards) {
  const JsonObject status(status_json(stats_of_two_shards()));
  ASSERT_TRUE(status.valid());
  const JsonObject counters = status.object("total").object("counters");
  for (std::size_t i = 0; i < kCounterCount; ++i) {
    const auto counter = static_cast<Counter>(i);
    EXPECT_EQ(counters.number(counter_name(counter)), static_cast<long>(3000 + 2 * i))
        << counter_name(counter);
  }
  EXPECT_EQ(status.object("total").number("rooms"), 3002);
  EXPECT_EQ(status.object("total").number("members"), 3004);
  EXPECT_EQ(status.object("total").number("v2_members"), 3010);
  EXPECT_EQ(status.object("total").number("pending_members"), 3006);
  EXPECT_EQ(status.object("total").number("waiting_messages"), 3008);
  EXPECT_EQ(status.number("connections"), 7);
  EXPECT_EQ(status.number("uptime_ms"), 5000);
  EXPECT_EQ(status.number("resident_bytes"), 12345);
  EXPECT_EQ(status.text("version"), "1.2.3");
  EXPECT_FALSE(status.flag("draining"));
  EXPECT_TRUE(status.is_array("shards"));
}

TEST(StatusJson, NamesTheTlsPortWhereThereIsOne) {
  ServerStats stats = stats_of_two_shards();
  const JsonObject tls = JsonObject(status_json(stats)).object("tls");
  EXPECT_EQ(tls.text("address"), "127.0.0.1:8001");
  EXPECT_EQ(tls.text("certificate_sha256"), "AB:CD");
  EXPECT_EQ(tls.number("certificate_expires_at_s"), 2'000'000'000);
  stats.tls.reset();
  EXPECT_EQ(status_json(stats).find("tls\":"), std::string::npos);
}

TEST(StatusJson, GroupsDropsByReason) {
  const JsonObject status(status_json(stats_of_two_shards()));
  const auto twice = [](Counter counter) { return 3000 + 2 * static_cast<long>(counter); };
  EXPECT_EQ(status.object("datagrams_dropped").number("malformed"),
            twice(Counter::kDroppedMalformed));
  EXPECT_EQ(status.object("deliveries_dropped").number("queue_full"),
            twice(Counter::kDroppedQueueFull));
  EXPECT_EQ(status.object("datagrams_dropped").keys().size(), 11u);
  EXPECT_EQ(status.object("deliveries_dropped").keys().size(), 11u);
}

}  // namespace
}  // namespace chatd::test
