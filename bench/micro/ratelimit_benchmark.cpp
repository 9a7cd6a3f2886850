// core/ratelimit: what a message pays for its sender's limits, and a stranger's datagram for its
// source's.
#include <benchmark/benchmark.h>

#include <cstdint>

#include "core/ratelimit/hashed_buckets.h"
#include "core/ratelimit/member_rate_limiter.h"
#include "core/ratelimit/token_bucket.h"

namespace chatd::bench {
namespace {

// A millisecond between two, so that the bucket never runs dry.
void token_bucket_take(benchmark::State& state) {
  TokenRate rate{.units = 1'000, .burst_ms = 2'000};
  benchmark::DoNotOptimize(rate);  // the compiler must not divide by a constant
  TokenBucket bucket;
  TimeMs now_ms = 1'000'000;
  for (auto _ : state) benchmark::DoNotOptimize(bucket.take(++now_ms, rate));
}
BENCHMARK(token_bucket_take);

void token_bucket_refuse(benchmark::State& state) {
  TokenRate rate{.units = 1};
  benchmark::DoNotOptimize(rate);
  TokenBucket bucket;
  bucket.take(1'000'000, rate);
  for (auto _ : state) benchmark::DoNotOptimize(bucket.take(1'000'000, rate));
}
BENCHMARK(token_bucket_refuse);

void member_allowance_take(benchmark::State& state) {
  AbuseLimits limits{.max_member_messages_per_s = 1'000};
  benchmark::DoNotOptimize(limits);
  MemberRateLimiter rate_limiter;
  TimeMs now_ms = 1'000'000;
  for (auto _ : state) {
    benchmark::DoNotOptimize(rate_limiter.take_payload(++now_ms, limits) &&
                             rate_limiter.take_bytes(now_ms, limits, 128, 100));
  }
}
BENCHMARK(member_allowance_take);

void bucket_table_take(benchmark::State& state) {
  HashedBuckets buckets(4'096, {1, 2, 3});
  std::uint32_t number = 0;
  for (auto _ : state) {
    const std::uint32_t n = ++number;
    const auto byte = [n](std::uint32_t shift) { return static_cast<std::uint8_t>(n >> shift); };
    const IpAddress source = IpAddress::from_v4({10, byte(16), byte(8), byte(0)});
    benchmark::DoNotOptimize(buckets[source].take(1'000'000, {.units = 1}));
  }
}
BENCHMARK(bucket_table_take);

}  // namespace
}  // namespace chatd::bench
