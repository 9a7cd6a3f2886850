#include "server/life/signals.h"

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "server/process/system_error.h"

namespace chatd {

int signal_for(Order order) {
  switch (order) {
    case Order::kReload:
      return SIGHUP;
    case Order::kHandOver:
      return SIGUSR1;
    case Order::kDrain:
      return SIGUSR2;
    case Order::kStop:
      break;
  }
  return SIGTERM;
}

tl::expected<Signals, std::string> Signals::open() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2}) sigaddset(&signals, signal);
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &signals, nullptr); error != 0) {
    return tl::unexpected(system_error("pthread_sigmask", error));
  }
  UniqueFd fd(::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd) return tl::unexpected(system_error("signalfd"));
  return Signals(std::move(fd));
}

Order Signals::take() const {
  signalfd_siginfo signal{};
  ssize_t size_bytes = 0;
  do {
    size_bytes = ::read(fd_.get(), &signal, sizeof signal);
  } while (size_bytes < 0 && errno == EINTR);
  if (size_bytes != static_cast<ssize_t>(sizeof signal)) return Order::kStop;
  switch (signal.ssi_signo) {
    case SIGHUP:
      return Order::kReload;
    case SIGUSR1:
      return Order::kHandOver;
    case SIGUSR2:
      return Order::kDrain;
    default:
      return Order::kStop;
  }
}

}  // namespace chatd
