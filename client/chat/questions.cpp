#include "client/chat/questions.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <limits>

#include "client/chat/local_modes.h"
#include "client/net/wait.h"

namespace chatd::client {
namespace {

std::optional<std::string> read_line(int interrupt_fd) {
  std::string line;
  for (;;) {
    const auto ready =
        wait_for(STDIN_FILENO, POLLIN, std::numeric_limits<std::int64_t>::max(), interrupt_fd);
    if (ready == WaitResult::kInterrupted) return std::nullopt;
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
  // Of what is typed in hiding, the line end alone is shown.
  std::optional<LocalModes> hidden;
  if (echo == Echo::kHidden) hidden.emplace(ECHO, ECHONL);
  std::fwrite(question.data(), 1, question.size(), stdout);
  std::fflush(stdout);
  auto answer = read_line(interrupt_fd);
  if (!answer) std::fputc('\n', stdout);
  return answer;
}

}  // namespace chatd::client
