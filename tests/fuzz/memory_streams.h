// Streams in memory under the server's I/O port, for a fuzzer that is the other end of each: what
// it sends arrives at once, calls take as little as it likes, and edges come as epoll reports them.
// Thread: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "server/io/kernel_io.h"

namespace chatd::fuzz {

class MemoryStreams final : public KernelIo {
 public:
  struct Edge {
    std::uint64_t id;
    std::uint32_t events;
  };

  // The server's end.
  int open();
  bool is_open(int fd) { return !at(fd).is_closed; }
  // What has arrived there and was not read.
  std::size_t unread_bytes(int fd) { return at(fd).to_server.size(); }
  // Whether the server has found no room for what it wanted to send.
  bool is_full(int fd) { return at(fd).is_full; }
  // For epoll: what it would report next.
  std::optional<Edge> next_edge();

  // The fuzzer's end.
  void arrive(int fd, std::string_view bytes);
  void hang_up(int fd);  // in order
  void reset(int fd);    // not so
  // What the server has sent since the last call.
  std::string take(int fd);
  // From here on a call takes and gives so many bytes at most, and so many may wait to be taken.
  void narrow(int fd, std::size_t call_bytes, std::size_t window_bytes);
  // The next call is interrupted.
  void interrupt(int fd) { at(fd).is_interrupted = true; }

  // Io.
  int epoll_add(int epoll_fd, int fd, std::uint32_t events, std::uint64_t id) override;
  ssize_t receive(int fd, std::span<char> buffer) override;
  ssize_t send(int fd, std::span<const char> bytes) override;
  int shut_down_sending(int fd) override;
  void close(int fd) override;

 private:
  // Far from the real ones, so that nothing real is closed by mistake.
  static constexpr int kFirstFd = 1'000'000;

  struct Stream {
    std::optional<std::uint64_t> id;
    std::string to_server;
    std::string to_client;
    std::size_t call_bytes = SIZE_MAX;
    std::size_t window_bytes = SIZE_MAX;
    bool has_edge = true;
    bool is_full = false;
    bool is_interrupted = false;
    bool has_hung_up = false;
    bool is_reset = false;
    bool has_shut_down = false;  // the server
    bool is_closed = false;      // by the server
  };

  Stream& at(int fd) { return streams_[static_cast<std::size_t>(fd - kFirstFd)]; }
  Stream& served(int fd);
  static std::uint32_t readiness(const Stream& stream);
  static ssize_t fail(int error);

  std::deque<Stream> streams_;
};

}  // namespace chatd::fuzz
