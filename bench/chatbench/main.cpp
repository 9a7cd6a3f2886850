#include <csignal>

#include "bench/chatbench/commands.h"
#include "bench/chatbench/options.h"
#include "client/terminal/terminal_process.h"

int main(int argc, char** argv) {
  using namespace chatd::bench;
  chatd::client::open_standard_streams();
  // A file that may not grow (ulimit -f) is an error like a full disk, and no reason to die.
  std::signal(SIGXFSZ, SIG_IGN);
  const auto options = parse_options(argc, argv);
  if (!options) return options.error();
  return static_cast<int>(options->compare ? compare(*options->compare) : run(*options->run));
}
