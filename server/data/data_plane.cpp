#include "server/data/data_plane.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "core/base/time.h"
#include "server/os/system_error.h"

namespace chatd {

DataPlane::DataPlane(Io& io, UdpSocket socket, std::size_t max_whole_bytes, Counters& counters,
                     LocalAddresses& locals)
    : io_(io),
      socket_(std::move(socket.fd)),
      counters_(counters),
      errors_(io, socket_.get(), socket.family),
      receiver_(io, socket_.get(), &locals),
      sender_(io, socket_.get(), socket.family, max_whole_bytes, errors_, counters, &locals,
              socket.max_lanes),
      receive_drops_(io, socket_.get(), counters) {}

void DataPlane::on_event(std::uint32_t events) {
  if ((events & EPOLLIN) != 0) is_readable_ = true;
  if ((events & EPOLLOUT) != 0) full_until_ms_.reset();
  if ((events & EPOLLERR) != 0) has_errors_ = true;
}

std::optional<TimeMs> DataPlane::next_deadline() const {
  return earliest(earliest(deferred_until_ms_, full_until_ms_), receive_again_at_ms_);
}

std::span<ReceivedDatagram> DataPlane::receive(TimeMs& now_ms, std::size_t max_count) {
  if (first_ == end_) {
    if (!receiver_.has_next() && !read_socket(now_ms)) return {};
    first_ = end_ = 0;
    for (; end_ < incoming_.size() && receiver_.has_next(); ++end_) {
      const UdpReceiver::Datagram datagram = receiver_.next();
      incoming_[end_] = parse_received(datagram.from, datagram.bytes);
    }
  }
  const std::size_t count = std::min(end_ - first_, max_count);
  const std::span<ReceivedDatagram> batch(&incoming_[first_], count);
  first_ += count;
  return batch;
}

void DataPlane::keep(std::span<ReceivedDatagram> rest) {
  if (rest.empty()) return;
  // Behind them stands what was not asked for; others that stood there have gone elsewhere.
  first_ -= rest.size();
  std::move_backward(rest.begin(), rest.end(),
                     incoming_.begin() + static_cast<std::ptrdiff_t>(first_ + rest.size()));
}

// False: nothing has come.
bool DataPlane::read_socket(TimeMs& now_ms) {
  if (receive_again_at_ms_ && now_ms >= *receive_again_at_ms_) {
    receive_again_at_ms_.reset();
    is_readable_ = true;
  }
  if (!is_readable_) return false;
  receiver_.receive();
  // Not when the turn began: if the process was stopped since, what came meanwhile would count as
  // heard before that.
  now_ms = io_.now_ms();
  is_readable_ = !receiver_.is_drained();
  if (receiver_.error() != 0) pause_receiving(now_ms);
  return receiver_.has_next();
}

// No event tells when receiving works again, so it is tried now and then.
void DataPlane::pause_receiving(TimeMs now_ms) {
  is_readable_ = false;
  receive_again_at_ms_ = now_ms + kRetryMs;
  counters_.add(Counter::kReceivesPostponed);
  if (std::exchange(has_warned_of_receiving_, true)) return;
  spdlog::warn(
      "{}; messages wait, and are lost when the receive buffer is full. From now on this is only "
      "counted, as receives_postponed",
      system_error("recvmmsg", receiver_.error()));
}

void DataPlane::stop_reading() {
  is_readable_ = has_errors_ = false;
  receive_again_at_ms_.reset();
}

void DataPlane::read_errors(TimeMs now_ms) {
  errors_.look_after(now_ms);
  if (!has_errors_) return;
  has_errors_ = errors_.drain(now_ms) == ErrorQueue::kMaxPerDrain;  // no event tells of the rest
  is_readable_ = true;
}

void DataPlane::send(Outbox& out, TimeMs now_ms) {
  if (std::max(full_until_ms_, deferred_until_ms_).value_or(now_ms) > now_ms) return;
  full_until_ms_.reset();
  deferred_until_ms_.reset();
  switch (sender_.send(out, now_ms)) {
    case UdpSender::Progress::kDone:
      out.clear();
      has_unsent_ = false;
      return;
    case UdpSender::Progress::kMore:
      break;
    case UdpSender::Progress::kSocketFull:
      full_until_ms_ = now_ms + kRetryMs;
      break;
    case UdpSender::Progress::kDeferred:
      deferred_until_ms_ = now_ms + UdpSender::kDeferMs;
      break;
  }
  has_unsent_ = true;
  out.extend();  // the rest waits, and others must still be able to say something
}

// While the socket is full, messages wait in their rooms, and the oldest give way there. What is in
// the outbox already waits there, with answers and farewells; when it is full as well, all of it
// gives way.
void DataPlane::shed_outbox(Outbox& out) {
  if (!is_send_blocked() || !out.is_full()) return;
  discard(out, Counter::kDroppedSendQueueFull);
}

void DataPlane::drop_unsent(Outbox& out, Counter reason) {
  discard(out, reason);
  full_until_ms_.reset();
}

void DataPlane::discard(Outbox& out, Counter reason) {
  sender_.drop_pending(out, reason);
  out.clear();
  has_unsent_ = false;
  deferred_until_ms_.reset();
}

void DataPlane::send_before_stop(Outbox& out, TimeMs give_up_at_ms) {
  TimeMs now_ms = io_.now_ms();
  while (sender_.send(out, now_ms) != UdpSender::Progress::kDone) {
    now_ms = io_.now_ms();
    if (now_ms >= give_up_at_ms) {
      sender_.drop_pending(out, Counter::kDroppedSendAtStop);
      break;
    }
    wait_until_writable(give_up_at_ms - now_ms);
  }
  out.clear();
  has_unsent_ = false;
}

// At least a moment, also when the socket is writable: then it is a device that is full, or memory
// that is short, and no event will tell when that is over.
void DataPlane::wait_until_writable(TimeMs at_most_ms) {
  const TimeMs began_ms = io_.now_ms();
  errors_.drain(began_ms);  // or poll would return at once
  pollfd writable{.fd = socket_.get(), .events = POLLOUT, .revents = 0};
  io_.poll({&writable, 1}, static_cast<int>(at_most_ms));
  if (io_.now_ms() == began_ms) io_.poll({}, UdpSender::kDeferMs);
}

void DataPlane::go_on_from(std::uint32_t receive_drops_seen) {
  receive_drops_.go_on_from(receive_drops_seen);
  errors_.go_on();
}

}  // namespace chatd
