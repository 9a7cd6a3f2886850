// A run's result with a value of its own in every field.
#pragma once

#include <string>

#include "bench/chatbench/report/run_result.h"

namespace chatd::bench {

inline RunResult example_result() {
  RunResult result;
  result.tool_version = "0.1.0";
  result.started_at = "2024-05-06T07:08:09Z";
  result.settings.rooms = 20;
  result.settings.members_per_room = 10;
  result.settings.senders_per_room = 1;
  result.settings.size_bytes = "128";
  result.settings.rate_per_s = 2000;
  result.settings.tls = true;
  result.settings.seed = 42;
  result.settings.connections = 4;
  result.machine = {.kernel = "6.1.0-18-amd64",
                    .cpu_model = "AMD EPYC 7B13",
                    .cores = 2,
                    .memory_bytes = std::uint64_t{8} << 30,
                    .governor = "performance"};
  result.phases = {.connect_s = 0.25, .warm_up_s = 0.5, .measure_s = 2, .drain_s = 0.1};
  result.joins = {.count = 200,
                  .failed = 0,
                  .seconds = 0.01,
                  .rate_per_s = 20'000,
                  .server_cpu_ns_per_join = 12'300};
  result.totals = {.sent = 4000,
                   .expected_deliveries = 36'000,
                   .delivered = 35'993,
                   .lost = 7,
                   .lost_by = {.chatbench_receive = 2, .server_kernel = 5},
                   .duplicated = 1,
                   .reordered = 3,
                   .late = 4};
  result.repairs = RepairCounts{
      .said_again = 11, .repairs_asked = 12, .entries_repeated = 13, .entries_lost = 14};
  result.rates = {.offered_per_s = 2000,
                  .sent_per_s = 1999.5,
                  .delivered_per_s = 17'996.5,
                  .received_bytes_per_s = 2.3e6};
  Histogram response, lag;
  for (std::uint64_t i = 1; i <= 36'000; ++i) response.record(50'000 + i * 100);
  for (std::uint64_t i = 1; i <= 4000; ++i) lag.record(i);
  result.response_time = summarize(response);
  result.send_lag = summarize(lag);
  result.seconds = {{.at_s = 1,
                     .sent = 2000,
                     .delivered = 18'000,
                     .p50_ns = 1'800'000,
                     .p99_ns = 3'000'000,
                     .max_ns = 3'100'000,
                     .server_cpu_share = 0.2},
                    {.at_s = 2,
                     .sent = 2000,
                     .delivered = 17'993,
                     .p50_ns = 1'900'000,
                     .p99_ns = {},
                     .max_ns = 3'650'000,
                     .server_cpu_share = {}}};
  result.server = ServerCost{.pid = 4711,
                             .cpu_s = 0.4,
                             .cpu_share = 0.2,
                             .cpu_ns_per_delivery = 11'113,
                             .resident_bytes_before = 5 << 20,
                             .resident_bytes_joined = 6 << 20,
                             .resident_bytes_end = 7 << 20,
                             .resident_bytes_per_member = 5242.88};
  result.own = {.cpu_share = 0.31, .threads = 2};
  result.slo = SloOutcome{"p99<5ms,loss=0",
                          {{.condition = "p99 < 5.00 ms", .actual = "3.61 ms", .is_met = true},
                           {.condition = "loss = 0.00 %", .actual = "0.02 %", .is_met = false}}};
  return result;
}

}  // namespace chatd::bench
