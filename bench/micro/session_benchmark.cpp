// Members with protocol v2: what it costs to open what they say, and to bundle and seal it for
// others.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>

#include "bench/micro/sealed_world.h"

namespace chatd::bench {
namespace {

// Sealed at a time, while the clock stands.
constexpr std::size_t kBatch = 4'096;

void check_accepted(benchmark::State& state, const SealedWorld& world, std::int64_t messages) {
  if (world.relay().counters()[Counter::kMessagesAccepted] !=
      static_cast<std::uint64_t>(messages)) {
    state.SkipWithError("not all messages were accepted");
  }
}

// A message of 128 bytes, alone in its datagram, to a room where nobody else is: the datagram is
// opened, its frames are read, and the message becomes an entry of the log.
void session_open_and_accept(benchmark::State& state) {
  SealedWorld world(1);
  std::size_t left = 0;
  for (auto _ : state) {
    if (left-- == 0) {
      state.PauseTiming();
      world.serve_rooms();
      world.seal(kBatch);
      left = kBatch - 1;
      state.ResumeTiming();
    }
    world.say_next();
  }
  check_accepted(state, world, state.iterations());
}
BENCHMARK(session_open_and_accept);

// Time per delivery is what `items_per_second` says, inverted. `window`: so many messages wait
// before the room has its turn. `v1`: so many of the members have protocol v1.
void session_per_delivery(benchmark::State& state) {
  const auto members = static_cast<std::uint32_t>(state.range(0));
  const auto window = static_cast<std::size_t>(state.range(1));
  const auto v1_members = static_cast<std::uint32_t>(state.range(2));
  SealedWorld world(members - v1_members, v1_members);
  for (auto _ : state) {
    state.PauseTiming();
    world.seal(window);
    state.ResumeTiming();
    for (std::size_t i = 0; i < window; ++i) world.say_next();
    world.serve_rooms();
  }
  const std::int64_t messages = state.iterations() * state.range(1);
  check_accepted(state, world, messages);
  state.SetItemsProcessed(messages * (members - 1));
}
BENCHMARK(session_per_delivery)
    ->ArgNames({"members", "window", "v1"})
    ->ArgsProduct({{10, 1'000}, {1, 16, 64}, {0}})
    ->Args({1'000, 1, 500})
    ->Args({1'000, 16, 500})
    ->Args({1'000, 64, 500});

}  // namespace
}  // namespace chatd::bench
