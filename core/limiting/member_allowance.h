// What one member may still say. A member has proven itself, and still may be a client that has run
// wild or somebody who means harm: what it says costs the server as much as all who must hear it.
// So its messages are counted, and the bytes that go out for them. Thread: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/limiting/token_bucket.h"
#include "core/limits.h"
#include "core/timer/timestamp.h"

namespace chatd {

class MemberAllowance {
 public:
  // Takes a message of so many bytes for so many receivers, if there is enough left for it.
  bool take(TimeMs now_ms, const AbuseLimits& limits, std::size_t size_bytes,
            std::size_t receivers) {
    const TokenRate message_rate{.units = limits.max_member_messages_per_s, .burst_ms = kBurstMs};
    const TokenRate byte_rate{.units = limits.max_member_bytes_per_s, .burst_ms = kBurstMs};
    const std::uint64_t bytes = std::uint64_t{size_bytes + kDatagramBytes} * receivers;
    return messages_.take(now_ms, message_rate) && bytes_.take(now_ms, byte_rate, bytes);
  }

  // Whether it may be told that it has gone too far; if so, it counts.
  bool take_warning(TimeMs now_ms) {
    constexpr TokenRate kOneInFiveSeconds{.units = 1, .per_ms = 5000, .burst_ms = 5000};
    return warnings_.take(now_ms, kOneInFiveSeconds);
  }

 private:
  static constexpr std::uint32_t kBurstMs = 2000;
  // What a datagram costs besides its payload: headers, and its way through the kernel. Otherwise a
  // member of a large room could say very little very often.
  static constexpr std::size_t kDatagramBytes = 100;

  TokenBucket messages_;
  TokenBucket bytes_;
  TokenBucket warnings_;
};

}  // namespace chatd
