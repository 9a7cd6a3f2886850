#include "client/net/tcp_connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <vector>

#include "client/lib/response_reader.h"
#include "client/net/clock.h"
#include "client/net/connector.h"
#include "client/net/wait.h"

namespace chatd::client {
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
