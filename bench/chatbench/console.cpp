#include "bench/chatbench/console.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <cstdio>
#include <initializer_list>

#include "client/net/wait.h"
#include "client/terminal/sanitize.h"

namespace chatd::bench {

namespace {

// A short write is an error as well, and so is one that a file system reports only at the end.
bool write_all(std::FILE* file, std::string_view text) {
  return std::fwrite(text.data(), 1, text.size(), file) == text.size() && std::fflush(file) == 0;
}

}  // namespace

void say(const std::string& text) {
  std::fprintf(stderr, "chatbench: %s\n", client::sanitize(text).c_str());
}

bool print(std::string_view text) {
  errno = 0;
  if (write_all(stdout, text)) return true;
  say("stdout cannot be written: " + client::system_reason(errno));
  return false;
}

bool write_file(const std::string& path, std::string_view text) {
  errno = 0;
  std::FILE* const file = std::fopen(path.c_str(), "wbe");
  bool is_written = file != nullptr && write_all(file, text);
  int error = errno;
  if (file != nullptr && std::fclose(file) != 0 && is_written) {
    is_written = false;
    error = errno;
  }
  if (!is_written) say("cannot write " + path + ": " + client::system_reason(error));
  return is_written;
}

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
