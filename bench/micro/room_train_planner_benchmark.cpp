// core/room/train_planner.h: once per room and turn, whatever the room's size.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <random>
#include <vector>

#include "core/room/train_planner.h"

namespace chatd::bench {
namespace {

void plan(benchmark::State& state, const std::vector<MessageShape>& messages) {
  const TrainLimits limits;
  TrainPlan result;
  for (auto _ : state) {
    plan_trains(messages, limits, result);
    benchmark::DoNotOptimize(result.train_count);
    benchmark::ClobberMemory();
  }
  state.counters["trains"] = result.train_count;
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(messages.size()));
}

void trains_of_one_size(benchmark::State& state) {
  std::vector<MessageShape> messages;
  for (std::uint32_t i = 0; i < state.range(0); ++i) {
    messages.push_back({.sender = i % 7, .size_bytes = 130});
  }
  plan(state, messages);
}
BENCHMARK(trains_of_one_size)->ArgName("messages")->Arg(1)->Arg(16)->Arg(64);

// Sizes as people write; `senders` of them in turn.
void trains_of_all_sizes(benchmark::State& state) {
  std::mt19937 random(1);
  std::vector<MessageShape> messages;
  for (std::uint32_t i = 0; i < kMaxPlannedMessages; ++i) {
    const auto senders = static_cast<std::uint32_t>(state.range(0));
    messages.push_back(
        {.sender = i % senders, .size_bytes = 60 + static_cast<std::uint32_t>(random() % 200)});
  }
  plan(state, messages);
}
BENCHMARK(trains_of_all_sizes)->ArgName("senders")->Arg(1)->Arg(8)->Arg(64);

}  // namespace
}  // namespace chatd::bench
