// What an operator tells chatd by signal, as a readable descriptor (signalfd(2)), so that a signal
// is one more event to wait for and nothing runs in a signal handler.
//
// A signal that was ignored when chatd was started stays ignored: nohup(1) means that the end of
// the terminal is none of chatd's business, and a shell that starts it in the background (&) means
// the same of Ctrl-C.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "server/lifecycle/command.h"
#include "server/os/unique_fd.h"

namespace chatd {

class Signals {
 public:
  // Blocks these signals for this thread and those it will start. Call before any other thread
  // exists.
  static tl::expected<Signals, std::string> open();

  // Readable when a signal has come.
  int fd() const { return fd_.get(); }

  // Takes the signal that has come; fd() must be readable. One that cannot be read is taken for a
  // stop: that is what signals are sent for most, and who is told to stop must.
  Command take() const;

 private:
  explicit Signals(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace chatd
