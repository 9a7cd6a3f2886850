// What the main thread does while the shards serve: it executes commands, one after the other
// (command_queue.h), ends a drain when all have gone or its time is over, and reports to the
// service manager. No message passes through here. Thread: main.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "core/timer/timestamp.h"
#include "server/handover/program_file.h"
#include "server/handover/successor.h"
#include "server/life/command_queue.h"
#include "server/life/keeper.h"
#include "server/life/reloader.h"
#include "server/life/service_manager.h"
#include "server/life/signals.h"
#include "server/server.h"

namespace chatd {

// What the main thread works with; all of it outlives the attendant.
struct AttendantSite {
  Server& server;
  const Signals& signals;
  CommandQueue& commands;
  Reloader& reloader;
  const ProgramFile& program;
  const char* const* arguments;  // main's, for a successor
};

class Attendant {
 public:
  // `keeper_line`: to the process that was started first, if that is another one.
  Attendant(const AttendantSite& site, std::optional<KeeperLine> keeper_line)
      : site_(site), keeper_line_(std::move(keeper_line)) {}

  // Tells the process that was started first that this one serves now.
  void announce();

  // Returns when chatd must stop (by command, after a drain, or because a shard has failed:
  // `failed_fd` is readable), or when a successor waits to take over.
  Ending attend(int failed_fd);

  // After Ending::kHandOver. `admin_fd`: the admin endpoint's listener, or -1. Returns false if the
  // successor could not take over: this chatd goes on.
  bool hand_over(int admin_fd);
  // After that, when this process has closed all that the successor has now: does what is left for
  // it to do. Returns the exit code.
  int see_off();

 private:
  void take_from_keeper();
  void handle_commands();
  void handle(CommandTask task);
  void reload(CommandTask task);
  CommandResult reload_in_place();
  void start_drain();
  void look_at_drain(TimeMs now_ms);
  void start_successor(CommandTask task);
  std::optional<std::string> hindrance() const;
  void look_at_successor(bool has_word, TimeMs now_ms);
  void give_up_successor(const std::string& reason);
  void do_without_successor();
  tl::expected<void, std::string> give_all(int admin_fd);
  tl::expected<void, std::string> open_keeper();
  void tell_who_serves(pid_t pid);
  void look_after_shards(TimeMs now_ms);
  int wait_timeout_ms() const;
  std::uint32_t drain_timeout_ms() const;
  std::string status() const;

  AttendantSite site_;
  ServiceManager manager_;
  std::optional<KeeperLine> keeper_line_;
  std::optional<Keeper> keeper_;  // this process, from the first hand-over on
  std::optional<Ending> ending_;
  std::optional<Successor> successor_;
  TimeMs successor_late_ms_ = 0;               // it must be ready until then
  std::optional<CommandTask> successor_task_;  // what it was started for
  std::string successor_failure_;              // why it could not take over
  pid_t serving_ = 0;                          // who has taken over
  std::optional<TimeMs> drain_began_ms_;
  std::optional<TimeMs> next_sign_of_life_ms_;
};

}  // namespace chatd
