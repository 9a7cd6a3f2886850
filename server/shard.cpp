#include "server/shard.h"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <optional>
#include <stdexcept>
#include <utility>

#include "server/process/clock.h"
#include "server/process/system_error.h"

namespace chatd {
namespace {

// What is sent between two looks at everything else, in the outbox's units of work: some
// milliseconds.
constexpr std::uint32_t kOutboxWork = kMaxTurnWork;
// Datagrams that are received between the same.
constexpr std::size_t kDatagramsPerTurn = 512;
constexpr std::size_t kMaxEvents = 256;
// What has failed, and no event will tell when it works again.
constexpr TimeMs kRetryMs = 20;
constexpr TimeMs kFinishMs = 200;
constexpr TimeMs kGoodbyeMs = 1000;

// What an epoll event is about. Connections follow, by slot.
enum EventId : std::uint64_t {
  kStopEvent,
  kListenerEvent,
  kUdpEvent,
  kMailEvent,
  kFirstConnectionEvent
};

std::optional<TimeMs> earliest(std::optional<TimeMs> a, std::optional<TimeMs> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

}  // namespace

tl::expected<std::unique_ptr<Shard>, std::string> Shard::open(ShardSockets sockets,
                                                              const RelayConfig& config,
                                                              Switchboard& board, int stop_fd) {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return tl::unexpected(system_error("epoll_create1"));
  std::unique_ptr<Shard> shard(
      new Shard(std::move(epoll), std::move(sockets), config, board, monotonic_now_ms()));
  for (const auto& watched :
       {shard->watch(stop_fd, EPOLLIN, kStopEvent),
        shard->watch(shard->line_.event_fd(), EPOLLIN | EPOLLET, kMailEvent),
        shard->watch(shard->udp_.get(), EPOLLIN | EPOLLOUT | EPOLLET, kUdpEvent)}) {
    if (!watched) return tl::unexpected(watched.error());
  }
  if (shard->acceptor_) {
    const auto watched = shard->watch(shard->acceptor_->fd(), EPOLLIN | EPOLLET, kListenerEvent);
    if (!watched) return tl::unexpected(watched.error());
  }
  return shard;
}

Shard::Shard(UniqueFd epoll, ShardSockets sockets, const RelayConfig& config, Switchboard& board,
             TimeMs now_ms)
    : epoll_(std::move(epoll)),
      udp_(std::move(sockets.udp)),
      relay_(config, now_ms),
      outbox_(kOutboxWork, config.limits.max_room_members),
      errors_(udp_.get(), sockets.family),
      receiver_(udp_.get(), &board.local_addresses()),
      sender_(udp_.get(), sockets.family, config.trains.max_segment_bytes, errors_,
              relay_.counters(), &board.local_addresses(), sockets.max_lanes),
      receive_drops_(udp_.get(), relay_.counters()),
      line_(board, config.shard, relay_),
      control_(relay_.limits(), epoll_.get(), kFirstConnectionEvent, line_, log_, relay_.counters(),
               now_ms),
      inbox_(line_, relay_, control_),
      meter_(relay_.counters(), relay_.measures()) {
  if (sockets.tcp_listener) {
    acceptor_.emplace(std::move(sockets.tcp_listener), relay_.limits(), config.shards, board,
                      config.shard, control_, log_, relay_.counters());
  }
}

tl::expected<void, std::string> Shard::watch(int fd, std::uint32_t events, std::uint64_t id) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return {};
  return tl::unexpected(system_error("epoll_ctl"));
}

void Shard::run() {
  is_stopping_ = false;
  udp_is_readable_ = udp_has_errors_ = true;  // settle() has passed both over
  while (!is_stopping_) duty_cycle();
}

void Shard::end() {
  finish_what_has_come();
  say_goodbye();
  log_.say(monotonic_now_ms(), relay_.room_events());
  log_.close();
}

void Shard::duty_cycle() {
  wait();
  const TimeNs now_ns = monotonic_now_ns();
  const TimeMs now_ms = to_ms(now_ns);
  meter_.begin(now_ns);
  make_room();
  handle_refusals(now_ms);
  // Nobody is taken for silent before what has come from them is read.
  relay_.on_deadline(horizon_.heard_until_ms(), outbox_);
  control_.close_overdue(now_ms, horizon_.heard_until_ms());
  inbox_.open_letters(now_ms, outbox_);
  if (acceptor_) acceptor_->serve(now_ms);
  control_.serve(now_ms, outbox_);
  // So that receiving starts with an empty outbox, and neither side starves the other.
  send(now_ms);
  inbox_.receive_strays(now_ms, outbox_);
  receive(now_ms);
  horizon_.end_turn(has_read_all(now_ms));
  if (!has_unsent_ && !is_stuck()) relay_.fan_out(outbox_);
  send(now_ms);
  meter_.end(!has_unsent_ && !relay_.has_waiting(), monotonic_now_ns);
  receive_drops_.update(now_ms);
  log_.say(now_ms, relay_.room_events());
}

// Events come in the order in which they happened, so the datagrams' may be behind those of
// thousands of connections, many looks away. Messages do not wait for that.
void Shard::look_past_connections() {
  udp_is_readable_ = true;
  inbox_.on_event();
}

// Only notes what has happened: the order of work is the duty cycle's.
void Shard::wait() {
  std::array<epoll_event, kMaxEvents> events;
  const TimeMs now_ms = monotonic_now_ms();
  const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                 wait_timeout_ms(now_ms));
  if (count < 0 && errno != EINTR) throw std::runtime_error(system_error("epoll_wait"));
  for (int i = 0; i < count; ++i) note(events[static_cast<std::size_t>(i)]);
  const bool has_seen_all = count >= 0 && count < static_cast<int>(events.size());
  if (!has_seen_all) look_past_connections();
  horizon_.look(now_ms, has_seen_all);
}

void Shard::note(const epoll_event& event) {
  switch (event.data.u64) {
    case kStopEvent:
      is_stopping_ = true;
      break;
    case kListenerEvent:
      acceptor_->on_readable();
      break;
    case kMailEvent:
      inbox_.on_event();
      break;
    case kUdpEvent:
      if ((event.events & EPOLLIN) != 0) udp_is_readable_ = true;
      if ((event.events & EPOLLOUT) != 0) full_until_ms_.reset();
      if ((event.events & EPOLLERR) != 0) udp_has_errors_ = true;
      break;
    default:
      control_.on_connection_event(
          static_cast<std::uint32_t>(event.data.u64 - kFirstConnectionEvent), event.events);
  }
}

// Whether there is something to do that no event will announce.
bool Shard::has_work(TimeMs now_ms) const {
  const bool has_datagrams = udp_is_readable_ || receiver_.has_next();
  const bool has_errors = udp_has_errors_ || errors_.has_refused();
  const bool has_messages = !is_stuck() && (has_unsent_ || relay_.has_waiting());
  const bool has_connections = acceptor_ && acceptor_->has_work(now_ms);
  return has_datagrams || has_errors || has_messages || has_connections || inbox_.has_work() ||
         control_.has_work(now_ms);
}

// Whether nothing is left of what had come by the last look.
bool Shard::has_read_all(TimeMs now_ms) const {
  const bool has_connections = acceptor_ && acceptor_->has_work(now_ms);
  return !udp_is_readable_ && !receiver_.has_next() && !receive_again_at_ms_ &&
         !inbox_.has_work() && !has_connections && control_.has_read_all();
}

int Shard::wait_timeout_ms(TimeMs now_ms) const {
  if (has_work(now_ms)) return 0;
  std::optional<TimeMs> deadline_ms =
      earliest(earliest(relay_.next_deadline(), control_.next_deadline()), put_off_until_ms_);
  deadline_ms = earliest(earliest(deadline_ms, full_until_ms_), receive_again_at_ms_);
  if (acceptor_) deadline_ms = earliest(deadline_ms, acceptor_->next_deadline());
  if (!deadline_ms) return -1;
  if (*deadline_ms <= now_ms) return 0;
  return static_cast<int>(std::min<TimeMs>(*deadline_ms - now_ms, INT_MAX));
}

// A bounded share of what has come: the rest has its turn after everything else.
void Shard::receive(TimeMs now_ms) {
  if (receive_again_at_ms_ && now_ms >= *receive_again_at_ms_) {
    receive_again_at_ms_.reset();
    udp_is_readable_ = true;
  }
  for (std::size_t count = 0; count < kDatagramsPerTurn && !outbox_.is_full(); ++count) {
    if (!receiver_.has_next()) {
      if (!udp_is_readable_) return;
      receiver_.receive();
      // Not when the turn began: if the process was stopped since, what came meanwhile would count
      // as heard before that.
      now_ms = monotonic_now_ms();
      udp_is_readable_ = !receiver_.is_drained();
      if (receiver_.error() != 0) return pause_receiving(now_ms);
      if (!receiver_.has_next()) return;
    }
    const UdpReceiver::Datagram datagram = receiver_.next();
    if (line_.hand_over(datagram.from, datagram.bytes)) continue;
    relay_.on_datagram(now_ms, datagram.from, datagram.bytes, outbox_);
  }
}

// No event tells when receiving works again, so it is tried now and then.
void Shard::pause_receiving(TimeMs now_ms) {
  udp_is_readable_ = false;
  receive_again_at_ms_ = now_ms + kRetryMs;
  relay_.counters().add(Counter::kReceivesPostponed);
  if (std::exchange(has_warned_of_receiving_, true)) return;
  spdlog::warn(
      "{}; messages wait, and are lost when the receive buffer is full. From now on this is only "
      "counted, as receives_postponed",
      system_error("recvmmsg", receiver_.error()));
}

// Drained before receiving: a pending error would cut a batch short.
void Shard::handle_refusals(TimeMs now_ms) {
  errors_.look_after(now_ms);
  if (udp_has_errors_) {
    udp_has_errors_ =
        errors_.drain(now_ms) == ErrorQueue::kMaxPerDrain;  // no event tells of the rest
    udp_is_readable_ = true;
  }
  while (!outbox_.is_full()) {
    const auto destination = errors_.take_refused();
    if (!destination) return;
    line_.tell_refusal(*destination);
    relay_.on_refused(now_ms, *destination, outbox_);
  }
}

void Shard::send(TimeMs now_ms) {
  line_.publish();  // before anybody can hear of what has happened
  if (std::max(full_until_ms_, put_off_until_ms_).value_or(now_ms) > now_ms) return;
  full_until_ms_.reset();
  put_off_until_ms_.reset();
  switch (sender_.send(outbox_, now_ms)) {
    case UdpSender::Progress::kDone:
      outbox_.clear();
      has_unsent_ = false;
      return;
    case UdpSender::Progress::kMore:
      break;
    case UdpSender::Progress::kSocketFull:
      full_until_ms_ = now_ms + kRetryMs;
      break;
    case UdpSender::Progress::kPutOff:
      put_off_until_ms_ = now_ms + UdpSender::kPutOffMs;
      break;
  }
  has_unsent_ = true;
  outbox_.extend();  // the rest waits, and others must still be able to say something
}

// While the socket is full, messages wait in their rooms, and the oldest give way there. What is in
// the outbox already waits there, with answers and farewells; when it is full as well, all of it
// gives way. So everything else goes on, whatever becomes of the socket.
void Shard::make_room() {
  if (!is_stuck() || !outbox_.is_full()) return;
  sender_.abandon(outbox_, Counter::kDroppedSendQueueFull);
  outbox_.clear();
  has_unsent_ = false;
  put_off_until_ms_.reset();
}

// A signal does not undo what clients have sent before it. The stop event makes the first turn's
// wait return at once; a flood does not go on for ever.
void Shard::finish_what_has_come() {
  const TimeMs give_up_at_ms = monotonic_now_ms() + kFinishMs;
  TimeMs now_ms = 0;
  do {
    duty_cycle();
    now_ms = monotonic_now_ms();
  } while (has_work(now_ms) && now_ms < give_up_at_ms);
}

// What is still waiting in a room by now has waited for a turn longer than members can be kept
// waiting for their farewell. However many they are, they are told as long as the network takes it.
void Shard::say_goodbye() {
  relay_.drop_waiting();
  TimeMs give_up_at_ms = monotonic_now_ms() + kGoodbyeMs;
  for (bool everyone_is_told = false; !everyone_is_told;) {
    everyone_is_told = relay_.disconnect_all(outbox_);
    TimeMs now_ms = monotonic_now_ms();
    while (sender_.send(outbox_, now_ms) != UdpSender::Progress::kDone) {
      now_ms = monotonic_now_ms();
      if (now_ms >= give_up_at_ms) {
        sender_.abandon(outbox_, Counter::kDroppedSendAtStop);
        break;
      }
      wait_until_writable(give_up_at_ms - now_ms);
    }
    if (monotonic_now_ms() < give_up_at_ms) give_up_at_ms = monotonic_now_ms() + kGoodbyeMs;
    outbox_.clear();
  }
  receive_drops_.update();
}

// At least a moment, also when the socket is writable: then it is a device that is full, or memory
// that is short, and no event will tell when that is over.
void Shard::wait_until_writable(TimeMs at_most_ms) {
  const TimeMs began_ms = monotonic_now_ms();
  errors_.drain(began_ms);  // or poll would return at once
  pollfd writable{.fd = udp_.get(), .events = POLLOUT, .revents = 0};
  ::poll(&writable, 1, static_cast<int>(at_most_ms));
  if (monotonic_now_ms() == began_ms) ::poll(nullptr, 0, UdpSender::kPutOffMs);
}

}  // namespace chatd
