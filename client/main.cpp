// `chat`, the terminal client of chatd.

#include <fcntl.h>
#include <langinfo.h>
#include <unistd.h>

#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "client/chat/app.h"
#include "client/chat/options.h"

namespace {

// A program started without one of its standard streams would give that number to the next socket
// it opens, and print into it.
void open_standard_streams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    // The lowest free number is the missing one.
    const int opened = ::open("/dev/null", O_RDWR);
    if (opened != fd) std::_Exit(1);
  }
}

// Chat is UTF-8 whatever the locale says; the line editor needs one that knows.
void use_utf8() {
  std::setlocale(LC_ALL, "");
  if (std::strcmp(::nl_langinfo(CODESET), "UTF-8") != 0) std::setlocale(LC_CTYPE, "C.UTF-8");
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_streams();
  use_utf8();
  std::signal(SIGPIPE, SIG_IGN);
  int exit_code = 0;
  const auto options = chatd::client::parse_options(argc, argv, exit_code);
  if (!options) return exit_code;
  return static_cast<int>(chatd::client::App(*options).run());
}
