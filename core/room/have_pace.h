// How long the members of a room with protocol v2 may put off saying what they have (HAVE).
//
// Everybody who gets something acknowledges it, so in a room of ten thousand with a message a
// second HAVEs would be as many as what is sent. So they share a part of the room's outgoing
// datagrams, as receivers' reports do in RTP (RFC 3550, section 6.2): the more members and the less
// talk, the longer each waits. What is missing is asked for at once all the same. In a small room
// HAVEs cost next to nothing and show early what was lost, so those have a rate that they need not
// go below.
//
// Thread: one at a time. Allocates nothing.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/base/time.h"

namespace chatd {

class HavePace {
 public:
  static constexpr std::uint32_t kMinIntervalMs = 1000;
  // After which a member is to be heard anyhow (docs/reference/protocol-v2.md, "Silence").
  static constexpr std::uint32_t kMaxIntervalMs = 25'000;

  // So many datagrams have been sent to a member.
  void count(std::uint32_t datagrams) { datagrams_ += datagrams; }
  // From what was sent in the last seconds, to a room that has so many members now.
  void adapt(TimeMs now_ms, std::uint32_t members) {
    if (now_ms < since_ms_ + kWindowMs) return;
    const std::uint64_t sent_per_s = datagrams_ * 1000 / std::max<TimeMs>(now_ms - since_ms_, 1);
    const std::uint64_t haves_per_s = std::max(kFreeHavesPerS, sent_per_s * kPerMille / 1000);
    interval_ms_ = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(
        std::uint64_t{members} * 1000 / haves_per_s, kMinIntervalMs, kMaxIntervalMs));
    since_ms_ = now_ms;
    datagrams_ = 0;
  }
  std::uint32_t interval_ms() const { return interval_ms_; }
  bool is_long() const { return interval_ms_ > kMinIntervalMs; }

 private:
  static constexpr std::uint64_t kFreeHavesPerS = 100;
  // Less than the 5 % of RFC 3550: members send up to a quarter sooner, so as not to do it at once.
  static constexpr std::uint64_t kPerMille = 35;
  static constexpr TimeMs kWindowMs = 5000;

  TimeMs since_ms_ = 0;
  std::uint64_t datagrams_ = 0;
  std::uint32_t interval_ms_ = kMinIntervalMs;
};

}  // namespace chatd
