// core/wire/v1: from bytes to values.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "bench/micro/relay_world.h"
#include "client/lib/request.h"
#include "core/base/limits.h"
#include "core/wire/v1/datagram.h"
#include "core/wire/v1/frame.h"
#include "core/wire/v1/join_request.h"
#include "core/wire/v1/payload.h"

namespace chatd::bench {

// core/wire/v1/datagram.h: the header of what a client sends.

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

// core/wire/v1/payload.h: is it JSON, and in the member's own name.

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

// core/wire/v1/frame.h and core/wire/v1/join_request.h: a request to join, from bytes to values.

namespace {

void request_parse(benchmark::State& state) {
  const std::string request = client::encode_entry_request({.operation = Operation::kJoin,
                                                            .room = "room-17",
                                                            .username = "alice",
                                                            .password = "",
                                                            .udp_ip = "",
                                                            .udp_port = 20'000});
  JoinRequestReader reader;
  const Limits limits;
  if (!reader.read(decode_frame(request, limits.max_frame_bytes).frame.payload)) {
    return state.SkipWithError("this is not a request");
  }
  for (auto _ : state) {
    std::string_view received = request;
    benchmark::DoNotOptimize(received);
    const DecodedFrame decoded = decode_frame(received, limits.max_frame_bytes);
    benchmark::DoNotOptimize(reader.read(decoded.frame.payload));
  }
}
BENCHMARK(request_parse);

}  // namespace

}  // namespace chatd::bench
