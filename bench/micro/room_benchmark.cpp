// core/room: the parts that each message passes.
#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "bench/micro/relay_world.h"
#include "core/room/message_store.h"
#include "core/room/train_planner.h"

namespace chatd::bench {

// core/room/message_store.h: a message's way into its room's queue and out of it.

namespace {

void message_store_push_copy_pop(benchmark::State& state) {
  constexpr std::uint32_t kMessages = 64;
  const std::string payload = message_payload("alice", static_cast<std::size_t>(state.range(0)));
  MessageStore store(64 * 1024);
  MessageQueue queue;
  std::array<char, 64 * 1024> laid_out;
  for (auto _ : state) {
    for (std::uint32_t i = 0; i < kMessages; ++i) {
      const NewEntry entry{
          .sender = i,
          .entry = {
              .member = i + 1, .content_type = v2::ContentType::kV1Payload, .bytes = payload}};
      if (!store.push(queue, entry)) return state.SkipWithError("the store is full");
    }
    std::uint32_t message = queue.first;
    char* end = laid_out.data();
    for (std::uint32_t i = 0; i < kMessages; ++i, message = store.next(message)) {
      end = store.copy_to(message, laid_out.data());
    }
    benchmark::DoNotOptimize(end);
    while (queue.count > 0) store.pop(queue);
  }
  state.SetItemsProcessed(state.iterations() * kMessages);
}
BENCHMARK(message_store_push_copy_pop)->ArgName("bytes")->Arg(128)->Arg(1024);

}  // namespace

// core/room/train_planner.h: once per room and turn, whatever the room's size.

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
