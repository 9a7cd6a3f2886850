#include "bench/chatbench/report/formats.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "bench/chatbench/report/units.h"

namespace chatd::bench {
namespace {

constexpr std::size_t kLabelWidth = 16;
constexpr std::size_t kFigureWidth = 14;

class Text {
 public:
  explicit Text(TextStyle style) : color_(style == TextStyle::kColor) {}

  void line(std::string_view text = {}) { text_.append(text).append("\n"); }
  // "Label           figure   what there is to say about it"
  void row(std::string_view label, std::string_view figure, std::string_view remark = {}) {
    std::string text = pad_right(label, kLabelWidth) + pad_left(figure, kFigureWidth);
    if (!remark.empty()) text.append("   ").append(remark);
    line(text);
  }
  void loud(std::string_view text) { marked("\x1b[1;31m", text); }
  void good(std::string_view text) { marked("\x1b[32m", text); }

  std::string take() { return std::move(text_); }

 private:
  void marked(std::string_view mark, std::string_view text) {
    if (color_) text_ += mark;
    text_ += text;
    if (color_) text_ += "\x1b[0m";
    text_ += "\n";
  }

  bool color_;
  std::string text_;
};

std::string plural(std::uint64_t n, const std::string& noun) {
  return format_count(n) + " " + noun + (n == 1 ? "" : "s");
}

void add_head(Text& text, const RunResult& result) {
  text.line("chatbench " + result.tool_version + ", " + result.started_at);
  text.line(result.settings.target + (result.settings.tls ? " over TLS, " : ", ") +
            describe_loop(result.settings));
  text.line(describe_workload(result.settings) + ", measured for " +
            format_seconds(result.phases.measure_s));
  text.line(describe_machine(result.machine));
  text.line();
}

void add_validity(Text& text, const RunResult& result) {
  if (result.is_valid()) return;
  text.loud("******** INVALID: these figures are not what the server can do ********");
  for (const std::string& reason : result.invalid_because) text.loud("  * " + reason);
  text.line();
}

void add_joins(Text& text, const RunResult& result) {
  const JoinFigures& joins = result.joins;
  std::string remark =
      format_per_second(joins.rate_per_s) + ", in " + format_seconds(joins.seconds);
  if (joins.server_cpu_ns_per_join) {
    remark += ", server CPU " + format_duration_ns(*joins.server_cpu_ns_per_join) + " each";
  }
  text.row("Members joined", format_count(joins.count), remark);
  if (joins.failed != 0) text.row("Joins failed", format_count(joins.failed));
}

void add_loss(Text& text, const Totals& totals) {
  struct Cause {
    std::uint64_t count;
    std::string_view what;
  };
  std::string share;
  if (totals.expected_deliveries != 0) {
    share = format_percent(static_cast<double>(totals.lost) /
                           static_cast<double>(totals.expected_deliveries));
  }
  text.row("Lost", format_count(totals.lost), share);
  const LossByCause& by = totals.lost_by;
  for (const auto& [count, what] : std::array<Cause, 5>{{
           {by.chatbench_send, "refused by our own socket"},
           {by.chatbench_receive, "dropped at our own receive buffer"},
           {by.server_kernel, "dropped at the server's receive buffer"},
           {by.server, "dropped by the server"},
           {by.unattributed, "for a reason that no counter tells"},
       }}) {
    if (count != 0) text.row("", format_count(count), what);
  }
}

void add_ledger(Text& text, const RunResult& result) {
  const Totals& totals = result.totals;
  const Rates& rates = result.rates;
  text.row(
      "Messages sent", format_count(totals.sent),
      format_per_second(rates.sent_per_s) +
          (rates.offered_per_s ? " of " + format_per_second(*rates.offered_per_s) + " scheduled"
                               : ""));
  text.row("Deliveries due", format_count(totals.expected_deliveries));
  text.row("Delivered", format_count(totals.delivered),
           format_per_second(rates.delivered_per_s) + ", payload " +
               format_bytes(rates.received_bytes_per_s) + "/s");
  add_loss(text, totals);
  text.row("Duplicated", format_count(totals.duplicated));
  text.row("Reordered", format_count(totals.reordered));
  text.row("Late", format_count(totals.late), totals.late == 0 ? "" : "longer than --give-up");
  if (totals.foreign != 0) {
    text.row("Foreign", format_count(totals.foreign), "came to members whom they were not for");
  }
  if (totals.corrupted != 0) {
    text.row("Corrupted", format_count(totals.corrupted), "came otherwise than they were sent");
  }
  text.line();
}

void add_repairs(Text& text, const RunResult& result) {
  if (!result.repairs) return;
  const RepairCounts& repairs = *result.repairs;
  text.row("Said again", format_count(repairs.said_again), "datagrams");
  text.row("Repairs asked", format_count(repairs.repairs_asked));
  text.row("Entries twice", format_count(repairs.entries_repeated), "that a member had already");
  text.row("Entries lost", format_count(repairs.entries_lost),
           repairs.entries_lost == 0 ? "" : "for good, as the server says");
  text.line();
}

void add_latency(Text& text, const RunResult& result) {
  const bool open = result.settings.loop == LoopKind::kOpen;
  text.line(
      open ? "Response time counts from when a message was due, send lag is our own part of it."
           : "Closed loop: the response time is that of a server driven as fast as it goes.");
  if (result.response_time.never > 0) {
    text.line("What was lost is in it as what never came: it is later than everything that did.");
  }
  text.line(pad_right("", kLabelWidth) + pad_left("response time", kFigureWidth) +
            (open ? pad_left("send lag", kFigureWidth) : ""));
  const auto row = [&](std::string_view label, const std::string& response,
                       const std::string& lag) {
    text.line(pad_right(label, kLabelWidth) + pad_left(response, kFigureWidth) +
              (open ? pad_left(lag, kFigureWidth) : ""));
  };
  const auto of_any = [](const LatencySummary& latency, double ns) {
    return latency.count == 0 ? std::string(kNotAvailable) : format_duration_ns(ns);
  };
  const auto duration = [](std::uint64_t ns) {
    return format_duration_ns(static_cast<double>(ns));
  };
  const LatencySummary& response = result.response_time;
  const LatencySummary& lag = result.send_lag;
  row("min", of_any(response, static_cast<double>(response.min_ns)),
      of_any(lag, static_cast<double>(lag.min_ns)));
  for (std::size_t i = 0; i < kReportedPercentiles.size(); ++i) {
    row(kReportedPercentiles[i].name, format_or_na(response.percentiles_ns[i], duration),
        format_or_na(lag.percentiles_ns[i], duration));
  }
  row("max", of_any(response, static_cast<double>(response.max_ns)),
      of_any(lag, static_cast<double>(lag.max_ns)));
  // JSON has no infinity: what was read from a file says so by its count.
  const double mean_ns = response.never > 0 ? static_cast<double>(kNever) : response.mean_ns;
  row("mean", of_any(response, mean_ns), of_any(lag, lag.mean_ns));
  row("samples", format_count(response.count), format_count(lag.count));
  text.line();
}

void add_cost(Text& text, const RunResult& result) {
  if (result.server) {
    const ServerCost& server = *result.server;
    text.row("Server CPU", format_or_na(server.cpu_ns_per_delivery, format_duration_ns),
             "per delivery; " + format_percent(server.cpu_share) + " of a core (pid " +
                 std::to_string(server.pid) + ", all threads)");
    text.row("Server memory", format_or_na(server.resident_bytes_per_member, format_bytes),
             "per member; " + format_bytes(static_cast<double>(server.resident_bytes_before)) +
                 " empty, " + format_bytes(static_cast<double>(server.resident_bytes_joined)) +
                 " joined, " + format_bytes(static_cast<double>(server.resident_bytes_end)) +
                 " at the end");
  } else {
    text.row("Server CPU", kNotAvailable, "give --server-pid to have it measured");
  }
  text.row("Own CPU", format_percent(result.own.cpu_share),
           "of a core, in " + plural(result.own.threads, "thread"));
}

void add_slo(Text& text, const RunResult& result) {
  if (!result.slo) return;
  text.line();
  for (const SloCheck& check : result.slo->checks) {
    const std::string line = pad_right(check.condition, kLabelWidth + kFigureWidth) + "   " +
                             (check.is_met ? "met:    " : "MISSED: ") + check.actual;
    if (check.is_met) {
      text.good(line);
    } else {
      text.loud(line);
    }
  }
}

void add_search(Text& text, const RunResult& result) {
  if (result.search.empty()) return;
  text.line();
  text.line("Search for the highest rate that holds the SLO; all figures above are that one's:");
  for (const SearchStep& step : result.search) {
    const std::string line = pad_left(format_per_second(step.rate_per_s), kFigureWidth) + "   ";
    if (step.holds) {
      text.good(line + step.outcome);
    } else {
      text.line(line + step.outcome);
    }
  }
}

}  // namespace

std::string describe_loop(const RunSettings& settings) {
  if (settings.loop == LoopKind::kOpen) {
    return "open loop (" + format_or_na(settings.rate_per_s, format_per_second) + " messages, " +
           settings.arrival + " arrivals)";
  }
  return "closed loop (window of " + format_or_na(settings.window, format_count) +
         " in flight per room)";
}

std::string describe_workload(const RunSettings& settings) {
  return plural(settings.rooms, "room") + " × " + plural(settings.members_per_room, "member") +
         ", " + plural(settings.senders_per_room, "sender") + " each, " + settings.size_bytes +
         "-byte payloads, UDP_GRO " + (settings.gro ? "on" : "off") + ", UDP_SEGMENT " +
         (settings.gso ? "on" : "off");
}

std::string describe_machine(const Machine& machine) {
  std::string text =
      "Linux " + machine.kernel + ", " + machine.cpu_model + ", " + plural(machine.cores, "core");
  if (machine.governor) text += ", governor " + *machine.governor;
  return text;
}

std::string to_table(const RunResult& result, TextStyle style) {
  Text text(style);
  add_head(text, result);
  add_validity(text, result);
  add_joins(text, result);
  add_ledger(text, result);
  add_repairs(text, result);
  add_latency(text, result);
  add_cost(text, result);
  add_slo(text, result);
  add_search(text, result);
  // Once more at the end, where a long table leaves the reader.
  if (!result.is_valid()) {
    text.line();
    text.loud("INVALID, see above: do not quote these figures.");
  }
  return text.take();
}

}  // namespace chatd::bench
