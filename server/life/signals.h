// What an operator tells chatd by signal, as a readable descriptor (signalfd(2)), so that a signal
// is one more event to wait for and nothing runs in a signal handler.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "server/net/unique_fd.h"

namespace chatd {

enum class Order : std::uint8_t {
  kStop,      // SIGINT, SIGTERM
  kReload,    // SIGHUP
  kDrain,     // SIGUSR2
  kHandOver,  // SIGUSR1
};

// The signal that a process gets to be told so.
int signal_for(Order order);

class Signals {
 public:
  // Blocks these signals for this thread and those it will start. Call before any other thread
  // exists.
  static tl::expected<Signals, std::string> open();

  // Readable when a signal has come.
  int fd() const { return fd_.get(); }

  // Takes the signal that has come; fd() must be readable. One that cannot be read is taken for a
  // stop: that is what signals are sent for most, and who is told to stop must.
  Order take() const;

 private:
  explicit Signals(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace chatd
