// `chatctl`, the operator's tool.
#include <csignal>
#include <cstdio>
#include <exception>

#include "client/ctl/commands.h"
#include "client/ctl/options.h"
#include "client/terminal/terminal_process.h"

int main(int argc, char** argv) {
  using namespace chatd::client;
  open_standard_streams();
  use_utf8();
  std::signal(SIGPIPE, SIG_IGN);
  try {
    int exit_code = 0;
    const auto options = ctl::parse_options(argc, argv, exit_code);
    if (!options) return exit_code;
    return static_cast<int>(ctl::Commands(*options).run());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "chatctl: this has not worked: %s\n", error.what());
  }
  return static_cast<int>(ctl::ExitCode::kNotDone);
}
