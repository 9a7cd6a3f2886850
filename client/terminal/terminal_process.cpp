#include "client/terminal/terminal_process.h"

#include <fcntl.h>
#include <langinfo.h>
#include <sys/signalfd.h>
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

ScopedTermios::ScopedTermios(tcflag_t cleared, tcflag_t set) : cleared_(cleared), set_(set) {
  enter();
}

void ScopedTermios::enter() {
  if (active_ || ::tcgetattr(STDIN_FILENO, &before_) != 0) return;
  termios changed = before_;
  changed.c_lflag = (changed.c_lflag & ~cleared_) | set_;
  // For input that is not read by lines: a read returns with the first byte.
  changed.c_cc[VMIN] = 1;
  changed.c_cc[VTIME] = 0;
  active_ = ::tcsetattr(STDIN_FILENO, TCSADRAIN, &changed) == 0;
}

void ScopedTermios::leave() {
  if (!active_) return;
  active_ = false;
  ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
}

}  // namespace chatd::client
