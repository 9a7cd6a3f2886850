// How things are spread: how many receivers messages have, how long turns take. Kept in buckets
// that double in width, so that taking a measure is an addition to an array, and an operator still
// sees what the slow ones are. The core histograms what it decides, the server what takes time.
//
// Plain numbers with one writer, the shard's thread; who else wants them asks there
// (server/group/task.h). Thread: one at a time.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace chatd {

// Bucket 0 counts zeros, bucket n values from 2^(n-1) to 2^n - 1; the last one also all above.
class Log2Buckets {
 public:
  static constexpr std::size_t kCount = 22;

  void add(std::uint64_t value, std::uint64_t times = 1) { counts_[bucket_of(value)] += times; }
  void add(const Log2Buckets& other) {
    for (std::size_t i = 0; i < kCount; ++i) counts_[i] += other.counts_[i];
  }

  const std::array<std::uint64_t, kCount>& counts() const { return counts_; }
  // The largest value that bucket `index` is for; the last one has none.
  static constexpr std::uint64_t highest_in(std::size_t index) {
    return (std::uint64_t{1} << index) - 1;
  }

 private:
  static std::size_t bucket_of(std::uint64_t value) {
    return std::min(static_cast<std::size_t>(std::bit_width(value)), kCount - 1);
  }

  std::array<std::uint64_t, kCount> counts_{};
};

// The same with the sum of all values.
struct Histogram {
  Log2Buckets buckets;
  std::uint64_t sum = 0;

  void add(std::uint64_t value, std::uint64_t times = 1) {
    buckets.add(value, times);
    sum += value * times;
  }
  void add(const Histogram& other) {
    buckets.add(other.buckets);
    sum += other.sum;
  }
};

struct RelayHistograms {
  // Of each message within its sender's rate. Their sum is Counter::kDeliveriesPlanned.
  Log2Buckets receivers;
  // Datagrams that a turn has taken in, where it was any.
  Histogram turn_datagrams;
  // How long such a turn takes, from waking up to having sent, in microseconds; also that of turns
  // that only send what an earlier one had to leave.
  Histogram turn_us;
  // For each datagram a bound of its time within chatd, in microseconds: from the beginning of the
  // turn that has taken it in until all was sent that waited (server/shard/loop_timer.h).
  Histogram latency_us;

  void add(const RelayHistograms& other) {
    receivers.add(other.receivers);
    turn_datagrams.add(other.turn_datagrams);
    turn_us.add(other.turn_us);
    latency_us.add(other.latency_us);
  }
};

}  // namespace chatd
