// What the main thread does while the shards serve: it waits for an operator's orders and carries
// them out, ends a drain when all have gone or its time is up, and tells the service manager how
// chatd is. Nothing of a message's way leads through here. Thread: the main one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/timer/timestamp.h"
#include "server/life/reloader.h"
#include "server/life/service_manager.h"
#include "server/life/signals.h"
#include "server/server.h"

namespace chatd {

class Attendant {
 public:
  Attendant(Server& server, const Signals& signals, Reloader& reloader);

  // Returns when it is time to stop: told to, drained, or because a shard has failed
  // (`failed_fd` is readable).
  void attend(int failed_fd);

 private:
  void carry_out(Order order);
  void reload();
  void start_drain();
  void look_at_drain(TimeMs now_ms);
  void look_after_shards(TimeMs now_ms);
  int wait_timeout_ms() const;
  std::uint32_t drain_timeout_ms() const;
  std::string status() const;

  Server& server_;
  const Signals& signals_;
  Reloader& reloader_;
  ServiceManager manager_;
  bool is_over_ = false;
  std::optional<TimeMs> drain_began_ms_;
  std::optional<TimeMs> next_sign_of_life_ms_;
};

}  // namespace chatd
