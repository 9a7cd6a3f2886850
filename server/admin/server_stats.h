// What chatd looks like at one moment: copied together by a task on every shard, then turned
// into text at leisure (documents.h). Plain data. Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/stats/counters.h"
#include "core/stats/histograms.h"

namespace chatd {

struct ProcessStats {
  std::uint64_t resident_bytes = 0;
  std::uint64_t open_descriptors = 0;
};

struct TlsStats {
  std::string address;             // where the port is
  std::string certificate_sha256;  // as `openssl x509 -fingerprint -sha256` writes it
  std::int64_t certificate_expires_at_s = 0;
};

struct ServerStats {
  struct Shard {
    Counters counters;
    RelayHistograms histograms;
    std::uint32_t rooms = 0;
    std::uint32_t members = 0;
    std::uint32_t v2_members = 0;  // among them: with protocol v2
    std::uint32_t pending_members = 0;
    std::uint32_t waiting_messages = 0;

    void add(const Shard& other) {
      counters.add(other.counters);
      histograms.add(other.histograms);
      rooms += other.rooms;
      members += other.members;
      v2_members += other.v2_members;
      pending_members += other.pending_members;
      waiting_messages += other.waiting_messages;
    }
  };

  std::string version;
  bool is_draining = false;
  std::uint64_t started_at_s = 0;  // since 1970
  std::uint64_t uptime_ms = 0;
  std::uint32_t connections = 0;
  std::uint64_t bans = 0;
  ProcessStats process;
  std::optional<TlsStats> tls;  // nothing: there is no TLS port
  std::vector<Shard> shards;

  Shard total() const {
    Shard sum;
    for (const Shard& shard : shards) sum.add(shard);
    return sum;
  }
};

}  // namespace chatd
