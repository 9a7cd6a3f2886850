#include "server/life/attendant.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <csignal>
#include <utility>

#include "server/handover/state_codec.h"
#include "server/process/clock.h"
#include "server/process/wait_readable.h"

namespace chatd {
namespace {

// How often a drain is looked at: nobody tells the main thread that the last member has gone.
constexpr TimeMs kDrainLookMs = 100;
// A successor must be ready by then. This chatd serves meanwhile.
constexpr TimeMs kStartTimeoutMs = 60'000;
constexpr int kNoDescriptor = -1;  // poll(2) passes it over

}  // namespace

Attendant::Attendant(Server& server, const Signals& signals, Reloader& reloader,
                     const ProgramFile& program, const char* const* arguments)
    : server_(server),
      signals_(signals),
      reloader_(reloader),
      program_(program),
      arguments_(arguments) {}

Ending Attendant::attend(int failed_fd) {
  ending_.reset();
  manager_.tell_ready(status());
  if (manager_.alive_interval_ms()) next_sign_of_life_ms_ = monotonic_now_ms();
  if (std::exchange(must_reload_, false)) reload_in_place();
  while (!ending_) {
    const int successor_fd = successor_ ? successor_->fd() : kNoDescriptor;
    const auto readable =
        wait_readable({failed_fd, signals_.fd(), successor_fd}, wait_timeout_ms());
    if (readable == 0u) ending_ = Ending::kStop;
    if (readable == 1u) carry_out(signals_.take());
    const TimeMs now_ms = monotonic_now_ms();
    look_at_successor(readable == 2u, now_ms);
    if (std::exchange(must_reload_, false)) reload_in_place();
    look_at_drain(now_ms);
    look_after_shards(now_ms);
  }
  if (ending_ == Ending::kStop) {
    successor_.reset();
    manager_.tell_stopping();
  }
  return *ending_;
}

void Attendant::carry_out(Order order) {
  switch (order) {
    case Order::kStop:
      ending_ = Ending::kStop;
      return;
    case Order::kReload:
      reload();
      return;
    case Order::kDrain:
      start_drain();
      return;
    case Order::kHandOver:
      start_successor();
      return;
  }
}

// Without a file there is nothing to reload, and SIGHUP is what it is by default: the terminal is
// gone. After an upgrade a reload is how the new program gets its turn.
void Attendant::reload() {
  if (!reloader_.has_file() && drain_began_ms_) {
    spdlog::info("SIGHUP, and no configuration file to reload: draining goes on");
    return;
  }
  if (!reloader_.has_file()) {
    spdlog::info("SIGHUP, and no configuration file to reload: stopping");
    ending_ = Ending::kStop;
    return;
  }
  if (program_.is_replaced() && start_successor()) {
    successor_reloads_ = true;
    reloader_.pass_on("another program is at " + program_.path() +
                      " now: it reads the configuration and takes over; the log says how it went");
    return;
  }
  reload_in_place();
}

void Attendant::reload_in_place() {
  manager_.tell_reloading();
  reloader_.reload(server_);
  manager_.tell_ready(status());
}

// It starts up while this one serves; look_at_successor() hears of it. False: not now, and the log
// says why.
bool Attendant::start_successor() {
  if (successor_) {
    spdlog::info("process {} is about to take over already", successor_->pid());
    return true;
  }
  if (drain_began_ms_) {
    spdlog::warn("no hand-over: chatd is draining, and stops when its members have gone");
    return false;
  }
  if (::getpid() == 1) {
    spdlog::warn(
        "no hand-over: chatd is the first process of its container, which ends with it; start a "
        "new container instead");
    return false;
  }
  auto successor = Successor::start(program_.path(), arguments_);
  if (!successor) {
    give_up_successor(successor.error());
    return false;
  }
  manager_.tell_reloading();
  successor_.emplace(std::move(*successor));
  successor_late_ms_ = monotonic_now_ms() + kStartTimeoutMs;
  successor_reloads_ = false;
  spdlog::info("hand-over: process {} starts from {}", successor_->pid(), program_.path());
  return true;
}

void Attendant::look_at_successor(bool has_word, TimeMs now_ms) {
  if (!successor_ || ending_) return;
  if (has_word) {
    const auto ready = successor_->take_ready();
    if (!ready) return give_up_successor(ready.error());
    ending_ = Ending::kHandOver;
  } else if (now_ms >= successor_late_ms_) {
    give_up_successor("it is not ready after " + std::to_string(kStartTimeoutMs / 1000) + " s");
  }
}

void Attendant::give_up_successor(const std::string& reason) {
  spdlog::error("hand-over: the new chatd cannot take over: {}; this one goes on", reason);
  if (successor_ && successor_reloads_) must_reload_ = true;
  successor_.reset();
  manager_.tell_ready(status());
}

std::optional<pid_t> Attendant::hand_over() {
  manager_.tell_alive();  // for once it may take longer than half of WatchdogSec=
  const TimeMs began_ms = monotonic_now_ms();
  const pid_t pid = successor_->pid();
  const auto estate = server_.estate();
  const auto given = estate
                         ? successor_->hand_over(encode_state(estate->state), estate->descriptors)
                         : tl::unexpected(estate.error());
  const auto gone = given ? successor_->let_go() : given;
  if (!gone) {
    give_up_successor(gone.error());
    return std::nullopt;
  }
  // In this order: the successor speaks to the manager when the line between us has ended, and is
  // heard only when the manager knows who it is.
  manager_.tell_successor(pid);
  successor_.reset();
  spdlog::info("handed over to process {}: nobody was read for {} ms", pid,
               monotonic_now_ms() - began_ms);
  return pid;
}

void Attendant::pass_on_orders(pid_t successor) const {
  while (wait_readable({signals_.fd()}, 0)) ::kill(successor, signal_for(signals_.take()));
}

void Attendant::start_drain() {
  if (drain_began_ms_) {
    spdlog::info("draining already: {} members are left", server_.member_count());
    return;
  }
  if (successor_) give_up_successor("it is to drain instead");
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
  if (!drain_began_ms_ || ending_) return;
  const std::uint64_t members = server_.member_count();
  if (members == 0) {
    spdlog::info("drained: the last member has gone");
    ending_ = Ending::kStop;
  } else if (now_ms - *drain_began_ms_ >= drain_timeout_ms()) {
    spdlog::warn("the time for draining is up: {} members are disconnected", members);
    ending_ = Ending::kStop;
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
  if (!drain_began_ms_ && !next_sign_of_life_ms_ && !successor_) return -1;
  const TimeMs now_ms = monotonic_now_ms();
  TimeMs wait_ms = drain_began_ms_ ? kDrainLookMs : INT_MAX;
  const auto wake_at = [&](TimeMs due_ms) {
    wait_ms = std::min(wait_ms, std::max(due_ms, now_ms) - now_ms);
  };
  if (next_sign_of_life_ms_) wake_at(*next_sign_of_life_ms_);
  if (successor_) wake_at(successor_late_ms_);
  return static_cast<int>(wait_ms);
}

std::string Attendant::status() const {
  if (drain_began_ms_) {
    return "Draining: " + std::to_string(server_.member_count()) + " members are left";
  }
  return "Serving on tcp " + to_text(server_.tcp()) + " and udp " + to_text(server_.udp());
}

}  // namespace chatd
