// chatd_naive: a plain UDP relay, for comparison only.
#include <cstdio>

#include "bench/baselines/bare_socket.h"
#include "bench/baselines/naive/naive_relay.h"

int main(int argc, char** argv) {
  const auto options = chatd::bench::parse_bare_options(
      "chatd_naive", "A plain recvfrom/sendto relay, to compare chatd with. Nothing to use.", argc,
      argv);
  if (!options) return options.error();
  const auto socket = chatd::bench::open_bare_socket("naive", *options);
  if (!socket) {
    std::fprintf(stderr, "chatd_naive: %s\n", socket.error().c_str());
    return 1;
  }
  chatd::bench::NaiveRelay(socket->get()).run();
}
