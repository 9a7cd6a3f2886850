// Commands that chatd has not executed yet. The main thread executes one after the other, each to
// its end: a reload that arrives while another process prepares to take over waits until that has
// succeeded or failed. If the other process takes over, it executes what still waits (letters()).
//
// A command that waits already is not added again, because executing it once later has the same
// effect. So the queue is bounded.
// Thread: push on any; the rest on the main one.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "server/lifecycle/command.h"
#include "server/os/unique_fd.h"

namespace chatd {

// The result of a command, in the words of the log.
struct CommandResult {
  bool is_done = true;  // false: what is wrong, and nothing has changed
  std::vector<std::string> lines = {};
};

using CommandListener = std::function<void(const CommandResult&)>;

// A command, and those who wait for its result.
struct CommandTask {
  Command command;
  std::vector<CommandListener> listeners = {};

  void finish(const CommandResult& result) const {
    for (const CommandListener& listener : listeners) listener(result);
  }
};

class CommandQueue {
 public:
  static tl::expected<std::unique_ptr<CommandQueue>, std::string> open();

  void push(Command command, CommandListener listener = nullptr);
  // Those that another process has left.
  void push_letters(std::string_view letters);

  // Readable when something has been pushed since the last forget_wake_ups().
  int fd() const { return wake_.get(); }
  void forget_wake_ups() const;

  // The next one; a stop goes before all else. Nothing when none waits.
  std::optional<CommandTask> take();
  // The next one of these, however many others wait in front.
  std::optional<CommandTask> take_one_of(std::initializer_list<Command> commands);
  // All of them.
  std::vector<CommandTask> take_all();
  // What waits, for another process. It also stays in this queue.
  std::string letters() const;

 private:
  explicit CommandQueue(UniqueFd wake) : wake_(std::move(wake)) {}

  UniqueFd wake_;  // an eventfd
  mutable std::mutex mutex_;
  std::deque<CommandTask> waiting_;
};

}  // namespace chatd
