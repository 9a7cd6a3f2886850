#include "server/life/attendant.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <csignal>

#include "server/handover/state_codec.h"
#include "server/process/clock.h"
#include "server/process/wait_readable.h"

namespace chatd {
namespace {

// How often a drain is looked at: nobody tells the main thread that the last member has gone.
constexpr TimeMs kDrainLookMs = 100;
// A successor must be ready by then. This chatd serves meanwhile.
constexpr TimeMs kStartTimeoutMs = 60'000;

}  // namespace

void Attendant::announce() {
  if (keeper_line_) keeper_line_->announce(::getpid());
}

Ending Attendant::attend(int failed_fd) {
  ending_.reset();
  manager_.tell_ready(status());
  if (manager_.alive_interval_ms()) next_sign_of_life_ms_ = monotonic_now_ms();
  handle_commands();
  while (!ending_) {
    const auto readable = wait_readable({failed_fd, site_.signals.fd(), site_.commands.fd(),
                                         keeper_line_ ? keeper_line_->fd() : kNoDescriptor,
                                         successor_ ? successor_->fd() : kNoDescriptor},
                                        wait_timeout_ms());
    if (readable == 0u) ending_ = Ending::kStop;
    if (readable == 1u) site_.commands.push(site_.signals.take());
    if (readable == 2u) site_.commands.forget_wake_ups();
    if (readable == 3u) take_from_keeper();
    look_at_successor(readable == 4u, monotonic_now_ms());
    handle_commands();
    const TimeMs now_ms = monotonic_now_ms();  // none of what they have noted is later
    look_at_drain(now_ms);
    look_after_shards(now_ms);
  }
  if (ending_ == Ending::kStop) {
    successor_.reset();
    manager_.tell_stopping();
  }
  return *ending_;
}

void Attendant::take_from_keeper() {
  if (const auto command = keeper_line_->take()) site_.commands.push(*command);
}

// While a successor gets ready, only what makes it superfluous has its turn.
void Attendant::handle_commands() {
  for (;;) {
    do_without_successor();
    if (ending_) return;
    auto task = successor_ ? site_.commands.take_one_of({Command::kStop, Command::kDrain})
                           : site_.commands.take();
    if (!task) return;
    handle(std::move(*task));
  }
}

void Attendant::handle(CommandTask task) {
  switch (task.command) {
    case Command::kStop:
      ending_ = Ending::kStop;
      return;
    case Command::kReload:
      reload(std::move(task));
      return;
    case Command::kDrain:
      start_drain();
      return;
    case Command::kHandOver:
      start_successor(std::move(task));
      return;
  }
}

// Without a file there is nothing to reload, and SIGHUP is what it is by default: the terminal is
// gone. After an upgrade a reload is how the new program gets its turn.
void Attendant::reload(CommandTask task) {
  if (!site_.reloader.has_file() && drain_began_ms_) {
    spdlog::info("SIGHUP, and no configuration file to reload: draining goes on");
  } else if (!site_.reloader.has_file()) {
    spdlog::info("SIGHUP, and no configuration file to reload: stopping");
    ending_ = Ending::kStop;
  } else if (site_.program.is_replaced()) {
    spdlog::info("reload: another program is at {} now: it reads the configuration and takes over",
                 site_.program.path());
    start_successor(std::move(task));
  } else {
    task.finish(reload_in_place());
  }
}

CommandResult Attendant::reload_in_place() {
  manager_.tell_reloading();
  CommandResult result = site_.reloader.reload(site_.server);
  manager_.tell_ready(status());
  return result;
}

// It starts up while this one serves; look_at_successor() hears of it.
void Attendant::start_successor(CommandTask task) {
  successor_task_ = std::move(task);
  if (const auto why = hindrance()) {
    spdlog::warn("no hand-over: {}", *why);
    successor_failure_ = "no hand-over: " + *why;
    return;
  }
  auto successor = Successor::start(site_.program.path(), site_.arguments);
  if (!successor) return give_up_successor(successor.error());
  manager_.tell_reloading();
  successor_.emplace(std::move(*successor));
  successor_late_ms_ = monotonic_now_ms() + kStartTimeoutMs;
  spdlog::info("hand-over: process {} starts from {}", successor_->pid(), site_.program.path());
}

std::optional<std::string> Attendant::hindrance() const {
  if (!drain_began_ms_) return std::nullopt;
  return "chatd is draining, and stops when its members have gone";
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
  successor_failure_ =
      "hand-over: the new chatd cannot take over: " + reason + "; this one goes on";
  successor_.reset();  // first: once this is said, nobody else serves
  spdlog::error("{}", successor_failure_);
  manager_.tell_ready(status());
}

// What a successor was started for is done, or is not, by this process, when there is none any
// more.
void Attendant::do_without_successor() {
  if (successor_ || !successor_task_) return;
  const CommandTask task = std::move(*successor_task_);
  successor_task_.reset();
  CommandResult result{.is_done = false};
  if (task.command == Command::kReload) result = reload_in_place();
  result.lines.insert(result.lines.begin(), std::exchange(successor_failure_, {}));
  task.finish(result);
}

bool Attendant::hand_over(int admin_fd) {
  manager_.tell_alive();  // for once it may take longer than half of WatchdogSec=
  const TimeMs began_ms = monotonic_now_ms();
  const pid_t pid = successor_->pid();
  if (const auto given = give_all(admin_fd); !given) {
    if (keeper_) keeper_line_.reset();
    keeper_.reset();
    give_up_successor(given.error());
    return false;
  }
  tell_who_serves(pid);
  spdlog::info("handed over to process {}: nobody was read for {} ms", pid,
               monotonic_now_ms() - began_ms);
  return true;
}

// All that this process has, and at last what it has been told meanwhile.
tl::expected<void, std::string> Attendant::give_all(int admin_fd) {
  if (auto opened = open_keeper(); !opened) return opened;
  auto estate = site_.server.estate();
  if (!estate) return tl::unexpected(estate.error());
  if (admin_fd != kNoDescriptor) {
    estate->state.admin = site_.reloader.configuration().options.admin;
    estate->descriptors.push_back(admin_fd);
  }
  if (keeper_line_) {
    estate->state.has_keeper = true;
    estate->descriptors.push_back(keeper_line_->fd());
  }
  auto given = successor_->hand_over(encode_state(estate->state), estate->descriptors);
  if (!given) return given;
  while (wait_readable({site_.signals.fd()}, 0)) site_.commands.push(site_.signals.take());
  return successor_->let_go(site_.commands.letters());
}

// Whoever was started first stays, unless a service manager can be told of another process.
tl::expected<void, std::string> Attendant::open_keeper() {
  if (keeper_line_ || manager_.follows_process()) return {};
  auto opened = Keeper::open(site_.signals);
  if (!opened) return tl::unexpected(opened.error());
  keeper_.emplace(std::move(opened->first));
  keeper_line_.emplace(std::move(opened->second));
  return {};
}

// The service manager first: the successor speaks to it when the line between us has ended, and is
// heard only when the manager knows who it is.
void Attendant::tell_who_serves(pid_t pid) {
  serving_ = pid;
  if (manager_.follows_process()) manager_.tell_successor(pid);
  if (keeper_line_ && !keeper_) keeper_line_->announce(pid);
  successor_.reset();
  CommandResult result;
  result.lines.push_back("process " + std::to_string(pid) +
                         " has taken over, with the configuration as it is now");
  if (successor_task_) successor_task_->finish(result);
  successor_task_.reset();
  result.lines.front() = "process " + std::to_string(pid) +
                         " takes over, and then loads the configuration again: the log says what "
                         "comes of it";
  for (const CommandTask& task : site_.commands.take_all()) task.finish(result);
}

// Its own end of the keeper's line goes first, or the keeper would never hear the end of it.
int Attendant::see_off() {
  keeper_line_.reset();
  if (keeper_) return keeper_->run(serving_);
  while (wait_readable({site_.signals.fd()}, 0)) {
    ::kill(serving_, signal_for(site_.signals.take()));
  }
  return 0;
}

void Attendant::start_drain() {
  if (drain_began_ms_) {
    spdlog::info("draining already: {} members are left", site_.server.member_count());
    return;
  }
  if (successor_) give_up_successor("it is to drain instead");
  if (const auto begun = site_.server.drain(); !begun) {
    spdlog::error("not every shard drains: {}; kill -9 ends what hangs", begun.error());
  }
  drain_began_ms_ = monotonic_now_ms();
  spdlog::info(
      "draining: nobody is let in any more; chatd stops when its {} members have gone, or in {} s",
      site_.server.member_count(), drain_timeout_ms() / 1000.0);
  manager_.tell_status(status());
}

// A reload may give it more time, or less.
std::uint32_t Attendant::drain_timeout_ms() const {
  return site_.reloader.configuration().options.drain_timeout_ms;
}

void Attendant::look_at_drain(TimeMs now_ms) {
  if (!drain_began_ms_ || ending_) return;
  const std::uint64_t members = site_.server.member_count();
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
  if (const auto alive = site_.server.check(); !alive) {
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
    return "Draining: " + std::to_string(site_.server.member_count()) + " members are left";
  }
  return "Serving on tcp " + to_text(site_.server.tcp()) + " and udp " +
         to_text(site_.server.udp());
}

}  // namespace chatd
