#include "client/chat/process_start.h"

#include <fcntl.h>
#include <langinfo.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace chatd::client {

void open_standard_streams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    // The lowest free number is the missing one. Nobody may write there: what has nowhere to go is
    // an error, as it is on a closed stream.
    const int opened = ::open("/dev/null", O_RDONLY);
    if (opened != fd) std::_Exit(1);
  }
}

void use_utf8() {
  std::setlocale(LC_ALL, "");
  if (std::strcmp(::nl_langinfo(CODESET), "UTF-8") != 0) std::setlocale(LC_CTYPE, "C.UTF-8");
}

int tell(const char* program, const std::string& text) {
  if (std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0) return 0;
  std::fprintf(stderr, "%s: stdout cannot be written: %s\n", program, std::strerror(errno));
  return 1;
}

}  // namespace chatd::client
