#include "client/chat/questions.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>

#include "client/terminal/terminal_process.h"

namespace chatd::client {
namespace {

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

// Hides what is typed. While the program is stopped, the shell sets the terminal as it likes, so
// that after `fg` a password would be echoed: ^Z is held back and done here.
class HiddenTyping {
 public:
  int stop_fd() const { return stops_.fd(); }

  // Whether the program was stopped. Returns when it goes on.
  bool stop_if_asked() {
    bool stopped = false;
    while (const auto signal = stops_.take()) {
      if (*signal != SIGTSTP) continue;
      stopped = true;
      print("\n");
      modes_.leave();
      ::kill(::getpid(), SIGSTOP);
      modes_.enter();
    }
    return stopped;
  }

 private:
  // In this order: the terminal is as it was before a stop that has not been taken is delivered.
  Signals stops_ = Signals::of_terminal();
  // The line end alone is shown.
  ScopedTermios modes_{ECHO, ECHONL};
};

std::optional<std::string> read_line(std::string_view question, HiddenTyping* hidden,
                                     int interrupt_fd) {
  std::string line;
  for (;;) {
    std::array<pollfd, 3> watched{{
        {.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
        {.fd = interrupt_fd, .events = POLLIN, .revents = 0},
        {.fd = hidden != nullptr ? hidden->stop_fd() : -1, .events = POLLIN, .revents = 0},
    }};
    if (::poll(watched.data(), watched.size(), -1) < 0) continue;
    if (watched[1].revents != 0) return std::nullopt;
    if (hidden != nullptr && watched[2].revents != 0) {
      if (hidden->stop_if_asked()) print(question);
      continue;
    }
    char byte = 0;
    const ssize_t received = ::read(STDIN_FILENO, &byte, 1);
    if (received < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (received <= 0) return std::nullopt;
    if (byte == '\n') return line;
    line.push_back(byte);
  }
}

}  // namespace

std::optional<std::string> ask(std::string_view question, Echo echo, int interrupt_fd) {
  std::optional<HiddenTyping> hidden;
  if (echo == Echo::kHidden) hidden.emplace();
  print(question);
  auto answer = read_line(question, hidden ? &*hidden : nullptr, interrupt_fd);
  if (!answer) print("\n");
  return answer;
}

}  // namespace chatd::client
