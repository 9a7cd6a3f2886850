#include "server/shard/shard.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <stdexcept>
#include <utility>

#include "core/base/time.h"
#include "server/os/system_error.h"

namespace chatd {
namespace {

constexpr std::size_t kMaxEvents = 256;
constexpr TimeMs kDrainInputMs = 200;
constexpr TimeMs kDisconnectMs = 1000;

// What an epoll event is about. Connections follow, by slot.
enum EventId : std::uint64_t {
  kStopEvent,
  kListenerEvent,
  kUdpEvent,
  kMailEvent,
  kTlsListenerEvent,
};
static_assert(kTlsListenerEvent < Shard::kFirstConnectionEvent);

}  // namespace

tl::expected<std::unique_ptr<Shard>, std::string> Shard::open(Io& io, ShardSockets sockets,
                                                              std::unique_ptr<Relay> relay,
                                                              ShardGroup& group, int stop_fd,
                                                              const ShardBounds& bounds) {
  UniqueFd epoll(io.epoll_create());
  if (!epoll) return tl::unexpected(system_error("epoll_create1"));
  std::unique_ptr<Shard> shard(
      new Shard(io, std::move(epoll), std::move(sockets), std::move(relay), group, bounds));
  for (const auto& watched :
       {shard->watch(stop_fd, EPOLLIN, kStopEvent),
        shard->watch(shard->port_.event_fd(), EPOLLIN | EPOLLET, kMailEvent),
        shard->watch(shard->udp_fd(), EPOLLIN | EPOLLOUT | EPOLLET, kUdpEvent)}) {
    if (!watched) return tl::unexpected(watched.error());
  }
  for (const auto& [fd, event] : {std::pair(shard->listener_fd(), kListenerEvent),
                                  std::pair(shard->tls_listener_fd(), kTlsListenerEvent)}) {
    if (fd < 0) continue;
    const auto watched = shard->watch(fd, EPOLLIN | EPOLLET, event);
    if (!watched) return tl::unexpected(watched.error());
  }
  return shard;
}

Shard::Shard(Io& io, UniqueFd epoll, ShardSockets&& sockets, std::unique_ptr<Relay> relay,
             ShardGroup& group, const ShardBounds& bounds)
    : io_(io),
      epoll_(std::move(epoll)),
      relay_(std::move(relay)),
      bounds_(bounds),
      outbox_(bounds.outbox_work, relay_->limits().max_room_members),
      data_(
          io,
          {.fd = std::move(sockets.udp), .family = sockets.family, .max_lanes = sockets.max_lanes},
          relay_->config().trains.max_segment_bytes, relay_->counters(), group.local_addresses()),
      port_(group, relay_->config().shard, *relay_),
      control_(io, std::move(sockets.tcp_listener), std::move(sockets.tls_listener),
               relay_->limits(), relay_->config().shards, epoll_.get(), kFirstConnectionEvent,
               port_, log_, relay_->counters(), io.now_ms()),
      mail_drain_(port_, *relay_, control_),
      loop_timer_(relay_->counters(), relay_->histograms()) {}

tl::expected<void, std::string> Shard::watch(int fd, std::uint32_t events, std::uint64_t id) {
  if (io_.epoll_add(epoll_.get(), fd, events, id) == 0) return {};
  return tl::unexpected(system_error("epoll_ctl"));
}

void Shard::run() {
  go_on();
  while (!is_stopping_) duty_cycle();
}

void Shard::go_on() {
  is_stopping_ = false;
  data_.read_again();  // quiesce() has passed it over
}

void Shard::end() {
  drain_input();
  disconnect_members();
  log_.say(io_.now_ms(), relay_->room_events());
  log_.close();
}

void Shard::duty_cycle() {
  wait();
  const TimeNs now_ns = io_.now_ns();
  const TimeMs now_ms = to_ms(now_ns);
  loop_timer_.begin(now_ns);

  data_.shed_outbox(outbox_);
  take_refusals(now_ms);
  // Nobody is taken for silent before what has come from them is read.
  relay_->on_deadline(horizon_.heard_until_ms(), outbox_);
  control_.close_overdue(now_ms, horizon_.heard_until_ms());
  mail_drain_.drain_messages(now_ms, outbox_);
  control_.serve(now_ms, outbox_);
  // So that receiving starts with an empty outbox, and neither side starves the other.
  send(now_ms);

  mail_drain_.receive_misrouted(now_ms, outbox_);
  receive(now_ms);
  serve_rooms();
  send(now_ms);
  end_turn(now_ms);
}

// Events come in the order in which they happened, so the datagrams' may be behind those of
// thousands of connections, many looks away. Messages do not wait for that.
void Shard::look_past_connections() {
  data_.read_again();
  mail_drain_.on_event();
}

// Only notes what has happened: the order of work is the duty cycle's.
void Shard::wait() {
  std::array<epoll_event, kMaxEvents> events;
  const TimeMs now_ms = io_.now_ms();
  const int count = io_.epoll_wait(epoll_.get(), events, wait_timeout_ms(now_ms));
  if (count < 0 && errno != EINTR) throw std::runtime_error(system_error("epoll_wait"));
  for (int i = 0; i < count; ++i) mark_ready(events[static_cast<std::size_t>(i)]);
  const bool has_seen_all = count >= 0 && count < static_cast<int>(events.size());
  if (!has_seen_all) look_past_connections();
  horizon_.look(now_ms, has_seen_all);
}

int Shard::wait_timeout_ms(TimeMs now_ms) const {
  if (has_work(now_ms)) return 0;
  const auto deadline_ms =
      earliest(earliest(relay_->next_deadline(), control_.next_deadline()), data_.next_deadline());
  if (!deadline_ms) return -1;
  if (*deadline_ms <= now_ms) return 0;
  return static_cast<int>(std::min<TimeMs>(*deadline_ms - now_ms, INT_MAX));
}

void Shard::mark_ready(const epoll_event& event) {
  switch (event.data.u64) {
    case kStopEvent:
      is_stopping_ = true;
      break;
    case kListenerEvent:
      control_.on_listener_event();
      break;
    case kTlsListenerEvent:
      control_.on_tls_listener_event();
      break;
    case kMailEvent:
      mail_drain_.on_event();
      break;
    case kUdpEvent:
      data_.on_event(event.events);
      break;
    default:
      control_.on_connection_event(
          static_cast<std::uint32_t>(event.data.u64 - kFirstConnectionEvent), event.events);
  }
}

// Members of any shard may be where nobody listens any more.
void Shard::take_refusals(TimeMs now_ms) {
  data_.read_errors(now_ms);
  while (!outbox_.is_full()) {
    const auto destination = data_.take_refused();
    if (!destination) return;
    port_.tell_refusal(*destination);
    relay_->on_unreachable(now_ms, *destination, outbox_);
  }
}

// A bounded share of what has come: the rest has its turn after everything else.
void Shard::receive(TimeMs now_ms) {
  for (std::size_t left = bounds_.datagrams; left > 0 && !outbox_.is_full();) {
    const std::span<ReceivedDatagram> come = data_.receive(now_ms, left);
    if (come.empty()) return;
    const std::span<ReceivedDatagram> ours = port_.hand_over(come);
    const std::size_t taken = relay_->on_datagrams(now_ms, ours, outbox_);
    data_.keep(ours.subspan(taken));
    left -= come.size() - (ours.size() - taken);
  }
}

// What waits to be sent leaves first: rooms have time.
void Shard::serve_rooms() {
  if (!data_.has_unsent() && !data_.is_send_blocked()) relay_->serve_rooms(outbox_);
}

void Shard::send(TimeMs now_ms) {
  port_.publish();  // before anybody can hear of what has happened
  data_.send(outbox_, now_ms);
}

void Shard::end_turn(TimeMs now_ms) {
  horizon_.end_turn(has_read_all(now_ms));
  loop_timer_.end(!data_.has_unsent() && !relay_->has_waiting(), [this] { return io_.now_ns(); });
  data_.receive_drops().update(now_ms);
  log_.say(now_ms, relay_->room_events());
}

// Whether there is something to do that no event will announce.
bool Shard::has_work(TimeMs now_ms) const {
  const bool has_messages =
      !data_.is_send_blocked() && (data_.has_unsent() || relay_->has_waiting());
  return has_messages || data_.has_work() || mail_drain_.has_work() || control_.has_work(now_ms);
}

// Whether nothing is left of what had come by the last look.
bool Shard::has_read_all(TimeMs now_ms) const {
  return data_.has_read_all() && !mail_drain_.has_work() && control_.has_read_all(now_ms);
}

// A signal does not undo what clients have sent before it. The stop event makes the first turn's
// wait return at once; a flood does not go on for ever.
void Shard::drain_input() {
  const TimeMs give_up_at_ms = io_.now_ms() + kDrainInputMs;
  TimeMs now_ms = 0;
  do {
    duty_cycle();
    now_ms = io_.now_ms();
  } while (has_work(now_ms) && now_ms < give_up_at_ms);
  // What has been read is in no queue of the kernel's any more: nobody would ever count it.
  data_.stop_reading();
  while (data_.has_received() || mail_drain_.has_work()) {
    data_.shed_outbox(outbox_);
    deal_with_received(now_ms);
    send(now_ms);
  }
}

// What has been read from the socket and taken out of the mailbox, and nothing new.
void Shard::deal_with_received(TimeMs now_ms) {
  take_refusals(now_ms);
  mail_drain_.drain_messages(now_ms, outbox_);
  send(now_ms);
  mail_drain_.receive_misrouted(now_ms, outbox_);
  receive(now_ms);
}

// What is still waiting in a room by now has waited for a turn longer than members can be kept
// waiting for their farewell. However many they are, they are told as long as the network takes it.
void Shard::disconnect_members() {
  relay_->drop_waiting();
  TimeMs give_up_at_ms = io_.now_ms() + kDisconnectMs;
  for (bool everyone_is_told = false; !everyone_is_told;) {
    everyone_is_told = relay_->disconnect_all(outbox_);
    data_.send_before_stop(outbox_, give_up_at_ms);
    if (io_.now_ms() < give_up_at_ms) give_up_at_ms = io_.now_ms() + kDisconnectMs;
  }
  data_.receive_drops().update();
}

}  // namespace chatd
