#include "server/lifecycle/service_manager.h"

#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>

namespace chatd {
namespace {

// A manager that does not listen is its own trouble: chatd serves on.
void tell(const std::string& state) {
  sd_notify(0, state.c_str());
}

}  // namespace

ServiceManager::ServiceManager()
    : follows_process_(std::getenv("NOTIFY_SOCKET") != nullptr && ::getpid() != 1) {
  std::uint64_t interval_us = 0;
  if (sd_watchdog_enabled(0, &interval_us) <= 0) return;
  alive_interval_ms_ = std::max<TimeMs>(interval_us / 2000, 1);
}

void ServiceManager::tell_ready(const std::string& status) const {
  tell("READY=1\nSTATUS=" + status);
}

// The time tells the manager that this is the reload that it has just asked for
// (Type=notify-reload): to the microsecond, or it might lie before the asking.
void ServiceManager::tell_reloading() const {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();  // CLOCK_MONOTONIC
  const auto now_us = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now_us));
}

void ServiceManager::tell_status(const std::string& status) const {
  tell("STATUS=" + status);
}

void ServiceManager::tell_stopping() const {
  tell("STOPPING=1");
}

void ServiceManager::tell_new_process(pid_t pid) const {
  tell("MAINPID=" + std::to_string(pid));
}

void ServiceManager::tell_alive() const {
  tell("WATCHDOG=1");
}

}  // namespace chatd
