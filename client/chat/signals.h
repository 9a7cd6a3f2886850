// Signals as something to read, so that a room is left properly on ^C and not in the middle of
// anything. Blocks the signals it watches for the whole process.
// Thread: the main one, before any other is started.
#pragma once

#include <csignal>
#include <initializer_list>
#include <optional>
#include <utility>

#include "client/net/unique_fd.h"

namespace chatd::client {

class Signals {
 public:
  // SIGINT, SIGTERM, SIGHUP and SIGQUIT; but not those that are ignored, as nohup(1) and a shell's
  // background jobs want it: blocked, they would be delivered all the same.
  static Signals that_end();
  // SIGWINCH and SIGTSTP: what a program on a terminal must answer to.
  static Signals of_terminal();

  Signals(Signals&&) noexcept = default;
  Signals& operator=(Signals&&) = delete;
  // They act as before.
  ~Signals();

  // For poll(2): readable when one has come, and until it is taken.
  int fd() const { return fd_.get(); }
  std::optional<int> take();

 private:
  explicit Signals(UniqueFd fd, const sigset_t& watched) : fd_(std::move(fd)), watched_(watched) {}
  static Signals watch(std::initializer_list<int> signals);

  UniqueFd fd_;
  sigset_t watched_;
};

}  // namespace chatd::client
