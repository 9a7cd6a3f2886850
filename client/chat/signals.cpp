#include "client/chat/signals.h"

#include <sys/signalfd.h>

namespace chatd::client {

Signals Signals::that_end() {
  return watch({SIGINT, SIGTERM, SIGHUP, SIGQUIT});
}

Signals Signals::of_terminal() {
  return watch({SIGWINCH, SIGTSTP});
}

Signals Signals::watch(std::initializer_list<int> signals) {
  sigset_t watched;
  sigemptyset(&watched);
  for (const int signal : signals) {
    struct sigaction action {};
    const bool is_ignored =
        ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
    // SIGWINCH and SIGCHLD are ignored by default (SIG_DFL), which is something else.
    if (!is_ignored) sigaddset(&watched, signal);
  }
  ::pthread_sigmask(SIG_BLOCK, &watched, nullptr);
  return Signals(UniqueFd(::signalfd(-1, &watched, SFD_NONBLOCK | SFD_CLOEXEC)), watched);
}

Signals::~Signals() {
  if (fd_) ::pthread_sigmask(SIG_UNBLOCK, &watched_, nullptr);
}

std::optional<int> Signals::take() {
  signalfd_siginfo info{};
  if (::read(fd(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

}  // namespace chatd::client
