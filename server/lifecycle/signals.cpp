#include "server/lifecycle/signals.h"

#include <pthread.h>
#include <spdlog/spdlog.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "server/os/system_error.h"

namespace chatd {
namespace {

struct Meaning {
  const char* name;
  int signal;
  Command command;
};

constexpr Meaning kMeanings[] = {{"SIGTERM", SIGTERM, Command::kStop},
                                 {"SIGINT", SIGINT, Command::kStop},
                                 {"SIGHUP", SIGHUP, Command::kReload},
                                 {"SIGUSR1", SIGUSR1, Command::kHandOver},
                                 {"SIGUSR2", SIGUSR2, Command::kDrain}};

bool is_ignored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

tl::expected<Signals, std::string> Signals::open() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const Meaning& each : kMeanings) {
    if (!is_ignored(each.signal)) {
      sigaddset(&signals, each.signal);
      continue;
    }
    spdlog::info("{} was ignored when chatd was started (as nohup and & have it), and stays so",
                 each.name);
  }
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &signals, nullptr); error != 0) {
    return tl::unexpected(system_error("pthread_sigmask", error));
  }
  UniqueFd fd(::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd) return tl::unexpected(system_error("signalfd"));
  return Signals(std::move(fd));
}

Command Signals::take() const {
  signalfd_siginfo signal{};
  ssize_t size_bytes = 0;
  do {
    size_bytes = ::read(fd_.get(), &signal, sizeof signal);
  } while (size_bytes < 0 && errno == EINTR);
  if (size_bytes != static_cast<ssize_t>(sizeof signal)) return Command::kStop;
  for (const Meaning& each : kMeanings) {
    if (each.signal == static_cast<int>(signal.ssi_signo)) return each.command;
  }
  return Command::kStop;
}

}  // namespace chatd
