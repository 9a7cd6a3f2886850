// chatd_lower_bound: the bare loop that chatd is measured against.
#include <cstdio>

#include "bench/baselines/bare_relay.h"
#include "bench/baselines/lower_bound/lower_bound_relay.h"

int main(int argc, char** argv) {
  const auto options = chatd::bench::parse_bare_options(
      "chatd_lower_bound", "The least that a relay can do: the yardstick of chatd. Nothing to use.",
      argc, argv);
  if (!options) return options.error();
  const auto socket = chatd::bench::open_bare_socket("lower-bound", *options);
  if (!socket) {
    std::fprintf(stderr, "chatd_lower_bound: %s\n", socket.error().c_str());
    return 1;
  }
  chatd::bench::LowerBoundRelay(socket->get()).run();
}
