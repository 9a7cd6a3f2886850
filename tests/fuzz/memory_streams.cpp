#include "tests/fuzz/memory_streams.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "tests/model/require.h"

namespace chatd::fuzz {

int MemoryStreams::open() {
  streams_.emplace_back();
  return kFirstFd + static_cast<int>(streams_.size()) - 1;
}

MemoryStreams::Stream& MemoryStreams::served(int fd) {
  Stream& stream = at(fd);
  test::require(!stream.is_closed, "the server uses no descriptor that it has closed");
  return stream;
}

std::uint32_t MemoryStreams::readiness(const Stream& stream) {
  std::uint32_t events = 0;
  if (!stream.to_server.empty() || stream.has_hung_up || stream.is_reset) events |= EPOLLIN;
  if (stream.to_client.size() < stream.window_bytes) events |= EPOLLOUT;
  if (stream.has_hung_up) events |= EPOLLRDHUP;
  if (stream.is_reset) events |= EPOLLERR | EPOLLHUP;
  return events;
}

std::optional<MemoryStreams::Edge> MemoryStreams::next_edge() {
  for (Stream& stream : streams_) {
    if (!stream.id || stream.is_closed || !std::exchange(stream.has_edge, false)) continue;
    return Edge{.id = *stream.id, .events = readiness(stream)};
  }
  return std::nullopt;
}

// --- The fuzzer's end ----------------------------------------------------------------------------

void MemoryStreams::arrive(int fd, std::string_view bytes) {
  Stream& stream = at(fd);
  if (stream.has_hung_up || stream.is_reset || bytes.empty()) return;
  stream.to_server += bytes;
  stream.has_edge = true;
}

void MemoryStreams::hang_up(int fd) {
  at(fd).has_hung_up = at(fd).has_edge = true;
}

void MemoryStreams::reset(int fd) {
  at(fd).is_reset = at(fd).has_edge = true;
  at(fd).to_server.clear();
}

std::string MemoryStreams::take(int fd) {
  Stream& stream = at(fd);
  if (std::exchange(stream.is_full, false)) stream.has_edge = true;
  return std::exchange(stream.to_client, {});
}

void MemoryStreams::narrow(int fd, std::size_t call_bytes, std::size_t window_bytes) {
  at(fd).call_bytes = call_bytes;
  at(fd).window_bytes = window_bytes;
}

// --- The server's end ----------------------------------------------------------------------------

ssize_t MemoryStreams::fail(int error) {
  errno = error;
  return -1;
}

int MemoryStreams::epoll_add(int /*epoll_fd*/, int fd, std::uint32_t /*events*/, std::uint64_t id) {
  served(fd).id = id;
  return 0;
}

ssize_t MemoryStreams::receive(int fd, std::span<char> buffer) {
  Stream& stream = served(fd);
  if (std::exchange(stream.is_interrupted, false)) return fail(EINTR);
  if (stream.is_reset) return fail(ECONNRESET);
  if (stream.to_server.empty()) return stream.has_hung_up ? 0 : fail(EAGAIN);
  const std::size_t count = std::min({buffer.size(), stream.call_bytes, stream.to_server.size()});
  std::copy_n(stream.to_server.begin(), count, buffer.begin());
  stream.to_server.erase(0, count);
  return static_cast<ssize_t>(count);
}

ssize_t MemoryStreams::send(int fd, std::span<const char> bytes) {
  Stream& stream = served(fd);
  test::require(!bytes.empty(), "the server sends something");
  if (std::exchange(stream.is_interrupted, false)) return fail(EINTR);
  if (stream.is_reset || stream.has_shut_down) return fail(EPIPE);
  const std::size_t waiting = stream.to_client.size();
  if (waiting >= stream.window_bytes) {
    stream.is_full = true;
    return fail(EAGAIN);
  }
  const std::size_t count =
      std::min({bytes.size(), stream.call_bytes, stream.window_bytes - waiting});
  stream.to_client.append(bytes.data(), count);
  return static_cast<ssize_t>(count);
}

int MemoryStreams::shut_down_sending(int fd) {
  served(fd).has_shut_down = true;
  return 0;
}

void MemoryStreams::close(int fd) {
  served(fd).is_closed = true;
}

}  // namespace chatd::fuzz
