// Standard output when it is not a terminal: whole lines, at once, to a reader that may be slow or
// may have gone.
//
// A slow reader must not stop the program: it has heartbeats to send, a --timeout to see and input
// to read. So what the reader does not take at once waits here, and whoever makes the lines looks
// at has_room() before it makes more. The descriptor stays blocking, because it is shared with
// whatever else writes there; poll(2) tells when a piece can be written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "client/net/wait.h"

namespace chatd::client {

class Output {
 public:
  enum class State : std::uint8_t {
    kOpen,
    kReaderGone,  // the reader has seen enough, as `head` does: no error
    kFailed,      // a full disk, for instance
  };

  explicit Output(int fd) : fd_(fd) {}

  int fd() const { return fd_; }
  State state() const { return state_; }
  // Of kFailed: what to tell.
  std::string failure() const;
  void on_reader_gone() { state_ = State::kReaderGone; }

  // Adds a line end and writes what the reader takes now. Does nothing unless the state is kOpen.
  void write_line(std::string_view line);

  // Whether write_some() has something to do once poll(2) tells POLLOUT.
  bool has_pending() const { return state_ == State::kOpen && written_bytes_ < pending_.size(); }
  // Whether more should be written. What is given all the same is kept.
  bool has_room() const { return !has_pending() || pending_.size() < kEnoughPendingBytes; }
  // Never waits.
  void write_some();
  // Waits until nothing is pending (kReady; also when the state is no longer kOpen), the deadline
  // of now_ms() passes, or `interrupt_fd` becomes readable.
  WaitResult flush(std::int64_t deadline_ms, int interrupt_fd);

 private:
  static constexpr std::size_t kEnoughPendingBytes = 64 * 1024;

  int fd_;
  State state_ = State::kOpen;
  int error_ = 0;  // errno, of kFailed
  std::string pending_;
  std::size_t written_bytes_ = 0;  // of pending_
};

}  // namespace chatd::client
