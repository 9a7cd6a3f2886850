// core/relay/relay.h: the whole relay in memory, by what comes in.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>

#include "bench/micro/relay_world.h"

namespace chatd::bench {
namespace {

// A message of 128 bytes to a room where nobody else is: it is parsed, its token, room and address
// are checked, and its payload is read, but there is nothing to send. This is what each datagram
// costs before any delivery.
void relay_authenticate_message(benchmark::State& state) {
  RelayWorld world(1, 1);
  for (auto _ : state) world.say(0);
  if (world.relay().counters()[Counter::kMessagesAccepted] !=
      static_cast<std::uint64_t>(state.iterations())) {
    state.SkipWithError("not all messages were accepted");
  }
}
BENCHMARK(relay_authenticate_message);

void relay_heartbeat(benchmark::State& state) {
  RelayWorld world(1, 1);
  for (auto _ : state) world.beat(0);
  if (world.relay().counters()[Counter::kHeartbeats] !=
      static_cast<std::uint64_t>(state.iterations())) {
    state.SkipWithError("not all heartbeats were accepted");
  }
}
BENCHMARK(relay_heartbeat);

// Time per delivery is what `items_per_second` says, inverted. `window`: so many messages wait
// before the room has its turn; with 1, each message goes out alone.
void relay_per_delivery(benchmark::State& state) {
  const auto members = static_cast<std::uint32_t>(state.range(0));
  const std::int64_t window = state.range(1);
  RelayWorld world(1, members);
  std::uint32_t sender = 0;
  for (auto _ : state) {
    for (std::int64_t i = 0; i < window; ++i) {
      world.say(sender);
      sender = (sender + 1) % members;
    }
    world.serve_rooms();
  }
  const std::int64_t deliveries = state.iterations() * window * (members - 1);
  if (world.relay().counters()[Counter::kDeliveriesPlanned] !=
      static_cast<std::uint64_t>(deliveries)) {
    state.SkipWithError("not all messages were accepted");
  }
  state.SetItemsProcessed(deliveries);
}
BENCHMARK(relay_per_delivery)
    ->ArgNames({"members", "window"})
    ->ArgsProduct({{10, 100, 1'000, 10'000}, {1, 16, 64}});

// A message somewhere in many rooms of ten: what a cache cannot hold.
void relay_many_rooms(benchmark::State& state) {
  const auto rooms = static_cast<std::uint32_t>(state.range(0));
  constexpr std::uint32_t kMembers = 10;
  RelayWorld world(rooms, kMembers);
  std::size_t step = 0;
  for (auto _ : state) {
    // The factor has no divisor in common with the numbers of members, which are powers of ten.
    world.say(static_cast<std::uint32_t>(step++ * 7'368'787 % (rooms * kMembers)));
    world.serve_rooms();
  }
  state.SetItemsProcessed(state.iterations() * (kMembers - 1));
}
BENCHMARK(relay_many_rooms)->ArgName("rooms")->Arg(1)->Arg(100)->Arg(10'000);

void relay_join_and_leave(benchmark::State& state) {
  RelayWorld world(1, static_cast<std::uint32_t>(state.range(0)));
  for (auto _ : state) world.join_and_leave();
}
BENCHMARK(relay_join_and_leave)->ArgName("members")->Arg(10)->Arg(1'000);

}  // namespace
}  // namespace chatd::bench
