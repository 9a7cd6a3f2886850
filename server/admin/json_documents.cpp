#include <cstdint>
#include <string_view>

#include "core/base/json_writer.h"
#include "server/admin/documents.h"

namespace chatd {

namespace {

void write_counters(const Counters& counters, JsonWriter& json) {
  json.begin_object();
  for (const CounterSpec& row : counter_table()) json.member(row.name, counters[row.counter]);
  json.end_object();
}

// The reasons of one family, each with its count.
void write_reasons(const Counters& counters, std::string_view family, JsonWriter& json) {
  json.key(family);
  json.begin_object();
  for (const CounterSpec& row : counter_table()) {
    if (row.family == family) json.member(row.value, counters[row.counter]);
  }
  json.end_object();
}

// Bucket n counts values below 2^n (and none that an earlier bucket counts), the last one all
// others.
void write_buckets(std::string_view name, const Log2Buckets& buckets, JsonWriter& json) {
  json.key(name);
  json.begin_array();
  for (const std::uint64_t count : buckets.counts()) json.value(count);
  json.end_array();
}

void write_shard(const ServerStats::Shard& shard, JsonWriter& json) {
  json.member("rooms", std::uint64_t{shard.rooms});
  json.member("members", std::uint64_t{shard.members});
  json.member("v2_members", std::uint64_t{shard.v2_members});
  json.member("pending_members", std::uint64_t{shard.pending_members});
  json.member("waiting_messages", std::uint64_t{shard.waiting_messages});
  json.member("busy_us", shard.histograms.turn_us.sum);
  json.key("counters");
  write_counters(shard.counters, json);
}

void write_tls(const TlsStats& tls, JsonWriter& json) {
  json.key("tls");
  json.begin_object();
  json.member("address", std::string_view(tls.address));
  json.member("certificate_sha256", std::string_view(tls.certificate_sha256));
  json.member("certificate_expires_at_s", static_cast<std::uint64_t>(tls.certificate_expires_at_s));
  json.end_object();
}

void write_histograms(const RelayHistograms& histograms, JsonWriter& json) {
  json.begin_object();
  write_buckets("receivers", histograms.receivers, json);
  write_buckets("turn_datagrams", histograms.turn_datagrams.buckets, json);
  write_buckets("turn_us", histograms.turn_us.buckets, json);
  write_buckets("latency_us", histograms.latency_us.buckets, json);
  json.end_object();
}

}  // namespace

std::string status_json(const ServerStats& stats) {
  const ServerStats::Shard total = stats.total();
  JsonWriter json;
  json.begin_object();
  json.member("version", std::string_view(stats.version));
  json.member("draining", stats.is_draining);
  json.member("started_at_s", stats.started_at_s);
  json.member("uptime_ms", stats.uptime_ms);
  json.member("resident_bytes", stats.process.resident_bytes);
  json.member("open_descriptors", stats.process.open_descriptors);
  json.member("connections", std::uint64_t{stats.connections});
  json.member("bans", stats.bans);
  if (stats.tls) write_tls(*stats.tls, json);
  json.key("total");
  json.begin_object();
  write_shard(total, json);
  json.end_object();
  write_reasons(total.counters, "datagrams_dropped", json);
  write_reasons(total.counters, "deliveries_dropped", json);
  json.key("histograms");
  write_histograms(total.histograms, json);
  json.key("shards");
  json.begin_array();
  for (const ServerStats::Shard& shard : stats.shards) {
    json.begin_object();
    write_shard(shard, json);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json.take();
}

std::string config_json(const config::Configuration& configuration) {
  JsonWriter json;
  json.begin_object();
  json.key("options");
  json.begin_array();
  for (const config::Setting& setting : configuration.settings) {
    const std::string name = setting.option->toml_name();
    const std::string source = config::printable(to_text(setting.source));  // may name a file
    json.begin_object();
    json.member("name", std::string_view(name));
    json.member("value", std::string_view(setting.text));
    json.member("source", std::string_view(source));
    json.member("needs_restart", setting.option->needs_restart);
    json.member("description", std::string_view(setting.option->description));
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json.take();
}

}  // namespace chatd
