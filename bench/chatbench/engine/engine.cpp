#include "bench/chatbench/engine/engine.h"

#include <poll.h>
#include <sys/prctl.h>

#include <algorithm>

#include "bench/chatbench/probe/system.h"

namespace chatd::bench {
namespace {

// Between two looks at what has come. More per system call would be cheaper and later.
constexpr int kMaxSendsPerTurn = 64;
constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::int64_t kTickNs = 10'000'000;  // heartbeats, messages given up, the second's end
constexpr std::int64_t kCatchUpNs = 100'000'000;

double to_seconds(std::int64_t ns) {
  return static_cast<double>(ns) / 1e9;
}

// What a target counts from its beginning on.
struct TargetCounts {
  explicit TargetCounts(const Target& target)
      : faults(target.faults()),
        repairs(target.repairs()),
        members_lost(target.members_lost()),
        warnings(target.warnings()) {}

  ClientErrors faults;
  std::optional<RepairCounts> repairs;
  std::uint64_t members_lost;
  std::uint64_t warnings;
};

// What has been counted in between.
void set_target_counts(const TargetCounts& begin, const TargetCounts& end, Measurement& measured) {
  measured.faults = {.unsent = end.faults.unsent - begin.faults.unsent,
                     .receive_drops = end.faults.receive_drops - begin.faults.receive_drops};
  measured.members_lost = end.members_lost - begin.members_lost;
  measured.warnings = end.warnings - begin.warnings;
  if (!begin.repairs || !end.repairs) return;
  measured.repairs = {
      .said_again = end.repairs->said_again - begin.repairs->said_again,
      .repairs_asked = end.repairs->repairs_asked - begin.repairs->repairs_asked,
      .entries_repeated = end.repairs->entries_repeated - begin.repairs->entries_repeated,
      .entries_lost = end.repairs->entries_lost - begin.repairs->entries_lost};
}

}  // namespace

Engine::Engine(const Workload& workload, Target& target, const EngineOptions& options,
               Progress& progress)
    : workload_(workload),
      target_(target),
      options_(options),
      progress_(progress),
      server_(options.server_pid, options.server_udp),
      random_(workload.seed),
      codec_(workload.sizes.largest()),
      ledger_(workload.population.rooms, workload.population.members_per_room, workload.give_up_ns),
      sender_picker_(workload.population.rooms, workload.population.members_per_room,
                     workload.population.senders_per_room),
      names_(workload.population.members()) {
  for (std::uint32_t i = 0; i < names_.size(); ++i) names_[i] = name_word(i);
  if (workload.loop == LoopKind::kClosed) {
    windows_.emplace(workload.population.rooms, workload.window);
  }
  ::prctl(PR_SET_TIMERSLACK, 1UL);
}

// --- Phases --------------------------------------------------------------------------------------

Measurement Engine::measure(double rate_per_s) {
  measured_ = {};
  const std::int64_t warm_up_ns = now_ns();
  is_sending_ = true;
  if (workload_.warm_up_ns > 0) progress_.waiting("warming up");
  begin_schedule(rate_per_s, warm_up_ns, warm_up_ns + workload_.warm_up_ns);
  run_until(warm_up_ns + workload_.warm_up_ns);

  const TargetCounts target_before(target_);
  const auto drops_before = server_.drops();
  ledger_.begin_measuring();
  const Counters begin = read_counters();
  second_begin_ = begin;
  measure_begin_ns_ = begin.at_ns;
  sent_before_ = 0;
  arrived_before_ = 0;
  second_.reset();
  is_measuring_ = true;
  takes_latency_ = true;
  begin_schedule(rate_per_s, begin.at_ns, begin.at_ns + workload_.measure_ns);
  run_until(begin.at_ns + workload_.measure_ns);
  catch_up();
  const Counters end = read_counters();
  if (end.at_ns - second_begin_.at_ns > kSecondNs / 10) end_second(end.at_ns);
  is_measuring_ = false;
  is_sending_ = false;
  ledger_.end_measuring();
  // What was due is counted up to the end, and not sent any more.
  if (schedule_) {
    measured_.scheduled +=
        schedule_->due_before(std::min(end.at_ns, schedule_end_ns_) - schedule_begin_ns_);
  }

  progress_.waiting("draining");
  run_until(end.at_ns + workload_.drain_ns);
  takes_latency_ = false;
  const std::int64_t drained_ns = now_ns();
  measured_.response_time.merge(second_);
  // Of what was due and has not come, nobody knows how late it would be.
  measured_.response_time.record_never(ledger_.counts().expected - measured_.response_time.count());

  measured_.warm_up_s = to_seconds(begin.at_ns - warm_up_ns);
  measured_.measure_s = to_seconds(end.at_ns - begin.at_ns);
  measured_.drain_s = to_seconds(drained_ns - end.at_ns);
  measured_.counts = ledger_.counts();
  measured_.unheard = ledger_.unheard();
  measured_.own_cpu_s = to_seconds(end.own_cpu_ns - begin.own_cpu_ns);
  if (begin.server_cpu_ns && end.server_cpu_ns) {
    measured_.server_cpu_s = to_seconds(*end.server_cpu_ns - *begin.server_cpu_ns);
  }
  set_target_counts(target_before, TargetCounts(target_), measured_);
  if (const auto drops = server_.drops(); drops && drops_before) {
    measured_.server_socket_drops = *drops - std::min(*drops, *drops_before);
  }
  measured_.server_trouble = ask_server();
  measured_.was_interrupted = is_interrupted();
  return std::move(measured_);
}

std::string Engine::ask_server() {
  std::string trouble = server_.trouble();
  const bool is_missing_some = ledger_.missing() > 0 || ledger_.counts().delivered == 0;
  if (!trouble.empty() || !is_missing_some || is_interrupted()) return trouble;
  progress_.waiting("asking the server whether it is there");
  const auto answered = target_.check_server();
  return answered ? std::string() : answered.error();
}

void Engine::begin_schedule(double rate_per_s, std::int64_t begin_ns, std::int64_t end_ns) {
  if (windows_) return;
  schedule_.emplace(workload_.arrivals, rate_per_s);
  schedule_begin_ns_ = begin_ns;
  schedule_end_ns_ = end_ns;
}

// What was due in the phase and could not go out before its end, because the machine paused just
// then: its lag is recorded. A rate that is too high is not made good this way.
void Engine::catch_up() {
  if (!schedule_) return;
  const std::int64_t end_ns = now_ns() + kCatchUpNs;
  while (!is_interrupted() && !has_server_ended_ && now_ns() < end_ns && send_scheduled(now_ns()))
    receive();
}

// The drain phase ends as soon as nothing is missing any more.
void Engine::run_until(std::int64_t end_ns) {
  while (!is_interrupted() && !has_server_ended_) {
    const std::int64_t now = now_ns();
    if (now >= end_ns || (!is_sending_ && ledger_.missing() == 0)) return;
    if (now >= next_tick_ns_) tick(now);
    const bool has_sent = is_sending_ && send_due(now);
    const bool has_received = receive();
    if (!has_sent && !has_received) sleep(now, end_ns);
  }
}

// Until something comes in, the next message is due, or the phase ends.
void Engine::sleep(std::int64_t now, std::int64_t end_ns) {
  std::int64_t until_ns = std::min(end_ns, next_tick_ns_);
  if (is_sending_ && schedule_) {
    until_ns = std::min(until_ns, schedule_begin_ns_ + schedule_->next_ns());
  }
  const std::int64_t wait_ns = std::max<std::int64_t>(0, until_ns - now);
  const timespec timeout{.tv_sec = wait_ns / kSecondNs, .tv_nsec = wait_ns % kSecondNs};
  pollfd waiting{.fd = target_.poll_fd(), .events = POLLIN, .revents = 0};
  ::ppoll(&waiting, 1, &timeout, nullptr);
}

// --- Sending -------------------------------------------------------------------------------------

bool Engine::send_due(std::int64_t now) {
  return windows_ ? send_into_windows(now) : send_scheduled(now);
}

bool Engine::send_scheduled(std::int64_t now) {
  const std::int64_t due_ns = std::min(now, schedule_end_ns_ - 1) - schedule_begin_ns_;
  std::array<std::int64_t, kMaxSendsPerTurn> scheduled_ns;
  std::size_t count = 0;
  for (; count < scheduled_ns.size() && schedule_->next_ns() <= due_ns; ++count) {
    scheduled_ns[count] = schedule_begin_ns_ + schedule_->next_ns();
    schedule_->advance(random_);
    const std::uint32_t sender = workload_.arrivals == Arrivals::kConstant
                                     ? sender_picker_.next_in_turn()
                                     : sender_picker_.next_anywhere(random_);
    say(sender, scheduled_ns[count], now);
  }
  if (count == 0) return false;
  target_.flush();
  if (!is_measuring_) return true;
  measured_.scheduled += count;
  // The lag of each is that of the last: an upper bound, and a single look at the clock.
  const std::int64_t sent_ns = now_ns();
  for (std::size_t i = 0; i < count; ++i) {
    measured_.send_lag.record(static_cast<std::uint64_t>(sent_ns - scheduled_ns[i]));
  }
  return true;
}

bool Engine::send_into_windows(std::int64_t now) {
  int count = 0;
  for (; count < kMaxSendsPerTurn; ++count) {
    const auto room = windows_->take();
    if (!room) break;
    say(sender_picker_.next_in(*room), now, now);
  }
  if (count > 0) target_.flush();
  return count > 0;
}

void Engine::say(std::uint32_t sender, std::int64_t scheduled_ns, std::int64_t now) {
  const std::uint32_t bytes = workload_.sizes.next(random_);
  const std::uint32_t number = ledger_.open(sender, bytes, scheduled_ns, now);
  target_.queue(sender, codec_.encode(names_[sender], number, bytes));
}

// --- Receiving -----------------------------------------------------------------------------------

bool Engine::receive() {
  deliveries_.clear();
  target_.receive(deliveries_);
  if (deliveries_.empty()) return false;
  // One look at the clock for all that one call brought.
  const std::int64_t now = now_ns();
  for (const Delivery& delivery : deliveries_) book(delivery, now);
  return true;
}

void Engine::book(const Delivery& delivery, std::int64_t now) {
  const auto payload = codec_.decode(delivery.payload);
  if (!payload) return ledger_.book_corrupted();
  const Ledger::Booking booking = ledger_.book(
      delivery.member, static_cast<std::uint32_t>(delivery.payload.size()), *payload, now);
  if (!booking.is_delivery) return;
  if (is_measuring_) {
    ++measured_.arrived;
    measured_.arrived_bytes += delivery.payload.size();
  }
  if (booking.is_measured && takes_latency_) {
    second_.record(static_cast<std::uint64_t>(now - booking.scheduled_ns));
  }
  if (booking.is_last && windows_) windows_->release(booking.room);
}

// --- Once in a while -----------------------------------------------------------------------------

void Engine::tick(std::int64_t now) {
  next_tick_ns_ = now + kTickNs;
  ledger_.give_up(now, [this](std::uint32_t room) {
    if (windows_) windows_->release(room);
  });
  target_.maintain();
  has_server_ended_ = server_.has_ended();
  if (is_measuring_ && now - second_begin_.at_ns >= kSecondNs) end_second(now);
}

void Engine::end_second(std::int64_t now) {
  const Counters counters = read_counters();
  const LedgerCounts& counts = ledger_.counts();
  SecondFigures figures;
  figures.at_s = to_seconds(now - measure_begin_ns_);
  figures.sent = counts.sent - sent_before_;
  figures.delivered = measured_.arrived - arrived_before_;
  figures.p50_ns = second_.percentile(0.5);
  figures.p99_ns = second_.percentile(0.99);
  figures.max_ns = second_.max();
  const double interval_s = to_seconds(counters.at_ns - second_begin_.at_ns);
  if (counters.server_cpu_ns && second_begin_.server_cpu_ns) {
    figures.server_cpu_share =
        to_seconds(*counters.server_cpu_ns - *second_begin_.server_cpu_ns) / interval_s;
  }
  progress_.second(figures, interval_s, to_seconds(workload_.measure_ns), ledger_.missing());
  measured_.seconds.push_back(figures);
  measured_.response_time.merge(second_);
  second_.reset();
  second_begin_ = counters;
  sent_before_ = counts.sent;
  arrived_before_ = measured_.arrived;
}

Engine::Counters Engine::read_counters() const {
  return {.at_ns = now_ns(),
          .own_cpu_ns = own_cpu_ns(),
          .server_cpu_ns = options_.server_pid ? cpu_ns_of(*options_.server_pid) : std::nullopt};
}

}  // namespace chatd::bench
