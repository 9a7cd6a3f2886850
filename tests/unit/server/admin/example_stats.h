// Snapshots for tests, in which every figure is another one.
#pragma once

#include <cstddef>
#include <cstdint>

#include "server/admin/server_stats.h"

namespace chatd::test {

// Counter `i` of the shard is base + i.
inline ServerStats::Shard shard_with(std::uint64_t base) {
  ServerStats::Shard shard;
  for (std::size_t i = 0; i < kCounterCount; ++i) {
    shard.counters.add(static_cast<Counter>(i), base + i);
  }
  shard.rooms = static_cast<std::uint32_t>(base + 1);
  shard.members = static_cast<std::uint32_t>(base + 2);
  shard.v2_members = static_cast<std::uint32_t>(base + 5);
  shard.pending_members = static_cast<std::uint32_t>(base + 3);
  shard.waiting_messages = static_cast<std::uint32_t>(base + 4);
  return shard;
}

inline ServerStats stats_of_two_shards() {
  ServerStats stats;
  stats.version = "1.2.3";
  stats.started_at_s = 1'700'000'000;
  stats.uptime_ms = 5000;
  stats.connections = 7;
  stats.process = {.resident_bytes = 12345, .open_descriptors = 19};
  stats.tls = {.address = "127.0.0.1:8001",
               .certificate_sha256 = "AB:CD",
               .certificate_expires_at_s = 2'000'000'000};
  stats.shards = {shard_with(1000), shard_with(2000)};
  return stats;
}

}  // namespace chatd::test
