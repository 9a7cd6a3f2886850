// core/base: the containers.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/keyed_hash.h"
#include "core/base/slot_index.h"
#include "core/base/timer_wheel.h"

namespace chatd::bench {

// core/base/slot_index.h against std::unordered_map: a member is found by its name among a
// million. Both hash with SipHash under a key, since clients choose the names.

namespace {

constexpr KeyedHash::Key kHashKey = {1, 2, 3, 4, 5, 6, 7, 8};

struct Name {
  std::string_view text;
  bool operator==(const Name&) const = default;
  std::uint64_t hash_with(const KeyedHash& hash) const { return hash(text); }
};

struct NameOfSlot {
  const std::vector<std::string>* names;
  Name operator()(std::uint32_t slot) const { return {(*names)[slot]}; }
};

using Flat = SlotIndex<Name, NameOfSlot>;

struct HashOfName {
  std::size_t operator()(const std::string& name) const { return KeyedHash(kHashKey)(name); }
};
using Unordered = std::unordered_map<std::string, std::uint32_t, HashOfName>;

// Made once: Google Benchmark calls each function several times.
const std::vector<std::string>& names_for(std::int64_t count) {
  static std::map<std::int64_t, std::vector<std::string>> made;
  std::vector<std::string>& names = made[count];
  while (static_cast<std::int64_t>(names.size()) < count) {
    names.push_back("member-" + std::to_string(names.size()));
  }
  return names;
}

// Visits all names in an order that no cache foresees: the factor has no divisor in common with the
// counts below, which are powers of ten.
std::size_t visit(std::size_t step, std::size_t count) {
  return step * 7'368'787 % count;
}

void index_find_flat(benchmark::State& state) {
  const auto& names = names_for(state.range(0));
  Flat index(static_cast<std::uint32_t>(names.size()), KeyedHash(kHashKey), NameOfSlot{&names});
  for (std::uint32_t slot = 0; slot < names.size(); ++slot) index.insert(slot);
  std::size_t step = 0;
  for (auto _ : state) {
    const auto slot = index.find({names[visit(step++, names.size())]});
    if (!slot) return state.SkipWithError("a name is missing");
    benchmark::DoNotOptimize(slot);
  }
}
BENCHMARK(index_find_flat)->ArgName("names")->Arg(1'000)->Arg(1'000'000);

void index_find_unordered_map(benchmark::State& state) {
  const auto& names = names_for(state.range(0));
  Unordered index(names.size());
  for (std::uint32_t slot = 0; slot < names.size(); ++slot) index.emplace(names[slot], slot);
  std::size_t step = 0;
  for (auto _ : state) {
    const auto found = index.find(names[visit(step++, names.size())]);
    if (found == index.end()) return state.SkipWithError("a name is missing");
    benchmark::DoNotOptimize(found->second);
  }
}
BENCHMARK(index_find_unordered_map)->ArgName("names")->Arg(1'000)->Arg(1'000'000);

void index_insert_and_erase_flat(benchmark::State& state) {
  const auto& names = names_for(state.range(0));
  Flat index(static_cast<std::uint32_t>(names.size()), KeyedHash(kHashKey), NameOfSlot{&names});
  for (std::uint32_t slot = 1; slot < names.size(); slot += 2) index.insert(slot);
  std::size_t step = 0;
  for (auto _ : state) {
    const auto slot = static_cast<std::uint32_t>(visit(step++, names.size()) & ~std::size_t{1});
    index.insert(slot);
    index.erase(slot);
  }
}
BENCHMARK(index_insert_and_erase_flat)->ArgName("names")->Arg(1'000)->Arg(1'000'000);

void index_insert_and_erase_unordered_map(benchmark::State& state) {
  const auto& names = names_for(state.range(0));
  Unordered index(names.size());
  for (std::uint32_t slot = 1; slot < names.size(); slot += 2) index.emplace(names[slot], slot);
  std::size_t step = 0;
  for (auto _ : state) {
    const auto slot = static_cast<std::uint32_t>(visit(step++, names.size()) & ~std::size_t{1});
    index.emplace(names[slot], slot);
    index.erase(names[slot]);
  }
}
BENCHMARK(index_insert_and_erase_unordered_map)->ArgName("names")->Arg(1'000)->Arg(1'000'000);

}  // namespace

// core/base/timer_wheel.h with a million members: what a join, a heartbeat and a timeout cost.

namespace {

constexpr std::uint32_t kTimers = 1'000'000;
constexpr TimeMs kStartMs = 1'000'000;
constexpr TimeMs kIdleTimeoutMs = 300'000;

// Members that were heard at any time within the last timeout, as in a server that has run a while.
std::unique_ptr<TimerWheel> busy_wheel() {
  auto wheel = std::make_unique<TimerWheel>(kTimers, kStartMs);
  std::mt19937 random(1);
  for (std::uint32_t slot = 0; slot < kTimers; ++slot) {
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
    } while (state_ >= kTimers);
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
