#include "server/admin/collect_stats.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "core/relay/relay.h"
#include "server/os/socket_address.h"
#include "server/os/wait.h"
#include "server/tls/tls_service.h"

namespace chatd {
namespace {

struct Answer {
  ServerStats::Shard shard;
  bool is_draining;
};

Answer look_at(const TaskContext& site) {
  const Relay& relay = site.relay;
  return {.shard = {.counters = relay.counters(),
                    .histograms = relay.histograms(),
                    .rooms = relay.roster().rooms().size(),
                    .members = relay.roster().members().size(),
                    .v2_members = relay.roster().v2_members(),
                    .pending_members = relay.roster().pending_members(),
                    .waiting_messages = relay.waiting_messages()},
          .is_draining = relay.is_draining()};
}

// From proc(5); zero where the kernel does not tell.
ProcessStats process_stats() {
  ProcessStats figures;
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != "VmRSS:") continue;
    std::uint64_t kib = 0;
    status >> kib;
    figures.resident_bytes = kib * 1024;
    break;
  }
  std::error_code error;
  const std::filesystem::directory_iterator descriptors("/proc/self/fd", error);
  if (!error) {
    figures.open_descriptors =
        static_cast<std::uint64_t>(std::distance(begin(descriptors), end(descriptors)));
  }
  return figures;
}

std::optional<TlsStats> tls_stats(const TlsService* tls) {
  if (tls == nullptr) return std::nullopt;
  return TlsStats{.address = to_text(tls->endpoint()),
                  .certificate_sha256 = tls->fingerprint(),
                  .certificate_expires_at_s = tls->expires_at_s()};
}

}  // namespace

StartTime StartTime::now() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return {.monotonic_ms = monotonic_now_ms(),
          .unix_s = static_cast<std::uint64_t>(
              std::chrono::duration_cast<std::chrono::seconds>(since_1970).count())};
}

tl::expected<ServerStats, std::string> collect_stats(ShardQuery& query, const BanBook& ban_book,
                                                     const StartTime& start) {
  auto answers = query.ask_all(look_at);
  if (!answers) return tl::unexpected(std::move(answers.error()));
  ServerStats stats{.version = CHATD_VERSION,
                    .is_draining = false,
                    .started_at_s = start.unix_s,
                    .uptime_ms = monotonic_now_ms() - start.monotonic_ms,
                    .connections = query.connections(),
                    .bans = ban_book.size(monotonic_now_ms()),
                    .process = process_stats(),
                    .tls = tls_stats(query.tls()),
                    .shards = {}};
  for (const Answer& answer : *answers) {
    stats.is_draining = stats.is_draining || answer.is_draining;
    stats.shards.push_back(answer.shard);
  }
  return stats;
}

}  // namespace chatd
