#include "client/net/tcp_connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "client/lib/response.h"
#include "client/net/wait.h"

namespace chatd::client {
namespace {

// RFC 8305, section 5: the recommended connection attempt delay.
constexpr std::int64_t kAttemptDelayMs = 250;
// That are told when none accepts.
constexpr std::size_t kToldFailures = 4;

class Attempts {
 public:
  Attempts(std::vector<Address> addresses, std::int64_t deadline_ms, std::string_view server)
      : addresses_(std::move(addresses)), deadline_ms_(deadline_ms), server_(server) {}

  tl::expected<Connected, Error> run(int interrupt_fd) {
    std::int64_t next_attempt_ms = now_ms();
    for (;;) {
      if (next_ < addresses_.size() && (running_.empty() || now_ms() >= next_attempt_ms)) {
        begin(addresses_[next_++]);
        next_attempt_ms = now_ms() + kAttemptDelayMs;
      }
      if (running_.empty() && next_ == addresses_.size()) return nobody_accepts();
      const std::int64_t until_ms =
          next_ < addresses_.size() ? std::min(next_attempt_ms, deadline_ms_) : deadline_ms_;
      if (wait(until_ms, interrupt_fd)) return failure(ErrorKind::kInterrupted, "interrupted");
      if (won_ != nullptr) return Connected{std::move(won_->socket), won_->peer};
      if (now_ms() >= deadline_ms_) return nobody_accepts();
    }
  }

 private:
  void begin(const Address& address) {
    UniqueFd socket(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket) return fail(address, errno);
    // One that stands at once is writable at once.
    if (::connect(socket.get(), address.get(), address.size_bytes()) != 0 && errno != EINPROGRESS) {
      return fail(address, errno);
    }
    running_.push_back({std::move(socket), address});
  }

  // Until one of them is decided, or the time comes. True: interrupted.
  bool wait(std::int64_t until_ms, int interrupt_fd) {
    std::vector<pollfd> watched{{.fd = interrupt_fd, .events = POLLIN, .revents = 0}};
    for (const Connected& attempt : running_) {
      watched.push_back({.fd = attempt.socket.get(), .events = POLLOUT, .revents = 0});
    }
    if (::poll(watched.data(), watched.size(), poll_timeout_ms(until_ms)) <= 0) return false;
    if (watched[0].revents != 0) return true;
    for (std::size_t i = running_.size(); i > 0; --i) {
      if (watched[i].revents != 0) settle(i - 1);
    }
    return false;
  }

  void settle(std::size_t index) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(running_[index].socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error == 0) {
      won_ = &running_[index];
      return;
    }
    fail(running_[index].peer, error);
    if (won_ == nullptr) running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(index));
  }

  void fail(const Address& address, int error) {
    if (error == ECONNREFUSED) is_refused_ = true;
    tell(address, system_reason(error));
  }
  void tell(const Address& address, const std::string& why) {
    if (++failures_ > kToldFailures) return;
    reasons_ += (reasons_.empty() ? "cannot reach " : "; ") + address.to_string() + ": " + why;
  }

  tl::unexpected<Error> nobody_accepts() {
    if (addresses_.empty()) {
      return failure(ErrorKind::kUnreachable, "there is no address to connect to");
    }
    for (const Connected& attempt : running_) {
      tell(attempt.peer, "no answer in time");
    }
    if (failures_ > kToldFailures) {
      reasons_ += "; and " + std::to_string(failures_ - kToldFailures) + " more addresses";
    }
    if (is_refused_) reasons_ += " (is " + server_ + " running there?)";
    return failure(ErrorKind::kUnreachable, reasons_);
  }

  const std::vector<Address> addresses_;
  const std::int64_t deadline_ms_;
  const std::string server_;
  std::size_t next_ = 0;
  std::vector<Connected> running_;
  Connected* won_ = nullptr;  // of them
  bool is_refused_ = false;
  std::size_t failures_ = 0;
  std::string reasons_;
};

}  // namespace

std::vector<Address> by_turns(const std::vector<Address>& addresses) {
  std::vector<Address> first, other, mixed;
  for (const Address& address : addresses) {
    (address.family() == addresses.front().family() ? first : other).push_back(address);
  }
  for (std::size_t i = 0; i < std::max(first.size(), other.size()); ++i) {
    if (i < first.size()) mixed.push_back(first[i]);
    if (i < other.size()) mixed.push_back(other[i]);
  }
  return mixed;
}

tl::expected<Connected, Error> connect_to_any(const std::vector<Address>& addresses,
                                              std::int64_t deadline_ms, int interrupt_fd,
                                              std::string_view server) {
  return Attempts(by_turns(addresses), deadline_ms, server).run(interrupt_fd);
}

namespace {

constexpr std::size_t kReceiveBytes = 64 * 1024;
// Who sends so much within the timeout is given it again: a list may be long, and the way slow.
constexpr std::size_t kProgressBytes = 64 * 1024;

tl::unexpected<Error> interrupted() {
  return failure(ErrorKind::kInterrupted, "interrupted");
}

// Sends as much as the socket takes. An error is no reason to stop: a server that is full may have
// answered and closed already, and the answer is still there to be read.
void send_some(int socket, std::string_view& unsent) {
  while (!unsent.empty()) {
    const ssize_t sent = ::send(socket, unsent.data(), unsent.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      unsent.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno != EINTR) {
      if (errno != EAGAIN) unsent = {};
      return;
    }
  }
}

}  // namespace

tl::expected<TcpConnection, Error> TcpConnection::open(const std::vector<Address>& addresses,
                                                       std::int64_t deadline_ms, int interrupt_fd) {
  auto connected = connect_to_any(addresses, deadline_ms, interrupt_fd);
  if (!connected) return tl::unexpected<Error>(std::move(connected.error()));
  return TcpConnection(std::move(connected->socket), connected->peer);
}

tl::expected<std::string, Error> TcpConnection::exchange(std::string_view request,
                                                         std::size_t max_frame_bytes,
                                                         std::int64_t timeout_ms,
                                                         int interrupt_fd) {
  std::int64_t deadline_ms = now_ms() + timeout_ms;
  std::size_t progress_bytes = 0;
  ResponseReader reader(max_frame_bytes);
  std::vector<char> buffer(kReceiveBytes);
  std::string_view unsent = request;
  for (;;) {
    send_some(socket_.get(), unsent);
    const auto events = static_cast<short>(unsent.empty() ? POLLIN : POLLIN | POLLOUT);
    switch (wait_for(socket_.get(), events, deadline_ms, interrupt_fd)) {
      case WaitResult::kInterrupted:
        return interrupted();
      case WaitResult::kTimedOut:
        return failure(ErrorKind::kUnreachable, peer_.to_string() + " did not answer within " +
                                                    std::to_string(timeout_ms) + " ms");
      case WaitResult::kReady:
        break;
    }
    const ssize_t received = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (received < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (received <= 0) return tl::unexpected<Error>(reader.closed());
    progress_bytes += static_cast<std::size_t>(received);
    if (progress_bytes >= kProgressBytes) {
      progress_bytes = 0;
      deadline_ms = now_ms() + timeout_ms;
    }
    auto answer = reader.push({buffer.data(), static_cast<std::size_t>(received)});
    if (!answer) return tl::unexpected<Error>(std::move(answer.error()));
    if (*answer) return std::move(**answer);
  }
}

}  // namespace chatd::client
