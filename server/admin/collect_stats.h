// What a chatd that runs has counted. Thread: any but the shards'.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>

#include "core/base/time.h"
#include "server/admin/server_stats.h"
#include "server/admin/shard_query.h"
#include "server/bans/ban_book.h"

namespace chatd {

// When chatd was started, by both clocks.
struct StartTime {
  TimeMs monotonic_ms = 0;
  std::uint64_t unix_s = 0;

  static StartTime now();
};

tl::expected<ServerStats, std::string> collect_stats(ShardQuery& query, const BanBook& ban_book,
                                                     const StartTime& start);

}  // namespace chatd
