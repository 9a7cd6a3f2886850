// Who may be answered without having shown who it is. A source may be spoofed and somebody's
// victim: it never gets more bytes than it sent (the caller's to see to), and not often. Sources
// share entries in a table of fixed size, and their answers with them. Thread: one at a time.
#pragma once

#include "core/base/endpoint.h"
#include "core/base/keyed_hash.h"
#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/ratelimit/hashed_buckets.h"
#include "core/stats/counters.h"

namespace chatd {

class SourceAnswers {
 public:
  SourceAnswers(const Limits& limits, const LocalEndpoints& local_endpoints,
                std::uint32_t shard_count, const KeyedHash::Key& hash_key, Counters& counters)
      : limits_(limits),
        own_sockets_(local_endpoints),
        shard_count_(shard_count),
        buckets_(kBuckets, hash_key),
        counters_(counters) {}

  // Counts one that is not answered because there were enough, or because there are members who
  // have gone and have not been told why: the source may be one of them, and is not to hear before
  // that it is not known. It will ask again.
  bool take(TimeMs now_ms, const Endpoint& from, bool owes_farewells) {
    if (from.port == 0 || !from.ip.is_unicast() || own_sockets_.contains(from)) return false;
    // A source can choose the shard, and each has a table of its own.
    const std::uint32_t per_ms = 1000 * shard_count_;
    const TokenRate rate{
        .units = limits_.max_source_answers_per_s, .per_ms = per_ms, .burst_ms = per_ms};
    if (!owes_farewells && rate.units != 0 && buckets_[from.ip].take(now_ms, rate)) return true;
    counters_.add(Counter::kUnauthenticatedUnanswered);
    return false;
  }

 private:
  static constexpr std::size_t kBuckets = 4096;

  const Limits& limits_;
  const LocalEndpoints& own_sockets_;
  std::uint32_t shard_count_;
  HashedBuckets buckets_;
  Counters& counters_;
};

}  // namespace chatd
