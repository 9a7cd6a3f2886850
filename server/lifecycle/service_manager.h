// What chatd tells the service manager that has started it, if there is one (sd_notify(3),
// systemd's Type=notify): that it is ready, reloads, stops, and is alive. Without one
// (no NOTIFY_SOCKET in the environment) every call does nothing. Thread: the main one.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "core/base/time.h"

namespace chatd {

class ServiceManager {
 public:
  ServiceManager();

  // Whether there is one, and it can tell which process is the service: in a container, whose first
  // process this is, there may be one outside that cannot.
  bool follows_process() const { return follows_process_; }

  // `status` is a line for `systemctl status`.
  void tell_ready(const std::string& status) const;
  void tell_reloading() const;
  void tell_status(const std::string& status) const;
  void tell_stopping() const;
  // That another process is the service from here on.
  void tell_new_process(pid_t pid) const;
  void tell_alive() const;

  // How often it wants to hear that chatd is alive: half of WatchdogSec=, as its manual advises.
  // Nothing: not at all.
  std::optional<TimeMs> alive_interval_ms() const { return alive_interval_ms_; }

 private:
  bool follows_process_;
  std::optional<TimeMs> alive_interval_ms_;
};

}  // namespace chatd
