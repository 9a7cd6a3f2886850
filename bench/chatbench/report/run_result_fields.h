// Every field of a run's result with its key in JSON, once: writer, reader and comparison visit the
// same list, so that what one writes the other reads, and a new field cannot be forgotten in one of
// them.
//
// visit_fields(visit, record) calls visit(key, field) for each field of the record, in the order of
// the file; a field may be a record itself. Keys carry their unit and are part of the file's schema
// (kSchemaVersion).
#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>

#include "bench/chatbench/report/run_result.h"

namespace chatd::bench {

template <class T, class Record>
concept Is = std::same_as<std::remove_const_t<T>, Record>;

template <class Visitor>
void visit_fields(Visitor& visit, Is<RunSettings> auto& settings) {
  visit("target", settings.target);
  visit("tls", settings.tls);
  visit("loop", settings.loop);
  visit("arrival", settings.arrival);
  visit("rooms", settings.rooms);
  visit("members_per_room", settings.members_per_room);
  visit("senders_per_room", settings.senders_per_room);
  visit("size_bytes", settings.size_bytes);
  visit("rate_per_s", settings.rate_per_s);
  visit("window", settings.window);
  visit("seed", settings.seed);
  visit("connections", settings.connections);
  visit("joins_per_connection", settings.joins_per_connection);
  visit("sockets", settings.sockets);
  visit("gro", settings.gro);
  visit("gso", settings.gso);
}

template <class Visitor>
void visit_fields(Visitor& visit, Is<Machine> auto& machine) {
  visit("kernel", machine.kernel);
  visit("cpu_model", machine.cpu_model);
  visit("cores", machine.cores);
  visit("memory_bytes", machine.memory_bytes);
  visit("governor", machine.governor);
}

template <class Visitor>
void visit_fields(Visitor& visit, Is<Phases> auto& phases) {
  visit("connect_s", phases.connect_s);
  visit("warm_up_s", phases.warm_up_s);
  visit("measure_s", phases.measure_s);
  visit("drain_s", phases.drain_s);
}

template <class Visitor>
void visit_fields(Visitor& visit, Is<JoinFigures> auto& joins) {
  visit("count", joins.count);
  visit("failed", joins.failed);
  visit("seconds", joins.seconds);
  visit("rate_per_s", joins.rate_per_s);
  visit("server_cpu_ns_per_join", joins.server_cpu_ns_per_join);
}

template <class Visitor>
void visit_fields(Visitor& visit, Is<LossByCause> auto& loss) {
  visit("chatbench_send", loss.chatbench_send);
  visit("chatbench_receive", loss.chatbench_receive);
  visit("server_kernel", loss.server_kernel);
  visit("server", loss.server);
  visit("unattributed", loss.unattributed);
}

template <class Visitor>
void visit_fields(Visitor& visit, Is<Totals> auto& totals) {
  visit("sent", totals.sent);
  visit("expected_deliveries", totals.expected_deliveries);
  visit("delivered", totals.delivered);
  visit("lost", totals.lost);
  visit("lost_by", totals.lost_by);
  visit("duplicated", totals.duplicated);
  visit("reordered", totals.reordered);
  visit("late", totals.late);
  visit("foreign", totals.foreign);
  visit("corrupted", totals.corrupted);
}

template <class Visitor>
void visit_fields(Visitor& visit, Is<RepairCounts> auto& repairs) {
  visit("said_again", repairs.said_again);
  visit("repairs_asked", repairs.repairs_asked);
  visit("entries_repeated", repairs.entries_repeated);
  visit("entries_lost", repairs.entries_lost);
}

template <class Visitor>
void visit_fields(Visitor& visit, Is<Rates> auto& rates) {
  visit("offered_per_s", rates.offered_per_s);
  visit("sent_per_s", rates.sent_per_s);
  visit("delivered_per_s", rates.delivered_per_s);
  visit("received_bytes_per_s", rates.received_bytes_per_s);
}

template <class Visitor>
void visit_fields(Visitor& visit, Is<LatencySummary> auto& latency) {
  visit("count", latency.count);
  visit("never", latency.never);
  visit("min_ns", latency.min_ns);
  visit("max_ns", latency.max_ns);
  visit("mean_ns", latency.mean_ns);
  for (std::size_t i = 0; i < kReportedPercentiles.size(); ++i) {
    visit(kReportedPercentiles[i].key, latency.percentiles_ns[i]);
  }
  visit("curve_q", latency.curve_q);
  visit("curve_ns", latency.curve_ns);
}

template <class Visitor>
void visit_fields(Visitor& visit, Is<SecondFigures> auto& second) {
  visit("at_s", second.at_s);
  visit("sent", second.sent);
  visit("delivered", second.delivered);
  visit("p50_ns", second.p50_ns);
  visit("p99_ns", second.p99_ns);
  visit("max_ns", second.max_ns);
  visit("server_cpu_share", second.server_cpu_share);
}

template <class Visitor>
void visit_fields(Visitor& visit, Is<ServerCost> auto& server) {
  visit("pid", server.pid);
  visit("cpu_s", server.cpu_s);
  visit("cpu_share", server.cpu_share);
  visit("cpu_ns_per_delivery", server.cpu_ns_per_delivery);
  visit("resident_bytes_before", server.resident_bytes_before);
  visit("resident_bytes_joined", server.resident_bytes_joined);
  visit("resident_bytes_end", server.resident_bytes_end);
  visit("resident_bytes_per_member", server.resident_bytes_per_member);
}

template <class Visitor>
void visit_fields(Visitor& visit, Is<ClientCpu> auto& own) {
  visit("cpu_share", own.cpu_share);
  visit("threads", own.threads);
}

template <class Visitor>
void visit_fields(Visitor& visit, Is<SloCheck> auto& check) {
  visit("condition", check.condition);
  visit("actual", check.actual);
  visit("is_met", check.is_met);
}

template <class Visitor>
void visit_fields(Visitor& visit, Is<SloOutcome> auto& slo) {
  visit("text", slo.text);
  visit("checks", slo.checks);
}

template <class Visitor>
void visit_fields(Visitor& visit, Is<SearchStep> auto& step) {
  visit("rate_per_s", step.rate_per_s);
  visit("holds", step.holds);
  visit("outcome", step.outcome);
}

template <class Visitor>
void visit_fields(Visitor& visit, Is<RunResult> auto& result) {
  visit("tool_version", result.tool_version);
  visit("started_at", result.started_at);
  visit("settings", result.settings);
  visit("machine", result.machine);
  visit("phases", result.phases);
  visit("joins", result.joins);
  visit("totals", result.totals);
  visit("repairs", result.repairs);
  visit("rates", result.rates);
  visit("response_time", result.response_time);
  visit("send_lag", result.send_lag);
  visit("seconds", result.seconds);
  visit("server", result.server);
  visit("own", result.own);
  visit("invalid_because", result.invalid_because);
  visit("slo", result.slo);
  visit("search", result.search);
}

}  // namespace chatd::bench
