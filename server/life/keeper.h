// The process that was started first stays when another one has taken its place, wherever somebody
// knows the service by its process id and is not told of another: a container's first process or
// its child (tini, docker --init), a supervisor's, a shell's. It serves nobody any more. It passes
// on what it is told by signal, and ends when the last of those that have followed it has ended, in
// the same way: for whoever watches it, the service is one process with one end.
//
// Between it and whoever serves there is a line (handover_link.h), whose other end goes from each
// chatd to the next with the sockets. What has been said and not been heard stays in it, so no
// signal is lost in between. Its end, when the keeper is killed, is a stop: who has killed it wants
// the service gone.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

#include "server/handover/handover_link.h"
#include "server/life/command.h"
#include "server/life/signals.h"
#include "server/net/unique_fd.h"

namespace chatd {

// The end of whoever serves. Thread: the main one.
class KeeperLine {
 public:
  explicit KeeperLine(UniqueFd fd) : link_(std::move(fd)) {}

  // Readable when the keeper has said something, or has ended.
  int fd() const { return link_.fd(); }
  // What it has said; fd() must be readable. A stop when it has ended.
  std::optional<Command> take();
  // Who serves from here on. A predecessor says it of its successor, which may end before it can,
  // and the successor of itself, since it goes on, too, when its predecessor has ended in between.
  void announce(pid_t serving);

 private:
  HandoverLink link_;
};

// The end of the process that stays. Thread: the main one.
class Keeper {
 public:
  // `signals` must outlive it. Takes in the processes that its successors leave behind. Nothing has
  // been decided by that.
  static tl::expected<std::pair<Keeper, KeeperLine>, std::string> open(const Signals& signals);

  // Stays until nobody serves any more; `serving` is a child that does. The exit code is that of
  // the last one, and 128 and the number of the signal that has ended it, as shells have it.
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
