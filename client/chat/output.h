// Standard output when it is not a terminal: whole lines, at once, to a reader that may be slow or
// may have gone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace chatd::client {

class Output {
 public:
  enum class State : std::uint8_t {
    kOpen,
    kReaderGone,  // the reader has seen enough, as `head` does: no error
    kFailed,      // a full disk, for instance
  };

  // A wait for a slow reader ends when `interrupt_fd` becomes readable; the rest is dropped then.
  Output(int fd, int interrupt_fd) : fd_(fd), interrupt_fd_(interrupt_fd) {}

  int fd() const { return fd_; }
  State state() const { return state_; }
  void on_reader_gone() { state_ = State::kReaderGone; }

  // Adds a line end. Does nothing unless the state is kOpen.
  void write_line(std::string_view line);

 private:
  int fd_;
  int interrupt_fd_;
  State state_ = State::kOpen;
};

}  // namespace chatd::client
