// core/wire/v1/datagram.h: the header of what a client sends.
#include <benchmark/benchmark.h>

#include <string>

#include "bench/micro/relay_world.h"
#include "core/wire/v1/datagram.h"

namespace chatd::bench {
namespace {

const Token kToken(0, 4711, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});

void parse(benchmark::State& state, const std::string& datagram) {
  if (!parse_client_datagram(datagram)) return state.SkipWithError("this is not a datagram");
  for (auto _ : state) {
    std::string_view bytes = datagram;
    benchmark::DoNotOptimize(bytes);
    benchmark::DoNotOptimize(parse_client_datagram(bytes));
  }
}

void datagram_parse_hex_token(benchmark::State& state) {
  std::string datagram;
  append_client_datagram(datagram, "room-17", kToken, message_payload("alice", kUsualPayloadBytes));
  parse(state, datagram);
}
BENCHMARK(datagram_parse_hex_token);

void datagram_parse_raw_token(benchmark::State& state) {
  std::string datagram = {'\x07', '\x10'};
  datagram.append("room-17").append(kToken.raw());
  datagram += message_payload("alice", kUsualPayloadBytes);
  parse(state, datagram);
}
BENCHMARK(datagram_parse_raw_token);

}  // namespace
}  // namespace chatd::bench
