// After a hand-over the process that was started first stays, wherever somebody knows the service
// by its process id and cannot be told of another one: as a container's first process or its child
// (tini, docker --init), under a supervisor or a shell. It no longer serves. It passes signals on,
// and exits when the last process that served has exited, with the same exit code: for whoever
// watches it, the service is one process.
//
// A line (handover_link.h) connects it with the process that serves; its other end goes from each
// chatd to the next with the sockets. A command that was sent and not yet read stays in it, so no
// signal is lost in between. If the keeper is killed, the end of the line is a stop: whoever has
// killed it wants the service to end.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

#include "server/handover/handover_link.h"
#include "server/lifecycle/command.h"
#include "server/lifecycle/signals.h"
#include "server/os/unique_fd.h"

namespace chatd {

// The end of the line in the process that serves. Thread: main.
class KeeperLine {
 public:
  explicit KeeperLine(UniqueFd fd) : link_(std::move(fd)) {}

  // Readable when the keeper has sent something, or has exited.
  int fd() const { return link_.fd(); }
  // What it has sent, as letters; fd() must be readable. A stop if it has exited.
  std::string take_commands();
  // Who serves from here on. The old process says it of the new one, which may end before it can,
  // and the new one of itself, since it goes on, too, when the old one has ended in between.
  void announce(pid_t serving);

 private:
  HandoverLink link_;
};

// The end of the line in the process that stays. Thread: main.
class Keeper {
 public:
  // `signals` must outlive it. Takes in the processes that those leave behind that serve after it.
  // Nothing has been decided by that.
  static tl::expected<std::pair<Keeper, KeeperLine>, std::string> open(const Signals& signals);

  // Blocks until no process serves any more; `serving` is a child that does. Returns the exit code
  // of the last one, or 128 plus the number of the signal that ended it, as shells do.
  int run(pid_t serving);

 private:
  Keeper(const Signals& signals, HandoverLink line, UniqueFd children)
      : signals_(signals), line_(std::move(line)), children_(std::move(children)) {}

  void pass_on(Command command);
  void hear();
  void look_at_children();

  const Signals& signals_;
  HandoverLink line_;
  UniqueFd children_;  // a signalfd: one of them has ended
  bool has_line_ended_ = false;
  pid_t serving_ = 0;
  std::optional<int> end_of_serving_;  // its wait status
};

}  // namespace chatd
