#include "bench/chatbench/engine/result.h"

#include <algorithm>
#include <array>
#include <ctime>

#include "bench/chatbench/probe/system.h"

namespace chatd::bench {

namespace {

constexpr std::uint64_t kMaxTrainSegments = 128;  // UDP_MAX_SEGMENTS

}  // namespace

LossByCause attribute_loss(const LossEvidence& evidence) {
  LossByCause by;
  std::uint64_t left = evidence.lost;
  std::uint64_t unheard = evidence.unheard;
  const auto explain_messages = [&](std::uint64_t messages) {
    messages = std::min(messages, unheard);
    unheard -= messages;
    const std::uint64_t deliveries = std::min(left, messages * evidence.deliveries_per_message);
    left -= deliveries;
    return deliveries;
  };
  by.chatbench_send = explain_messages(evidence.unsent);
  by.server_kernel = explain_messages(evidence.server_socket_drops.value_or(0));
  const std::uint64_t most =
      evidence.own_receive_drops * (evidence.in_trains ? kMaxTrainSegments : 1);
  by.chatbench_receive = std::min(left, most);
  by.unattributed = left - by.chatbench_receive;
  return by;
}

namespace {

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::array<char, 32> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return {text.data(), length};
}

double per(double amount, double seconds) {
  return seconds > 0 ? amount / seconds : 0;
}

JoinFigures joins_of(const ConnectFigures& connect) {
  const auto members = static_cast<double>(connect.members);
  JoinFigures joins;
  joins.count = connect.members;
  joins.seconds = connect.seconds;
  joins.rate_per_s = per(members, connect.seconds);
  if (connect.server_cpu_s) joins.server_cpu_ns_per_join = *connect.server_cpu_s * 1e9 / members;
  return joins;
}

Totals totals_of(const RunSettings& settings, const Measurement& measured) {
  const LedgerCounts& counts = measured.counts;
  Totals totals;
  totals.sent = counts.sent;
  totals.expected_deliveries = counts.expected;
  totals.delivered = counts.delivered;
  totals.lost = counts.lost();
  totals.duplicated = counts.duplicated;
  totals.reordered = counts.reordered;
  totals.late = counts.late;
  totals.foreign = counts.foreign;
  totals.corrupted = counts.corrupted;
  totals.lost_by = attribute_loss({.lost = counts.lost(),
                                   .unheard = measured.unheard,
                                   .deliveries_per_message = settings.members_per_room - 1,
                                   .unsent = measured.faults.unsent,
                                   .own_receive_drops = measured.faults.receive_drops,
                                   .in_trains = settings.gro,
                                   .server_socket_drops = measured.server_socket_drops});
  return totals;
}

Rates rates_of(const RunSettings& settings, const Measurement& measured) {
  Rates rates;
  if (settings.loop == LoopKind::kOpen) {
    rates.offered_per_s = per(static_cast<double>(measured.scheduled), measured.measure_s);
  }
  rates.sent_per_s = per(static_cast<double>(measured.counts.sent), measured.measure_s);
  rates.delivered_per_s = per(static_cast<double>(measured.arrived), measured.measure_s);
  rates.received_bytes_per_s = per(static_cast<double>(measured.arrived_bytes), measured.measure_s);
  return rates;
}

std::optional<ServerCost> server_of(const ConnectFigures& connect, const Measurement& measured,
                                    std::uint64_t resident_bytes_end) {
  if (!measured.server_cpu_s) return std::nullopt;
  ServerCost server;
  server.pid = connect.server_pid;
  server.cpu_s = *measured.server_cpu_s;
  server.cpu_share = per(server.cpu_s, measured.measure_s);
  if (measured.arrived > 0) {
    server.cpu_ns_per_delivery = server.cpu_s * 1e9 / static_cast<double>(measured.arrived);
  }
  server.resident_bytes_before = connect.resident_bytes_before;
  server.resident_bytes_joined = connect.resident_bytes_joined;
  server.resident_bytes_end = resident_bytes_end;
  if (connect.members > 0 && connect.resident_bytes_joined >= connect.resident_bytes_before) {
    server.resident_bytes_per_member =
        static_cast<double>(connect.resident_bytes_joined - connect.resident_bytes_before) /
        static_cast<double>(connect.members);
  }
  return server;
}

}  // namespace

RunResult make_result(const RunSettings& settings, const ConnectFigures& connect,
                      const Measurement& measured, std::uint64_t resident_bytes_end) {
  RunResult result;
  result.tool_version = CHATD_VERSION;
  result.started_at = utc_now();
  result.settings = settings;
  result.machine = this_machine();
  result.phases = {.connect_s = connect.seconds,
                   .warm_up_s = measured.warm_up_s,
                   .measure_s = measured.measure_s,
                   .drain_s = measured.drain_s};
  result.joins = joins_of(connect);
  result.totals = totals_of(settings, measured);
  result.repairs = measured.repairs;
  result.rates = rates_of(settings, measured);
  result.response_time = summarize(measured.response_time);
  result.send_lag = summarize(measured.send_lag);
  result.seconds = measured.seconds;
  result.server = server_of(connect, measured, resident_bytes_end);
  result.own = {.cpu_share = per(measured.own_cpu_s, measured.measure_s), .threads = 1};
  return result;
}

}  // namespace chatd::bench
