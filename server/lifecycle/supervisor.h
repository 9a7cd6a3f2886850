// What the main thread does while the shards serve. Whatever it is told comes into one queue
// (command_queue.h): from the admin endpoint, by signal, over the keeper's line, from the process
// that it has taken the place of, and from a shard that fails. It executes one command after the
// other, ends a drain when all have gone or its time is over, and reports to the service manager.
// No message passes through here. Thread: main.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "core/base/time.h"
#include "server/handover/new_process.h"
#include "server/handover/old_process.h"
#include "server/handover/program_file.h"
#include "server/lifecycle/command_queue.h"
#include "server/lifecycle/keeper.h"
#include "server/lifecycle/reloader.h"
#include "server/lifecycle/service_manager.h"
#include "server/lifecycle/signals.h"
#include "server/shard/server.h"

namespace chatd {

// What the main thread works with; all of it outlives the supervisor.
struct SupervisorContext {
  Server& server;
  const Signals& signals;
  CommandQueue& commands;
  Reloader& reloader;
  const ProgramFile& program;
  const char* const* arguments;  // main's, for a new process
  OldProcess* old_process;       // null: there was none
};

class Supervisor {
 public:
  // `keeper_line`: to the process that was started first, if that is another one.
  Supervisor(const SupervisorContext& context, std::optional<KeeperLine> keeper_line)
      : context_(context), keeper_line_(std::move(keeper_line)) {}

  // Tells the process that was started first that this one serves now.
  void announce();

  // Returns when chatd must stop (by command, after a drain, or because a shard has failed), or
  // when a new process waits to take over.
  StopReason run();

  // After StopReason::kHandOver. `admin_fd`: the admin endpoint's listener, or -1. Returns false if
  // the new process could not take over: this chatd goes on.
  bool hand_over(int admin_fd);
  // After that, when this process has closed all that the new one has now: does what is left for
  // it to do. Returns the exit code.
  int see_off();

 private:
  void wait();
  void handle_commands();
  void handle(CommandTask task);
  void reload(CommandTask task);
  CommandResult reload_in_place();
  void start_drain();
  void look_at_drain(TimeMs now_ms);
  void start_new_process(CommandTask task);
  std::optional<std::string> hindrance() const;
  void look_at_new_process(bool has_message, TimeMs now_ms);
  void give_up_new_process(const std::string& reason);
  void do_without_new_process();
  tl::expected<void, std::string> give_all(int admin_fd);
  tl::expected<void, std::string> open_keeper();
  void tell_who_serves(pid_t pid);
  void look_after_shards(TimeMs now_ms);
  int wait_timeout_ms() const;
  std::uint32_t drain_timeout_ms() const;
  std::string status() const;

  SupervisorContext context_;
  ServiceManager manager_;
  std::optional<KeeperLine> keeper_line_;
  std::optional<Keeper> keeper_;  // this process, from the first hand-over on
  std::optional<StopReason> stop_reason_;
  std::optional<NewProcess> new_process_;
  TimeMs new_process_late_ms_ = 0;               // it must be ready until then
  std::optional<CommandTask> new_process_task_;  // what it was started for
  std::string new_process_failure_;              // why it could not take over
  pid_t serving_ = 0;                            // who has taken over
  std::optional<TimeMs> drain_began_ms_;
  std::optional<TimeMs> next_sign_of_life_ms_;
};

}  // namespace chatd
