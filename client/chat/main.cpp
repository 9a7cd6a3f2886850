// `chat`, the terminal client of chatd.

#include <csignal>

#include "client/chat/app.h"
#include "client/chat/options.h"
#include "client/terminal/terminal_process.h"

int main(int argc, char** argv) {
  chatd::client::open_standard_streams();
  chatd::client::use_utf8();
  std::signal(SIGPIPE, SIG_IGN);
  int exit_code = 0;
  const auto options = chatd::client::parse_options(argc, argv, exit_code);
  if (!options) return exit_code;
  return static_cast<int>(chatd::client::App(*options).run());
}
