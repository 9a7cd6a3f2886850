#include "server/process/stop_signal.h"

#include <pthread.h>
#include <sys/signalfd.h>

#include <csignal>

#include "server/process/system_error.h"

namespace chatd {

tl::expected<UniqueFd, std::string> open_stop_signal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &signals, nullptr); error != 0) {
    return tl::unexpected(system_error("pthread_sigmask", error));
  }
  UniqueFd fd(::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd) return tl::unexpected(system_error("signalfd"));
  return fd;
}

}  // namespace chatd
