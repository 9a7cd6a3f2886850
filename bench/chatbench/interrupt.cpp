#include "bench/chatbench/interrupt.h"

#include <sys/eventfd.h>

#include <initializer_list>

namespace chatd::bench {
namespace {

volatile std::sig_atomic_t was_interrupted = 0;
int event_fd = -1;

void on_signal(int) {
  was_interrupted = 1;
  if (event_fd >= 0) ::eventfd_write(event_fd, 1);
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

}  // namespace

void watch_for_interrupts() {
  event_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction before {};
    if (::sigaction(signal, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) continue;
    std::signal(signal, on_signal);
  }
}

const volatile std::sig_atomic_t& interrupted() {
  return was_interrupted;
}

int interrupt_fd() {
  return event_fd;
}

}  // namespace chatd::bench
