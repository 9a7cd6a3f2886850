// What the main thread does while the shards serve: it waits for an operator's orders and carries
// them out, ends a drain when all have gone or its time is up, and tells the service manager how
// chatd is. Nothing of a message's way leads through here. Thread: the main one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/timer/timestamp.h"
#include "server/handover/program_file.h"
#include "server/handover/successor.h"
#include "server/life/reloader.h"
#include "server/life/service_manager.h"
#include "server/life/signals.h"
#include "server/server.h"

namespace chatd {

class Attendant {
 public:
  // `arguments` are main's, for a successor.
  Attendant(Server& server, const Signals& signals, Reloader& reloader, const ProgramFile& program,
            const char* const* arguments);

  // Returns when it is time to stop: told to, drained, or because a shard has failed
  // (`failed_fd` is readable). Or when a successor waits to take over.
  Ending attend(int failed_fd);

  // After Ending::kHandOver. The process that serves now; nothing: the successor could not, and
  // this chatd goes on.
  std::optional<pid_t> hand_over();
  // What this process has been told meanwhile is for its successor: the last thing to be done.
  void pass_on_orders(pid_t successor) const;

 private:
  void carry_out(Order order);
  void reload();
  void start_drain();
  void look_at_drain(TimeMs now_ms);
  void reload_in_place();
  bool start_successor();
  void look_at_successor(bool has_word, TimeMs now_ms);
  void give_up_successor(const std::string& reason);
  void look_after_shards(TimeMs now_ms);
  int wait_timeout_ms() const;
  std::uint32_t drain_timeout_ms() const;
  std::string status() const;

  Server& server_;
  const Signals& signals_;
  Reloader& reloader_;
  const ProgramFile& program_;
  const char* const* arguments_;
  ServiceManager manager_;
  std::optional<Ending> ending_;
  std::optional<Successor> successor_;
  TimeMs successor_late_ms_ = 0;    // it must be ready until then
  bool successor_reloads_ = false;  // it was started for a reload
  bool must_reload_ = false;        // and could not take over
  std::optional<TimeMs> drain_began_ms_;
  std::optional<TimeMs> next_sign_of_life_ms_;
};

}  // namespace chatd
