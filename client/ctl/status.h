// What chatd says of itself (/status.json), and how chatctl shows it: as it is, or with what two
// looks tell about each second between them. Thread: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/ctl/printing.h"

namespace chatd::client::ctl {

// Of one shard, or of all.
struct ShardStatus {
  std::uint64_t rooms = 0;
  std::uint64_t members = 0;
  std::uint64_t v2_members = 0;
  std::uint64_t pending_members = 0;
  std::uint64_t waiting_messages = 0;
  std::uint64_t busy_us = 0;
  std::uint64_t datagrams_received = 0;
  std::uint64_t messages_accepted = 0;
  std::uint64_t deliveries_sent = 0;
};

struct Status {
  std::string version;
  bool is_draining = false;
  std::uint64_t uptime_ms = 0;
  std::uint64_t resident_bytes = 0;
  std::uint64_t open_descriptors = 0;
  std::uint64_t connections = 0;
  std::string tls_address;  // empty: there is no TLS port
  std::string certificate_sha256;
  ShardStatus total;
  std::vector<std::pair<std::string, std::uint64_t>> drops;  // reason and count, none of them 0
  std::vector<ShardStatus> shards;

  std::uint64_t drop_count() const;
};

// Nothing when it is not chatd's.
std::optional<Status> parse_status(const std::string& json);

// Several tables. `before`: an earlier look, or nothing.
std::string status_text(const Status& now, const Status* before);

}  // namespace chatd::client::ctl
