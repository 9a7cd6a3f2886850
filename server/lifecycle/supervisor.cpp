#include "server/lifecycle/supervisor.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <csignal>

#include "server/handover/state_codec.h"
#include "server/os/wait.h"

namespace chatd {
namespace {

// A new process must be ready by then. This chatd serves meanwhile.
constexpr TimeMs kStartTimeoutMs = 60'000;

}  // namespace

void Supervisor::announce() {
  if (keeper_line_) keeper_line_->announce(::getpid());
}

StopReason Supervisor::run() {
  stop_reason_.reset();
  manager_.tell_ready(status());
  if (manager_.alive_interval_ms()) next_sign_of_life_ms_ = monotonic_now_ms();
  handle_commands();
  while (!stop_reason_) {
    wait();
    handle_commands();
    const TimeMs now_ms = monotonic_now_ms();  // none of what they have noted is later
    look_at_drain(now_ms);
    look_after_shards(now_ms);
  }
  if (*stop_reason_ == StopReason::kStop) {
    new_process_.reset();
    manager_.tell_stopping();
  }
  return *stop_reason_;
}

// All that is said goes into the queue, from wherever it comes.
void Supervisor::wait() {
  CommandQueue& commands = context_.commands;
  OldProcess* const old_process = context_.old_process;
  const auto readable =
      wait_readable({context_.server.failed_fd(), context_.signals.fd(), commands.fd(),
                     keeper_line_ ? keeper_line_->fd() : kNoDescriptor,
                     old_process != nullptr ? old_process->fd() : kNoDescriptor,
                     new_process_ ? new_process_->fd() : kNoDescriptor},
                    wait_timeout_ms());
  if (readable == 0u) commands.push(Command::kStop);
  if (readable == 1u) commands.push(context_.signals.take());
  if (readable == 2u) commands.forget_wake_ups();
  if (readable == 3u) commands.push_letters(keeper_line_->take_commands());
  if (readable == 4u) commands.push_letters(old_process->take_commands());
  look_at_new_process(readable == 5u, monotonic_now_ms());
}

// While a new process gets ready, only what makes it superfluous has its turn.
void Supervisor::handle_commands() {
  for (;;) {
    do_without_new_process();
    if (stop_reason_) return;
    auto task = new_process_ ? context_.commands.take_one_of({Command::kStop, Command::kDrain})
                             : context_.commands.take();
    if (!task) return;
    handle(std::move(*task));
  }
}

void Supervisor::handle(CommandTask task) {
  switch (task.command) {
    case Command::kStop:
      stop_reason_ = StopReason::kStop;
      return;
    case Command::kReload:
      reload(std::move(task));
      return;
    case Command::kDrain:
      start_drain();
      return;
    case Command::kHandOver:
      start_new_process(std::move(task));
      return;
  }
}

// Without a file there is nothing to reload, and SIGHUP is what it is by default: the terminal is
// gone. After an upgrade a reload is how the new program gets its turn.
void Supervisor::reload(CommandTask task) {
  if (!context_.reloader.has_file() && drain_began_ms_) {
    spdlog::info("SIGHUP, and no configuration file to reload: draining goes on");
  } else if (!context_.reloader.has_file()) {
    spdlog::info("SIGHUP, and no configuration file to reload: stopping");
    stop_reason_ = StopReason::kStop;
  } else if (context_.program.is_replaced()) {
    spdlog::info("reload: another program is at {} now: it reads the configuration and takes over",
                 context_.program.path());
    start_new_process(std::move(task));
  } else {
    task.finish(reload_in_place());
  }
}

CommandResult Supervisor::reload_in_place() {
  manager_.tell_reloading();
  CommandResult result = context_.reloader.reload(context_.server);
  manager_.tell_ready(status());
  return result;
}

// It starts up while this one serves; look_at_new_process() hears of it.
void Supervisor::start_new_process(CommandTask task) {
  new_process_task_ = std::move(task);
  if (const auto why = hindrance()) {
    spdlog::warn("no hand-over: {}", *why);
    new_process_failure_ = "no hand-over: " + *why;
    return;
  }
  auto started = NewProcess::start(context_.program.path(), context_.arguments);
  if (!started) return give_up_new_process(started.error());
  manager_.tell_reloading();
  new_process_.emplace(std::move(*started));
  new_process_late_ms_ = monotonic_now_ms() + kStartTimeoutMs;
  spdlog::info("hand-over: process {} starts from {}", new_process_->pid(),
               context_.program.path());
}

std::optional<std::string> Supervisor::hindrance() const {
  if (!drain_began_ms_) return std::nullopt;
  return "chatd is draining, and stops when its members have gone";
}

void Supervisor::look_at_new_process(bool has_message, TimeMs now_ms) {
  if (!new_process_ || stop_reason_) return;
  if (has_message) {
    const auto ready = new_process_->take_ready();
    if (!ready) return give_up_new_process(ready.error());
    stop_reason_ = StopReason::kHandOver;
  } else if (now_ms >= new_process_late_ms_) {
    give_up_new_process("it is not ready after " + std::to_string(kStartTimeoutMs / 1000) + " s");
  }
}

void Supervisor::give_up_new_process(const std::string& reason) {
  new_process_failure_ =
      "hand-over: the new chatd cannot take over: " + reason + "; this one goes on";
  new_process_.reset();  // first: once this is said, nobody else serves
  spdlog::error("{}", new_process_failure_);
  manager_.tell_ready(status());
}

// What a new process was started for is done, or is not, by this process, when there is none any
// more.
void Supervisor::do_without_new_process() {
  if (new_process_ || !new_process_task_) return;
  const CommandTask task = std::move(*new_process_task_);
  new_process_task_.reset();
  CommandResult result{.is_done = false};
  if (task.command == Command::kReload) result = reload_in_place();
  result.lines.insert(result.lines.begin(), std::exchange(new_process_failure_, {}));
  task.finish(result);
}

bool Supervisor::hand_over(int admin_fd) {
  manager_.tell_alive();  // for once it may take longer than half of WatchdogSec=
  const TimeMs began_ms = monotonic_now_ms();
  const pid_t pid = new_process_->pid();
  if (const auto given = give_all(admin_fd); !given) {
    if (keeper_) keeper_line_.reset();
    keeper_.reset();
    give_up_new_process(given.error());
    return false;
  }
  tell_who_serves(pid);
  spdlog::info("handed over to process {}: nobody was read for {} ms", pid,
               monotonic_now_ms() - began_ms);
  return true;
}

// All that this process has, and at last what it has been told meanwhile.
tl::expected<void, std::string> Supervisor::give_all(int admin_fd) {
  if (auto opened = open_keeper(); !opened) return opened;
  auto exported = context_.server.export_state();
  if (!exported) return tl::unexpected(exported.error());
  if (admin_fd != kNoDescriptor) {
    exported->state.admin = context_.reloader.configuration().options.admin;
    exported->descriptors.push_back(admin_fd);
  }
  if (keeper_line_) {
    exported->state.has_keeper = true;
    exported->descriptors.push_back(keeper_line_->fd());
  }
  if (exported->tls_listener != kNoDescriptor) {
    exported->state.has_tls_listener = true;
    exported->descriptors.push_back(exported->tls_listener);
  }
  auto given = new_process_->hand_over(encode_state(exported->state), exported->descriptors);
  if (!given) return given;
  while (wait_readable({context_.signals.fd()}, 0)) context_.commands.push(context_.signals.take());
  return new_process_->commit(context_.commands.letters());
}

// Whoever was started first stays, unless a service manager can be told of another process.
tl::expected<void, std::string> Supervisor::open_keeper() {
  if (keeper_line_ || manager_.follows_process()) return {};
  auto opened = Keeper::open(context_.signals);
  if (!opened) return tl::unexpected(opened.error());
  keeper_.emplace(std::move(opened->first));
  keeper_line_.emplace(std::move(opened->second));
  return {};
}

// The service manager first: the new process speaks to it when it has been told so, and is heard
// only when the manager knows who it is.
void Supervisor::tell_who_serves(pid_t pid) {
  serving_ = pid;
  if (manager_.follows_process()) manager_.tell_new_process(pid);
  if (keeper_line_ && !keeper_) keeper_line_->announce(pid);
  new_process_->confirm();
  CommandResult result;
  result.lines.push_back("process " + std::to_string(pid) +
                         " has taken over, with the configuration as it is now");
  if (new_process_task_) new_process_task_->finish(result);
  new_process_task_.reset();
  result.lines.front() = "process " + std::to_string(pid) +
                         " takes over, and then loads the configuration again: the log says what "
                         "comes of it";
  for (const CommandTask& task : context_.commands.take_all()) task.finish(result);
}

// Its own end of the keeper's line goes first, or the keeper would never hear the end of it.
int Supervisor::see_off() {
  keeper_line_.reset();
  if (keeper_) {
    new_process_.reset();
    return keeper_->run(serving_);
  }
  while (wait_readable({context_.signals.fd()}, 0)) {
    new_process_->pass_on(letter_of(context_.signals.take()));
  }
  return 0;
}

void Supervisor::start_drain() {
  if (drain_began_ms_) {
    spdlog::info("draining already: {} members are left", context_.server.member_count());
    return;
  }
  if (new_process_) give_up_new_process("it is to drain instead");
  if (const auto begun = context_.server.drain(context_.commands.fd()); !begun) {
    spdlog::error("not every shard drains: {}; kill -9 ends what hangs", begun.error());
  }
  drain_began_ms_ = monotonic_now_ms();
  spdlog::info(
      "draining: nobody is let in any more; chatd stops when its {} members have gone, or in {} s",
      context_.server.member_count(), drain_timeout_ms() / 1000.0);
  manager_.tell_status(status());
}

// A reload may give it more time, or less.
std::uint32_t Supervisor::drain_timeout_ms() const {
  return context_.reloader.configuration().options.drain_timeout_ms;
}

void Supervisor::look_at_drain(TimeMs now_ms) {
  if (!drain_began_ms_ || stop_reason_) return;
  const std::uint64_t members = context_.server.member_count();
  if (members == 0) {
    spdlog::info("drained: the last member has gone");
    stop_reason_ = StopReason::kStop;
  } else if (now_ms - *drain_began_ms_ >= drain_timeout_ms()) {
    spdlog::warn("the time for draining is up: {} members are disconnected", members);
    stop_reason_ = StopReason::kStop;
  }
}

// A shard that hangs must not pass for one that has nothing to do: without a sign of life the
// service manager starts chatd afresh (WatchdogSec=).
void Supervisor::look_after_shards(TimeMs now_ms) {
  if (!next_sign_of_life_ms_ || now_ms < *next_sign_of_life_ms_) return;
  next_sign_of_life_ms_ = now_ms + *manager_.alive_interval_ms();
  if (const auto alive = context_.server.check(); !alive) {
    spdlog::error("{}: the service manager is not told that chatd is alive", alive.error());
    return;
  }
  manager_.tell_alive();
}

int Supervisor::wait_timeout_ms() const {
  if (!drain_began_ms_ && !next_sign_of_life_ms_ && !new_process_) return -1;
  const TimeMs now_ms = monotonic_now_ms();
  TimeMs wait_ms = INT_MAX;
  const auto wake_at = [&](TimeMs due_ms) {
    wait_ms = std::min(wait_ms, std::max(due_ms, now_ms) - now_ms);
  };
  if (drain_began_ms_) wake_at(*drain_began_ms_ + drain_timeout_ms());
  if (next_sign_of_life_ms_) wake_at(*next_sign_of_life_ms_);
  if (new_process_) wake_at(new_process_late_ms_);
  return static_cast<int>(wait_ms);
}

std::string Supervisor::status() const {
  if (drain_began_ms_) {
    return "Draining: " + std::to_string(context_.server.member_count()) + " members are left";
  }
  const Endpoint* const tls = context_.server.tls();
  return "Serving on tcp " + to_text(context_.server.tcp()) + " and udp " +
         to_text(context_.server.udp()) + (tls == nullptr ? "" : ", tls " + to_text(*tls));
}

}  // namespace chatd
