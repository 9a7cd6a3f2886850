#include "server/admin/documents.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <cstddef>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

namespace chatd {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr double kMicrosecond = 1e-6;

ClientMetric of_shard(std::size_t shard) {
  ClientMetric metric;
  metric.label.push_back({"shard", std::to_string(shard)});
  return metric;
}

MetricFamily family(std::string_view name, std::string_view help, MetricType type) {
  return {.name = std::string(name), .help = std::string(help), .type = type, .metric = {}};
}

void add_counters(const ServerStats& stats, std::vector<MetricFamily>& families) {
  for (const CounterSpec& row : counter_table()) {
    const std::string metric_name = row.metric();
    if (families.empty() || families.back().name != metric_name) {
      families.push_back(family(metric_name, row.help, MetricType::Counter));
    }
    for (std::size_t shard = 0; shard < stats.shards.size(); ++shard) {
      ClientMetric metric = of_shard(shard);
      if (!row.label.empty()) {
        metric.label.push_back({std::string(row.label), std::string(row.value)});
      }
      metric.counter.value = static_cast<double>(stats.shards[shard].counters[row.counter]);
      families.back().metric.push_back(std::move(metric));
    }
  }
}

void add_gauges(const ServerStats& stats, std::vector<MetricFamily>& families) {
  const auto add = [&](std::string_view name, std::string_view help,
                       std::uint32_t ServerStats::Shard::*figure) {
    families.push_back(family(name, help, MetricType::Gauge));
    for (std::size_t shard = 0; shard < stats.shards.size(); ++shard) {
      ClientMetric metric = of_shard(shard);
      metric.gauge.value = stats.shards[shard].*figure;
      families.back().metric.push_back(std::move(metric));
    }
  };
  add("chatd_rooms", "Rooms that exist.", &ServerStats::Shard::rooms);
  add("chatd_members", "Members of all rooms.", &ServerStats::Shard::members);
  add("chatd_members_v2", "Members with protocol v2, among them.", &ServerStats::Shard::v2_members);
  add("chatd_members_pending", "Members whose address is not known yet: they get no messages.",
      &ServerStats::Shard::pending_members);
  add("chatd_messages_waiting", "Messages that wait for their room's turn.",
      &ServerStats::Shard::waiting_messages);
}

// `unit` is what a value of 1 stands for. Values are whole numbers: those of durations are rounded
// down, so a bucket's bound is one more than its highest value.
ClientMetric::Histogram histogram(const Log2Buckets& buckets, std::uint64_t sum, double unit,
                                  std::uint64_t rounding) {
  ClientMetric::Histogram histogram;
  for (std::size_t i = 0; i < Log2Buckets::kCount; ++i) {
    histogram.sample_count += buckets.counts()[i];
    const bool is_last = i + 1 == Log2Buckets::kCount;
    const double bound = static_cast<double>(Log2Buckets::highest_in(i) + rounding) * unit;
    histogram.bucket.push_back(
        {.cumulative_count = histogram.sample_count,
         .upper_bound = is_last ? std::numeric_limits<double>::infinity() : bound});
  }
  histogram.sample_sum = static_cast<double>(sum) * unit;
  return histogram;
}

void add_histograms(const ServerStats& stats, std::vector<MetricFamily>& families) {
  const auto add = [&](std::string_view name, std::string_view help, auto histogram_of) {
    families.push_back(family(name, help, MetricType::Histogram));
    for (std::size_t shard = 0; shard < stats.shards.size(); ++shard) {
      ClientMetric metric = of_shard(shard);
      metric.histogram = histogram_of(stats.shards[shard]);
      families.back().metric.push_back(std::move(metric));
    }
  };
  add("chatd_message_receivers", "Receivers of each message.", [](const ServerStats::Shard& shard) {
    return histogram(shard.histograms.receivers, shard.counters[Counter::kDeliveriesPlanned], 1, 0);
  });
  add("chatd_turn_datagrams", "Datagrams that a turn takes in, where it is any.",
      [](const ServerStats::Shard& shard) {
        const Histogram& each = shard.histograms.turn_datagrams;
        return histogram(each.buckets, each.sum, 1, 0);
      });
  add("chatd_turn_duration_seconds",
      "Time from waking up to having sent, of turns that had messages to work on.",
      [](const ServerStats::Shard& shard) {
        const Histogram& each = shard.histograms.turn_us;
        return histogram(each.buckets, each.sum, kMicrosecond, 1);
      });
  add("chatd_relay_latency_seconds",
      "A bound for the time that a datagram spends inside chatd, from the beginning of the turn "
      "that takes it in until all that waits is sent.",
      [](const ServerStats::Shard& shard) {
        const Histogram& each = shard.histograms.latency_us;
        return histogram(each.buckets, each.sum, kMicrosecond, 1);
      });
}

void add_process(const ServerStats& stats, std::vector<MetricFamily>& families) {
  const auto add = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    families.push_back(family(name, help, MetricType::Gauge));
    families.back().metric.emplace_back().gauge.value = static_cast<double>(value);
  };
  add("chatd_build_info", "Always 1; the version is in the label.", 1);
  families.back().metric.back().label.push_back({"version", stats.version});
  add("chatd_connections", "Control connections that are open.", stats.connections);
  add("chatd_bans", "Bans of addresses and names that are in force.", stats.bans);
  add("chatd_draining", "1 while chatd takes no newcomers since it is about to stop.",
      stats.is_draining ? 1 : 0);
  add("process_resident_memory_bytes", "Memory that is in use.", stats.process.resident_bytes);
  add("process_open_fds", "Descriptors that are open.", stats.process.open_descriptors);
  add("process_start_time_seconds", "When chatd was started, in seconds since 1970.",
      stats.started_at_s);
  const std::int64_t expires_at_s = stats.tls ? stats.tls->certificate_expires_at_s : 0;
  add("chatd_tls_certificate_expiry_timestamp_seconds",
      "When the certificate of the TLS port expires, in seconds since 1970; 0 where there is none.",
      static_cast<std::uint64_t>(expires_at_s));
}

std::vector<MetricFamily> all_families(const ServerStats& stats) {
  std::vector<MetricFamily> families;
  add_counters(stats, families);
  add_gauges(stats, families);
  add_histograms(stats, families);
  add_process(stats, families);
  return families;
}

const char* name_of(MetricType type) {
  switch (type) {
    case MetricType::Counter:
      return "counter";
    case MetricType::Histogram:
      return "histogram";
    default:
      return "gauge";
  }
}

// `reason`: `shed`, `over_limit`; nothing for one without labels of its own.
std::string describe_labels(const MetricFamily& family) {
  std::string text;
  for (const ClientMetric& metric : family.metric) {
    for (const auto& label : metric.label) {
      if (label.name == "shard" || label.value.empty()) continue;
      text.append(text.empty() ? " `" + label.name + "`: `" : ", `").append(label.value) += '`';
    }
  }
  return text;
}

}  // namespace

std::string metrics_text(const ServerStats& stats) {
  return prometheus::TextSerializer().Serialize(all_families(stats));
}

std::string metrics_table() {
  std::string table = "\n| metric | type | |\n| --- | --- | --- |\n";
  ServerStats empty;
  empty.shards.emplace_back();
  for (const MetricFamily& family : all_families(empty)) {
    table.append("| `").append(family.name).append("` | ").append(name_of(family.type));
    table.append(" | ").append(family.help).append(describe_labels(family)).append(" |\n");
  }
  return table.append("\n");
}

}  // namespace chatd
