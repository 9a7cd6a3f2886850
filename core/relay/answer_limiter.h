// How often a source that is not authenticated gets an answer: once a second. The sources of
// datagrams may be spoofed, so nothing is allocated for them: a fixed table holds the time of the
// last answer under a keyed hash of the address. Two addresses that share an entry share its
// answers, and no more than one answer per entry and second ever leaves. Thread: one at a time.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "core/address/ip_address.h"
#include "core/container/keyed_hash.h"
#include "core/timer/timestamp.h"

namespace chatd {

class AnswerLimiter {
 public:
  explicit AnswerLimiter(const KeyedHash::Key& hash_key)
      : hash_(hash_key), next_answer_ms_(kEntries) {}

  // Whether an answer may be sent to this address now; if so, it counts.
  bool allow(TimeMs now_ms, const IpAddress& to) {
    const std::string_view bytes(reinterpret_cast<const char*>(to.bytes().data()),
                                 to.bytes().size());
    TimeMs& next_ms = next_answer_ms_[hash_(bytes) % kEntries];
    if (now_ms < next_ms) return false;
    next_ms = now_ms + kIntervalMs;
    return true;
  }

 private:
  static constexpr std::size_t kEntries = 4096;
  static constexpr TimeMs kIntervalMs = 1000;

  KeyedHash hash_;
  std::vector<TimeMs> next_answer_ms_;
};

}  // namespace chatd
