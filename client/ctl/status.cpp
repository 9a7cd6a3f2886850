#include "client/ctl/status.h"

#include <simdjson.h>

#include <cstdio>
#include <string_view>

#include "client/ctl/json_fields.h"

namespace chatd::client::ctl {
namespace {

ShardStatus shard_in(simdjson::dom::element json) {
  ShardStatus shard{.rooms = number_of(json, "rooms"),
                    .members = number_of(json, "members"),
                    .v2_members = number_of(json, "v2_members"),
                    .pending_members = number_of(json, "pending_members"),
                    .waiting_messages = number_of(json, "waiting_messages"),
                    .busy_us = number_of(json, "busy_us")};
  simdjson::dom::element counters;
  if (json["counters"].get(counters) != simdjson::SUCCESS) return shard;
  shard.datagrams_received = number_of(counters, "datagrams_received");
  shard.messages_accepted = number_of(counters, "messages_accepted");
  shard.deliveries_sent = number_of(counters, "deliveries_sent");
  return shard;
}

void add_drops(simdjson::dom::element json, std::string_view key, std::string_view what,
               Status& status) {
  simdjson::dom::object reasons;
  if (json[key].get(reasons) != simdjson::SUCCESS) return;
  for (const auto& [reason, value] : reasons) {
    std::uint64_t count = 0;
    if (value.get(count) != simdjson::SUCCESS || count == 0) continue;
    status.drops.emplace_back(std::string(what).append(": ").append(reason), count);
  }
}

// "12 (1 not heard yet, 5 with protocol v2)"
std::string members_text(const ShardStatus& total) {
  std::string among;
  if (total.pending_members > 0) among = std::to_string(total.pending_members) + " not heard yet";
  if (total.v2_members > 0) {
    if (!among.empty()) among += ", ";
    among += std::to_string(total.v2_members) + " with protocol v2";
  }
  return std::to_string(total.members) + (among.empty() ? "" : " (" + among + ")");
}

std::string duration_text(std::uint64_t duration_ms) {
  const std::uint64_t seconds = duration_ms / 1000;
  const std::uint64_t days = seconds / 86'400;
  char text[32];
  std::snprintf(text, sizeof text, "%02u:%02u:%02u", static_cast<unsigned>(seconds / 3600 % 24),
                static_cast<unsigned>(seconds / 60 % 60), static_cast<unsigned>(seconds % 60));
  return days == 0 ? text : std::to_string(days) + " d " + text;
}

// What the difference between two looks is a second; empty without an earlier look.
class Rates {
 public:
  Rates(const Status& now, const Status* before)
      : before_(before), elapsed_ms_(before != nullptr ? now.uptime_ms - before->uptime_ms : 0) {}

  // chatd may have been started afresh between the looks: then all counts begin again.
  bool are_known() const { return before_ != nullptr && elapsed_ms_ > 0 && elapsed_ms_ < kSense; }
  const Status& before() const { return *before_; }

  std::string per_second(std::uint64_t now, std::uint64_t before) const {
    if (now < before) return "";
    return std::to_string((now - before) * 1000 / elapsed_ms_);
  }
  std::string percent_busy(std::uint64_t now_us, std::uint64_t before_us) const {
    if (now_us < before_us) return "";
    return std::to_string((now_us - before_us) / (elapsed_ms_ * 10)) + " %";
  }

 private:
  static constexpr std::uint64_t kSense = 3'600'000;

  const Status* before_;
  std::uint64_t elapsed_ms_;
};

std::string head_text(const Status& now) {
  Table table({{.title = ""}, {.title = ""}});
  table.add({"chatd", now.version + (now.is_draining ? ", draining" : ", serving")});
  table.add({"up for", duration_text(now.uptime_ms)});
  table.add({"memory", std::to_string(now.resident_bytes >> 20) + " MiB"});
  table.add({"descriptors", std::to_string(now.open_descriptors)});
  table.add({"connections", std::to_string(now.connections)});
  if (!now.tls_address.empty()) {
    table.add({"TLS", now.tls_address});
    table.add({"certificate", "SHA-256 " + now.certificate_sha256});
  }
  table.add({"rooms", std::to_string(now.total.rooms)});
  table.add({"members", members_text(now.total)});
  table.add({"waiting messages", std::to_string(now.total.waiting_messages)});
  return table.text();
}

std::string counts_text(const Status& now, const Rates& rates) {
  Table table({{.title = "COUNTED"},
               {.title = "ALL", .align = kRight},
               {.title = rates.are_known() ? "PER SECOND" : "", .align = kRight}});
  const auto add = [&](const char* name, std::uint64_t count, std::uint64_t before) {
    table.add(
        {name, std::to_string(count), rates.are_known() ? rates.per_second(count, before) : ""});
  };
  const ShardStatus none;
  const ShardStatus& old = rates.are_known() ? rates.before().total : none;
  add("datagrams received", now.total.datagrams_received, old.datagrams_received);
  add("messages accepted", now.total.messages_accepted, old.messages_accepted);
  add("deliveries sent", now.total.deliveries_sent, old.deliveries_sent);
  add("dropped", now.drop_count(), rates.are_known() ? rates.before().drop_count() : 0);
  return table.text();
}

std::string drops_text(const Status& now) {
  if (now.drops.empty()) return "";
  Table table({{.title = "DROPPED"}, {.title = "ALL", .align = kRight}});
  for (const auto& [reason, count] : now.drops) table.add({reason, std::to_string(count)});
  return "\n" + table.text();
}

std::string shards_text(const Status& now, const Rates& rates) {
  const bool has_rates = rates.are_known() && rates.before().shards.size() == now.shards.size();
  Table table({{.title = "SHARD", .align = kRight},
               {.title = "ROOMS", .align = kRight},
               {.title = "MEMBERS", .align = kRight},
               {.title = "WAITING", .align = kRight},
               {.title = has_rates ? "MESSAGES/S" : "MESSAGES", .align = kRight},
               {.title = has_rates ? "DELIVERIES/S" : "DELIVERIES", .align = kRight},
               {.title = has_rates ? "BUSY" : "", .align = kRight}});
  for (std::size_t i = 0; i < now.shards.size(); ++i) {
    const ShardStatus& shard = now.shards[i];
    std::vector<std::string> cells{std::to_string(i), std::to_string(shard.rooms),
                                   std::to_string(shard.members),
                                   std::to_string(shard.waiting_messages)};
    if (has_rates) {
      const ShardStatus& old = rates.before().shards[i];
      cells.push_back(rates.per_second(shard.messages_accepted, old.messages_accepted));
      cells.push_back(rates.per_second(shard.deliveries_sent, old.deliveries_sent));
      cells.push_back(rates.percent_busy(shard.busy_us, old.busy_us));
    } else {
      cells.push_back(std::to_string(shard.messages_accepted));
      cells.push_back(std::to_string(shard.deliveries_sent));
      cells.emplace_back();
    }
    table.add(std::move(cells));
  }
  return table.text();
}

}  // namespace

std::uint64_t Status::drop_count() const {
  std::uint64_t sum = 0;
  for (const auto& [reason, count] : drops) sum += count;
  return sum;
}

std::optional<Status> parse_status(const std::string& json) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::element total;
  if (parser.parse(json).get(root) != simdjson::SUCCESS) return std::nullopt;
  if (root["total"].get(total) != simdjson::SUCCESS) return std::nullopt;
  Status status{.version = text_of(root, "version"),
                .is_draining = flag_of(root, "draining"),
                .uptime_ms = number_of(root, "uptime_ms"),
                .resident_bytes = number_of(root, "resident_bytes"),
                .open_descriptors = number_of(root, "open_descriptors"),
                .connections = number_of(root, "connections"),
                .tls_address = {},
                .certificate_sha256 = {},
                .total = shard_in(total),
                .drops = {},
                .shards = {}};
  simdjson::dom::element tls;
  if (root["tls"].get(tls) == simdjson::SUCCESS) {
    status.tls_address = text_of(tls, "address");
    status.certificate_sha256 = text_of(tls, "certificate_sha256");
  }
  add_drops(root, "datagrams_dropped", "datagrams", status);
  add_drops(root, "deliveries_dropped", "deliveries", status);
  for_each_of(root, "shards", [&](auto shard) { status.shards.push_back(shard_in(shard)); });
  return status;
}

std::string status_text(const Status& now, const Status* before) {
  const Rates rates(now, before);
  return head_text(now) + "\n" + counts_text(now, rates) + drops_text(now) + "\n" +
         shards_text(now, rates);
}

}  // namespace chatd::client::ctl
