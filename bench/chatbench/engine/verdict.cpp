#include "bench/chatbench/engine/verdict.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace chatd::bench {
namespace {

std::string percent(double share) {
  return std::to_string(std::lround(share * 100)) + " %";
}

std::string milliseconds(double ns) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3g ms", ns / 1e6);
  return text.data();
}

using Reasons = std::vector<std::string>;

void check_own_cpu(LoopKind loop, const Measurement& measured, const VerdictLimits& limits,
                   Reasons& reasons) {
  const double own = measured.own_cpu_s / measured.measure_s;
  if (!(own >= limits.max_own_cpu_share)) return;  // nothing, of no time
  const std::string busy = "chatbench itself was busy for " + percent(own) + " of a core";
  if (loop == LoopKind::kOpen) {
    reasons.push_back(busy +
                      ": the latency is partly its own. Lower --rate, turn --gro on, or pin it and "
                      "the server to different cores (--cpu)");
    return;
  }
  // In a closed loop one of the two is always busy. It must be the server.
  if (!measured.server_cpu_s) {
    reasons.push_back(busy +
                      " and it is not known whether the server was: throughput and latency may be "
                      "chatbench's. Name the server with --server-pid");
    return;
  }
  const double server = *measured.server_cpu_s / measured.measure_s;
  if (server >= limits.min_server_cpu_share) return;
  reasons.push_back(busy + " while the server used only " + percent(server) +
                    " of one: throughput and latency are chatbench's. The server's CPU time per "
                    "delivery stays good");
}

std::string name_of_percentile(double q) {
  for (const ReportedPercentile& reported : kReportedPercentiles) {
    if (reported.q == q) return "the " + std::string(reported.name.substr(1)) + "th percentile";
  }
  return "the longest";
}

// A message that leaves late is late for everybody in its room: so the share of late messages is
// that of late deliveries, and where there are deliveries enough for the percentile, there are
// messages enough. With too few of them nothing is said about that percentile, and nothing is wrong
// with it.
std::uint64_t lag_to_judge(const Measurement& measured, double percentile) {
  const bool is_given = percentile == 1 || measured.response_time.percentile(percentile);
  if (is_given) return measured.send_lag.value_at(percentile);
  return measured.send_lag.percentile(VerdictLimits().lag_percentile).value_or(0);
}

void check_sending(LoopKind loop, const Measurement& measured, const VerdictLimits& limits,
                   Reasons& reasons) {
  if (loop == LoopKind::kClosed) return;
  const std::uint64_t lag = lag_to_judge(measured, limits.lag_percentile);
  if (lag > static_cast<std::uint64_t>(limits.max_send_lag_ns)) {
    reasons.push_back("messages left late: " + name_of_percentile(limits.lag_percentile) +
                      " of the send lag is " + milliseconds(static_cast<double>(lag)) +
                      ", more than " + milliseconds(static_cast<double>(limits.max_send_lag_ns)) +
                      " (--max-send-lag): the load was not the one that was asked for");
  }
  const std::uint64_t unsent =
      measured.scheduled - std::min(measured.scheduled, measured.counts.sent);
  // One may be due in the very moment in which the time is over.
  if (static_cast<double>(unsent) >
      1 + limits.max_unsent_share * static_cast<double>(measured.scheduled)) {
    reasons.push_back(std::to_string(unsent) + " of " + std::to_string(measured.scheduled) +
                      " messages that were due had not been sent when the time was over: the rate "
                      "is more than chatbench can send here");
  }
}

void check_faults(const Measurement& measured, Reasons& reasons) {
  if (measured.faults.receive_drops > 0) {
    reasons.push_back("chatbench's own receive buffers overflowed " +
                      std::to_string(measured.faults.receive_drops) +
                      " times: losses may be its own. Lower the load, or raise --receive-buffer "
                      "(and sysctl net.core.rmem_max)");
  }
  if (measured.faults.unsent > 0) {
    reasons.push_back("the kernel refused " + std::to_string(measured.faults.unsent) +
                      " of chatbench's own messages");
  }
}

void check_server(const Measurement& measured, Reasons& reasons) {
  if (!measured.server_trouble.empty()) {
    reasons.push_back(measured.server_trouble + ": no figure is that of a server that runs");
  }
  if (measured.members_lost > 0) {
    reasons.push_back("the server removed members during the run, or did not know them any more (" +
                      std::to_string(measured.members_lost) +
                      " notices of it came): not everybody was there to the end");
  }
  if (measured.warnings > 0) {
    reasons.push_back(
        "the server said that members send too fast: its limits against abuse were "
        "measured, not what it can do. Start it with chatd --rate-limits off");
  }
  if (measured.counts.expected > 0 && measured.counts.delivered == 0) {
    reasons.push_back("not one delivery came: is the server alive, and --udp-port right?");
  }
  if (measured.counts.sent == 0) {
    reasons.push_back("not one message was sent in the measure phase: raise --duration or --rate");
  }
  if (measured.was_interrupted) reasons.push_back("the run was interrupted by a signal");
}

}  // namespace

Verdict judge(LoopKind loop, const Measurement& measured, const VerdictLimits& limits) {
  Verdict verdict;
  check_server(measured, verdict.reasons);
  check_own_cpu(loop, measured, limits, verdict.reasons);
  check_sending(loop, measured, limits, verdict.reasons);
  check_faults(measured, verdict.reasons);
  verdict.is_server_lost = !measured.server_trouble.empty() || measured.members_lost > 0;
  return verdict;
}

}  // namespace chatd::bench
