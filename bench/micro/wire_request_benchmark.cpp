// core/wire/v1/frame.h and core/wire/v1/join_request.h: a request to join, from bytes to values.
#include <benchmark/benchmark.h>

#include <string>

#include "client/lib/request.h"
#include "core/base/limits.h"
#include "core/wire/v1/frame.h"
#include "core/wire/v1/join_request.h"

namespace chatd::bench {
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
