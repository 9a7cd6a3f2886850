#include "server/os/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

#include "server/os/system_error.h"

namespace chatd {

tl::expected<void, std::string> open_missing_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) >= 0) continue;
    // The lowest free number is taken, and those below are not free any more.
    if (::open("/dev/null", O_RDWR) < 0) return tl::unexpected(system_error("open /dev/null"));
  }
  return {};
}

}  // namespace chatd
