#include "client/chat/output.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>

namespace chatd::client {

void Output::write_line(std::string_view line) {
  if (state_ != State::kOpen) return;
  // Before more is added, so that what has been written need not be moved for each line.
  if (written_bytes_ == pending_.size() || written_bytes_ >= kEnoughPendingBytes) {
    pending_.erase(0, written_bytes_);
    written_bytes_ = 0;
  }
  pending_.append(line).push_back('\n');
  write_some();
}

void Output::write_some() {
  while (has_pending()) {
    pollfd ready{.fd = fd_, .events = POLLOUT, .revents = 0};
    if (::poll(&ready, 1, 0) <= 0) return;
    // A pipe that is ready takes PIPE_BUF bytes without blocking.
    const std::string_view piece =
        std::string_view(pending_).substr(written_bytes_).substr(0, PIPE_BUF);
    const ssize_t written = ::write(fd_, piece.data(), piece.size());
    if (written >= 0) {
      written_bytes_ += static_cast<std::size_t>(written);
    } else if (errno == EPIPE) {
      state_ = State::kReaderGone;
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != EINTR) {
      state_ = State::kFailed;
      error_ = errno;
    }
  }
}

std::string Output::failure() const {
  return std::string("stdout cannot be written: ") + std::strerror(error_);
}

WaitResult Output::flush(std::int64_t deadline_ms, int interrupt_fd) {
  write_some();
  while (has_pending()) {
    const WaitResult result = wait_for(fd_, POLLOUT, deadline_ms, interrupt_fd);
    if (result != WaitResult::kReady) return result;
    write_some();
  }
  return WaitResult::kReady;
}

}  // namespace chatd::client
