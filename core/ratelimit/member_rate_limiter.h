// What one member may still say. A member has proven itself, and still may be a client that has run
// wild or somebody who means harm: what it says costs the server as much as all who must hear it,
// and what is refused costs as much as it takes to read. So its payloads are counted before they
// are read, and the bytes that go out for them. Thread: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/ratelimit/token_bucket.h"

namespace chatd {

class MemberRateLimiter {
 public:
  // Takes one payload, whatever it will turn out to be; false: the member is over its rate.
  bool take_payload(TimeMs now_ms, const AbuseLimits& limits) {
    return payloads_.take(now_ms,
                          {.units = limits.max_member_messages_per_s, .burst_ms = kBurstMs});
  }

  // The same beyond the rate, for what may be a leave or a heartbeat: they have as much again,
  // which messages cannot use up. What is taken from it is missing later on: the rate stays what it
  // is.
  bool take_reserve(TimeMs now_ms, const AbuseLimits& limits) {
    return payloads_.take(now_ms,
                          {.units = limits.max_member_messages_per_s, .burst_ms = 2 * kBurstMs});
  }

  // Takes what goes out: so many bytes to so many receivers.
  bool take_bytes(TimeMs now_ms, const AbuseLimits& limits, std::size_t size_bytes,
                  std::size_t receivers) {
    const std::uint64_t bytes = std::uint64_t{size_bytes + kDatagramBytes} * receivers;
    return bytes_.take(now_ms, {.units = limits.max_member_bytes_per_s, .burst_ms = kBurstMs},
                       bytes);
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

  TokenBucket payloads_;
  TokenBucket bytes_;
  TokenBucket warnings_;
};

}  // namespace chatd
