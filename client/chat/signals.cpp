#include "client/chat/signals.h"

#include <sys/signalfd.h>

namespace chatd::client {

Signals Signals::that_end() {
  return watch({SIGINT, SIGTERM, SIGHUP});
}

Signals Signals::of_terminal() {
  return watch({SIGWINCH, SIGTSTP});
}

Signals Signals::watch(std::initializer_list<int> signals) {
  sigset_t watched;
  sigemptyset(&watched);
  for (const int signal : signals) sigaddset(&watched, signal);
  ::pthread_sigmask(SIG_BLOCK, &watched, nullptr);
  return Signals(FileDescriptor(::signalfd(-1, &watched, SFD_NONBLOCK | SFD_CLOEXEC)), watched);
}

Signals::~Signals() {
  if (fd_.valid()) ::pthread_sigmask(SIG_UNBLOCK, &watched_, nullptr);
}

std::optional<int> Signals::take() {
  signalfd_siginfo info{};
  if (::read(fd(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

}  // namespace chatd::client
