// core/wire/v1/payload.h: is it JSON, and in the member's own name.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>

#include "bench/micro/relay_world.h"
#include "core/wire/v1/payload.h"

namespace chatd::bench {
namespace {

void payload_check(benchmark::State& state) {
  const auto size_bytes = static_cast<std::size_t>(state.range(0));
  const PaddedBytes payload(message_payload("alice", size_bytes));
  PayloadReader reader;
  if (reader.read(payload.view(), "alice") != PayloadKind::kMessage) {
    return state.SkipWithError("this is not a message");
  }
  for (auto _ : state) benchmark::DoNotOptimize(reader.read(payload.view(), "alice"));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size_bytes));
}
BENCHMARK(payload_check)->ArgName("bytes")->Arg(128)->Arg(1024)->Arg(4000);

}  // namespace
}  // namespace chatd::bench
