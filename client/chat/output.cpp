#include "client/chat/output.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <limits>

#include "client/net/wait.h"

namespace chatd::client {

void Output::write_line(std::string_view line) {
  const std::string text = std::string(line) + '\n';
  std::string_view unwritten = text;
  while (!unwritten.empty() && state_ == State::kOpen) {
    // A pipe that is ready takes PIPE_BUF bytes without blocking, so ^C is always heard.
    const auto ready =
        wait_for(fd_, POLLOUT, std::numeric_limits<std::int64_t>::max(), interrupt_fd_);
    if (ready == WaitResult::kInterrupted) return;
    const std::string_view piece = unwritten.substr(0, PIPE_BUF);
    const ssize_t written = ::write(fd_, piece.data(), piece.size());
    if (written >= 0) {
      unwritten.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EPIPE) {
      state_ = State::kReaderGone;
    } else if (errno != EINTR && errno != EAGAIN) {
      state_ = State::kFailed;
    }
  }
}

}  // namespace chatd::client
