#include "server/life/attendant.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <climits>

#include "server/process/clock.h"
#include "server/process/wait_readable.h"

namespace chatd {
namespace {

// How often a drain is looked at: nobody tells the main thread that the last member has gone.
constexpr TimeMs kDrainLookMs = 100;

}  // namespace

Attendant::Attendant(Server& server, const Signals& signals, Reloader& reloader)
    : server_(server), signals_(signals), reloader_(reloader) {}

void Attendant::attend(int failed_fd) {
  manager_.tell_ready(status());
  if (manager_.alive_interval_ms()) next_sign_of_life_ms_ = monotonic_now_ms();
  while (!is_over_) {
    const auto readable = wait_readable({failed_fd, signals_.fd()}, wait_timeout_ms());
    if (readable == 0u) break;
    if (readable) carry_out(signals_.take());
    const TimeMs now_ms = monotonic_now_ms();
    look_at_drain(now_ms);
    look_after_shards(now_ms);
  }
  manager_.tell_stopping();
}

void Attendant::carry_out(Order order) {
  switch (order) {
    case Order::kStop:
      is_over_ = true;
      return;
    case Order::kReload:
      reload();
      return;
    case Order::kDrain:
      start_drain();
      return;
  }
}

// Without a file there is nothing to reload, and SIGHUP is what it is by default: the terminal is
// gone.
void Attendant::reload() {
  if (!reloader_.has_file() && drain_began_ms_) {
    spdlog::info("SIGHUP, and no configuration file to reload: draining goes on");
    return;
  }
  if (!reloader_.has_file()) {
    spdlog::info("SIGHUP, and no configuration file to reload: stopping");
    is_over_ = true;
    return;
  }
  manager_.tell_reloading();
  reloader_.reload(server_);
  manager_.tell_ready(status());
}

void Attendant::start_drain() {
  if (drain_began_ms_) {
    spdlog::info("draining already: {} members are left", server_.member_count());
    return;
  }
  if (const auto begun = server_.drain(); !begun) {
    spdlog::error("not every shard drains: {}; kill -9 ends what hangs", begun.error());
  }
  drain_began_ms_ = monotonic_now_ms();
  spdlog::info(
      "draining: nobody is let in any more; chatd stops when its {} members have gone, or in {} s",
      server_.member_count(), drain_timeout_ms() / 1000.0);
  manager_.tell_status(status());
}

// A reload may give it more time, or less.
std::uint32_t Attendant::drain_timeout_ms() const {
  return reloader_.configuration().options.drain_timeout_ms;
}

void Attendant::look_at_drain(TimeMs now_ms) {
  if (!drain_began_ms_ || is_over_) return;
  const std::uint64_t members = server_.member_count();
  if (members == 0) {
    spdlog::info("drained: the last member has gone");
    is_over_ = true;
  } else if (now_ms - *drain_began_ms_ >= drain_timeout_ms()) {
    spdlog::warn("the time for draining is up: {} members are disconnected", members);
    is_over_ = true;
  }
}

// A shard that hangs must not pass for one that has nothing to do: without a sign of life the
// service manager starts chatd afresh (WatchdogSec=).
void Attendant::look_after_shards(TimeMs now_ms) {
  if (!next_sign_of_life_ms_ || now_ms < *next_sign_of_life_ms_) return;
  next_sign_of_life_ms_ = now_ms + *manager_.alive_interval_ms();
  if (const auto alive = server_.check(); !alive) {
    spdlog::error("{}: the service manager is not told that chatd is alive", alive.error());
    return;
  }
  manager_.tell_alive();
}

int Attendant::wait_timeout_ms() const {
  if (!drain_began_ms_ && !next_sign_of_life_ms_) return -1;
  const TimeMs now_ms = monotonic_now_ms();
  TimeMs wait_ms = drain_began_ms_ ? kDrainLookMs : INT_MAX;
  if (next_sign_of_life_ms_) {
    const TimeMs due_ms = std::max(*next_sign_of_life_ms_, now_ms);
    wait_ms = std::min(wait_ms, due_ms - now_ms);
  }
  return static_cast<int>(wait_ms);
}

std::string Attendant::status() const {
  if (drain_began_ms_) {
    return "Draining: " + std::to_string(server_.member_count()) + " members are left";
  }
  return "Serving on tcp " + to_text(server_.tcp()) + " and udp " + to_text(server_.udp());
}

}  // namespace chatd
