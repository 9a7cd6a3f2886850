// core/base/timer_wheel.h with a million members: what a join, a heartbeat and a timeout cost.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <random>

#include "core/base/timer_wheel.h"

namespace chatd::bench {
namespace {

constexpr std::uint32_t kMembers = 1'000'000;
constexpr TimeMs kStartMs = 1'000'000;
constexpr TimeMs kIdleTimeoutMs = 300'000;

// Members that were heard at any time within the last timeout, as in a server that has run a while.
std::unique_ptr<TimerWheel> busy_wheel() {
  auto wheel = std::make_unique<TimerWheel>(kMembers, kStartMs);
  std::mt19937 random(1);
  for (std::uint32_t slot = 0; slot < kMembers; ++slot) {
    wheel->arm(slot, kStartMs + 1 + random() % kIdleTimeoutMs);
  }
  return wheel;
}

// Slots in an order that no cache foresees.
class RandomSlots {
 public:
  std::uint32_t next() {
    // Full period over 2^20, skipping what is beyond the members.
    do {
      state_ = (state_ * 1'664'525u + 1'013'904'223u) & 0xf'ffff;
    } while (state_ >= kMembers);
    return state_;
  }

 private:
  std::uint32_t state_ = 1;
};

void timer_arm(benchmark::State& state) {
  const auto wheel = busy_wheel();
  RandomSlots slots;
  for (auto _ : state) {
    state.PauseTiming();
    constexpr int kBatch = 10'000;  // pausing the clock costs more than a timer
    std::uint32_t batch[kBatch];
    for (std::uint32_t& slot : batch) wheel->disarm(slot = slots.next());
    state.ResumeTiming();
    for (const std::uint32_t slot : batch) wheel->arm(slot, kStartMs + kIdleTimeoutMs);
  }
  state.SetItemsProcessed(state.iterations() * 10'000);
}
BENCHMARK(timer_arm);

// What would have to be paid per message, if the wheel were told of each.
void timer_touch(benchmark::State& state) {
  const auto wheel = busy_wheel();
  RandomSlots slots;
  for (auto _ : state) wheel->arm(slots.next(), kStartMs + kIdleTimeoutMs);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(timer_touch);

// A million members whose deadlines come within a timeout; each was heard meanwhile and is armed
// again, so that the wheel stays as full as it is.
void timer_expire_and_arm_again(benchmark::State& state) {
  const auto wheel = busy_wheel();
  TimeMs now_ms = kStartMs;
  std::int64_t expired = 0;
  for (auto _ : state) {
    ++now_ms;
    while (const auto slot = wheel->pop_expired(now_ms)) {
      wheel->arm(*slot, now_ms + kIdleTimeoutMs);
      ++expired;
    }
  }
  state.SetItemsProcessed(expired);
}
BENCHMARK(timer_expire_and_arm_again);

// What an idle server asks before it sleeps.
void timer_next_deadline(benchmark::State& state) {
  const auto wheel = busy_wheel();
  for (auto _ : state) benchmark::DoNotOptimize(wheel->next_deadline());
}
BENCHMARK(timer_next_deadline);

}  // namespace
}  // namespace chatd::bench
