#include "server/lifecycle/command_queue.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "server/os/system_error.h"
#include "server/os/wait.h"

namespace chatd {

tl::expected<std::unique_ptr<CommandQueue>, std::string> CommandQueue::open() {
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) return tl::unexpected(system_error("eventfd"));
  return std::unique_ptr<CommandQueue>(new CommandQueue(std::move(wake)));
}

void CommandQueue::push(Command command, CommandListener listener) {
  {
    const std::lock_guard lock(mutex_);
    auto task = std::ranges::find(waiting_, command, &CommandTask::command);
    if (task == waiting_.end()) task = waiting_.insert(waiting_.end(), CommandTask{command});
    if (listener) task->listeners.push_back(std::move(listener));
  }
  wake(wake_.get());
}

void CommandQueue::push_letters(std::string_view letters) {
  for (const char letter : letters) {
    if (const auto command = command_of(letter)) push(*command);
  }
}

void CommandQueue::forget_wake_ups() const {
  take_wake_ups(wake_.get());
}

std::optional<CommandTask> CommandQueue::take() {
  if (auto stop = take_one_of({Command::kStop})) return stop;
  return take_one_of({Command::kReload, Command::kDrain, Command::kHandOver});
}

std::optional<CommandTask> CommandQueue::take_one_of(std::initializer_list<Command> commands) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find_if(waiting_, [commands](const CommandTask& task) {
    return std::ranges::find(commands, task.command) != commands.end();
  });
  if (found == waiting_.end()) return std::nullopt;
  CommandTask task = std::move(*found);
  waiting_.erase(found);
  return task;
}

std::vector<CommandTask> CommandQueue::take_all() {
  const std::lock_guard lock(mutex_);
  std::vector<CommandTask> all(std::make_move_iterator(waiting_.begin()),
                               std::make_move_iterator(waiting_.end()));
  waiting_.clear();
  return all;
}

std::string CommandQueue::letters() const {
  const std::lock_guard lock(mutex_);
  std::string letters;
  for (const CommandTask& task : waiting_) letters += letter_of(task.command);
  return letters;
}

}  // namespace chatd
