// chatd_floor: the bare loop that chatd is measured against.
#include <cstdio>

#include "bench/baseline/bare_socket.h"
#include "bench/floor/floor_relay.h"

int main(int argc, char** argv) {
  const auto options = chatd::bench::parse_bare_options(
      "chatd_floor", "The least that a relay can do: the yardstick of chatd. Nothing to use.", argc,
      argv);
  if (!options) return options.error();
  const auto socket = chatd::bench::open_bare_socket("floor", *options);
  if (!socket) {
    std::fprintf(stderr, "chatd_floor: %s\n", socket.error().c_str());
    return 1;
  }
  chatd::bench::FloorRelay(socket->get()).run();
}
