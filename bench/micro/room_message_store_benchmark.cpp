// core/room/message_store.h: a message's way into its room's queue and out of it.
#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "bench/micro/relay_world.h"
#include "core/room/message_store.h"

namespace chatd::bench {
namespace {

void message_store_push_copy_pop(benchmark::State& state) {
  constexpr std::uint32_t kMessages = 64;
  const std::string payload = message_payload("alice", static_cast<std::size_t>(state.range(0)));
  MessageStore store(64 * 1024);
  MessageQueue queue;
  std::array<char, 64 * 1024> laid_out;
  for (auto _ : state) {
    for (std::uint32_t i = 0; i < kMessages; ++i) {
      if (!store.push(queue, i, payload)) return state.SkipWithError("the store is full");
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
}  // namespace chatd::bench
