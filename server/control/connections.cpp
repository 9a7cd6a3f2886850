#include "server/control/connections.h"

#include <algorithm>
#include <cerrno>
#include <span>
#include <utility>

#include "core/base/time.h"
#include "core/control/request_handler.h"
#include "server/control/tls_words.h"

namespace chatd {
namespace {

using Input = Connection::Input;
using Reason = RateLimitedLog::Reason;
using State = Connection::State;

constexpr int kMaxRequestsPerTurn = 32;  // of one connection
// Of handshakes, in a turn: it takes a quarter of a millisecond, or a few with a key that is dearer
// than chatd's own, and talk waits no longer than that.
constexpr int kMaxHandshakeSteps = 1;
constexpr std::size_t kReadBytes = 16 * 1024;  // what a TLS record holds
// A connection that does not read its answers gets no further ones.
constexpr std::size_t kMaxPendingOutputBytes = 64 * 1024;
constexpr std::size_t kMaxKeptBytes = 4 * 1024;  // of a connection's memory when all is sent

}  // namespace

Connections::Connections(Io& io, const Limits& limits, int epoll_fd, std::uint64_t first_event_id,
                         ShardPort& port, RateLimitedLog& log, Counters& counters, TimeMs now_ms)
    : io_(io),
      limits_(limits),
      epoll_fd_(epoll_fd),
      first_event_id_(first_event_id),
      port_(port),
      log_(log),
      counters_(counters),
      connections_(limits.max_connections + kSpareConnections),
      deadlines_(limits.max_connections + kSpareConnections, now_ms),
      read_buffer_(kReadBytes),
      piece_(new char[kMaxPieceBytes]) {}

void Connections::on_connection_event(std::uint32_t slot, std::uint32_t events) {
  Input& input = connections_[slot].input;
  const bool has_hung_up = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  if (input != Input::kEof) {
    if (has_hung_up) {
      input = Input::kRdhupSeen;
    } else if (input == Input::kDrained &&
               ((events & EPOLLIN) != 0 || connections_[slot].stream.is_encrypted())) {
      // TLS that could not answer, to have its keys changed, has not read on, either.
      input = Input::kReadable;
    }
  }
  schedule(slot);
}

void Connections::serve(TimeMs now_ms, Outbox& out) {
  handshake_steps_left_ = kMaxHandshakeSteps;
  // Connections that are not done in this turn are scheduled again, behind the others.
  serving_.swap(to_serve_);
  for (const std::uint32_t slot : serving_) {
    connections_[slot].is_scheduled = false;
    if (out.is_full()) {
      schedule(slot);
    } else {
      serve_connection(now_ms, slot, out);
    }
  }
  serving_.clear();
  write_lists(now_ms);
  send_lists(now_ms);
}

std::optional<TimeMs> Connections::next_deadline() const {
  return earliest(deadlines_.next_deadline(), port_.lists_deadline());
}

void Connections::adopt(TimeMs now_ms, HandedConnection accepted) {
  if (!port_.open_connection(now_ms, accepted.peer)) {
    return reject(now_ms, std::move(accepted));
  }
  Connection connection;
  connection.peer = accepted.peer;
  connection.is_over_limit = accepted.is_over_limit;
  if (accepted.is_encrypted) {
    if (!make_room_for_handshake(now_ms)) {
      port_.release_connection(accepted.peer);
      return send_away(std::move(accepted), kTlsAccessDenied);
    }
    if (!start_tls(now_ms, connection, std::move(accepted.fd))) return;
  } else {
    connection.stream = Stream(std::move(accepted.fd));
  }
  const auto slot = take_in(now_ms, std::move(connection));
  if (!slot) return;
  counters_.add(Counter::kConnectionsAccepted);
  if (accepted.is_over_limit) {
    counters_.add(Counter::kConnectionsOverLimit);
    log_.say(now_ms, Reason::kConnectionOverLimit, spdlog::level::warn,
             "connection from {} is one too many: --max-connections is {}", accepted.peer,
             limits_.max_connections);
  } else {
    log_.say(now_ms, Reason::kConnectionAccepted, spdlog::level::info, "connection from {}",
             accepted.peer);
  }
  if (accepted.is_encrypted) {
    enqueue_handshake(*slot);
  } else {
    port_.greet(connections_[*slot].to_send);
  }
  schedule(*slot);
}

// The slot, with a deadline; or nothing: it is shed.
std::optional<std::uint32_t> Connections::take_in(TimeMs now_ms, Connection connection) {
  connection.serial = next_serial_++;
  connection.via = port_.group().local_addresses().via_of(connection.stream.fd());
  const int fd = connection.stream.fd();
  const IpAddress peer = connection.peer;
  const auto slot = connections_.insert(std::move(connection));
  constexpr std::uint32_t kEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  if (!slot || io_.epoll_add(epoll_fd_, fd, kEvents, first_event_id_ + *slot) != 0) {
    if (slot) connections_[*slot].stream.close(io_);  // otherwise it is closed already
    counters_.add(Counter::kConnectionsShed);
    port_.group().remove_connection();
    port_.release_connection(peer);
    if (slot) connections_.erase(*slot);
    return std::nullopt;
  }
  deadlines_.arm(*slot, now_ms + limits_.handshake_timeout_ms);
  return slot;
}

// It has been greeted, and what it still has to hear is in the state.
void Connections::restore(TimeMs now_ms, UniqueFd fd, ConnectionState state) {
  Connection connection;
  connection.stream = Stream(std::move(fd));
  connection.peer = state.peer;
  connection.received = std::move(state.received);
  connection.to_send = std::move(state.to_send);
  if (state.list) {
    connection.state = State::kReadsList;
    connection.list.emplace(std::move(state.list));
    connection.list->skip(state.list_offset_bytes);
  }
  connection.is_over_limit = state.is_over_limit;
  if (state.is_closing) {
    connection.state = state.has_shut_down ? State::kShutDown : State::kClosing;
  }
  if (state.has_ended) connection.input = Input::kEof;
  port_.group().add_connection();
  const auto slot = take_in(now_ms, std::move(connection));
  if (slot) schedule(*slot);
}

std::vector<ConnectionState> Connections::states(std::vector<int>& descriptors) const {
  std::vector<ConnectionState> states;
  for (std::uint32_t slot = 0; slot < connections_.slot_end(); ++slot) {
    if (!connections_.contains(slot)) continue;
    const Connection& connection = connections_[slot];
    if (connection.stream.is_encrypted()) continue;
    descriptors.push_back(connection.stream.fd());
    // Who waits for a list asks for it again, there.
    std::string received;
    if (connection.state == State::kAwaitsList) {
      append_frame(received, Operation::kList, FrameState::kRequest, "", "");
    }
    received += connection.received;
    const auto& list = connection.list;
    states.push_back({.peer = connection.peer,
                      .received = std::move(received),
                      .to_send = connection.to_send.substr(connection.sent_bytes),
                      .list = list ? list->shared() : nullptr,
                      .list_offset_bytes = list ? list->offset_bytes() : 0,
                      .is_over_limit = connection.is_over_limit,
                      .is_closing = connection.is_closing(),
                      .has_shut_down = connection.state == State::kShutDown,
                      .has_ended = connection.input == Input::kEof});
  }
  return states;
}

// Who has too many connections gets no place among the others': a word, as far as the socket takes
// it, and the end.
void Connections::reject(TimeMs now_ms, HandedConnection accepted) {
  counters_.add(Counter::kConnectionsOverAddressLimit);
  log_.say(now_ms, Reason::kConnectionOverAddressLimit, spdlog::level::info,
           "connection from {} refused: it has too many, or they come too fast", accepted.peer);
  if (accepted.is_encrypted) return send_away(std::move(accepted), kTlsAccessDenied);
  std::string answer;
  append_outcome(answer, static_cast<std::uint8_t>(Operation::kList), Status::kTooMany,
                 "too many connections from your address: close some, or try again later");
  send_away(std::move(accepted), answer);
}

void Connections::send_away(HandedConnection accepted, std::string_view answer) {
  const int fd = accepted.fd.release();
  io_.send(fd, answer);
  // Closing with unread input would reset the connection, and the answer might be lost.
  io_.shut_down_sending(fd);
  io_.receive(fd, read_buffer_);
  io_.close(fd);
  port_.group().remove_connection();
  has_freed_descriptor_ = true;
}

void Connections::deliver(TimeMs now_ms, const PeerShards::Reply& reply) {
  Connection* const connection = connections_.find(reply.to.slot);
  if (connection == nullptr || connection->serial != reply.to.serial) return;  // it has closed
  connection->to_send += reply.frames;
  connection->state = reply.list ? State::kReadsList : State::kServing;
  if (reply.list) connection->list.emplace(reply.list);
  put_deadline_off(now_ms, reply.to.slot);  // it was us who let it wait
  schedule(reply.to.slot);
}

ConnectionId Connections::id_of(std::uint32_t slot) const {
  return {.shard = port_.shard(),
          .slot = slot,
          .serial = connections_[slot].serial,
          .via = connections_[slot].via,
          .is_encrypted = connections_[slot].stream.is_encrypted()};
}

void Connections::schedule(std::uint32_t slot) {
  Connection& connection = connections_[slot];
  if (std::exchange(connection.is_scheduled, true)) return;
  to_serve_.push_back(slot);
}

void Connections::serve_connection(TimeMs now_ms, std::uint32_t slot, Outbox& out) {
  Connection& connection = connections_[slot];
  if (connection.state == State::kShakingHands && !shake_hands(now_ms, slot)) return;
  if (!read_some(connection)) return close_broken(now_ms, slot);
  const bool has_frames_left = answer_frames(now_ms, slot, connection, out);
  if (!write_some(connection)) return close_broken(now_ms, slot);
  if (connection.has_output()) return;  // an event says when it can go on
  if (connection.state == State::kReadsList) return enqueue_list(slot);
  if (connection.awaits_us()) return;  // deliver() says

  if (connection.state == State::kClosing) {
    connection.state = State::kShutDown;
    // The answer arrives before the end: closing with unread input would reset the connection.
    connection.stream.shut_down_sending(io_);
  }
  if (connection.input == Input::kEof && !has_frames_left) return close(slot);
  if (has_frames_left || connection.is_readable()) schedule(slot);
}

// One read; false when the connection is broken.
bool Connections::read_some(Connection& connection) {
  if (!connection.is_readable()) return true;
  // With a whole frame's worth unanswered the peer has to wait.
  if (connection.received.size() >= limits_.max_frame_bytes) return true;
  const ssize_t count = connection.stream.receive(io_, read_buffer_);
  if (count < 0) {
    if (errno == EINTR) return true;
    connection.input = Input::kDrained;
    return errno == EAGAIN || errno == EWOULDBLOCK;
  }
  if (count == 0) {
    connection.input = Input::kEof;
    return true;
  }
  // A short read has emptied the socket; only an end that was announced already comes without
  // another event.
  const bool was_short =
      !connection.stream.is_encrypted() && static_cast<std::size_t>(count) < read_buffer_.size();
  if (was_short && connection.input == Input::kReadable) connection.input = Input::kDrained;
  if (!connection.is_closing()) {
    connection.received.append(read_buffer_.data(), static_cast<std::size_t>(count));
  }
  return true;
}

// Answers the whole frames that have come, as many as one turn allows; true when there may be more.
bool Connections::answer_frames(TimeMs now_ms, std::uint32_t slot, Connection& connection,
                                Outbox& out) {
  std::size_t consumed_bytes = 0;
  bool may_have_more = true;
  for (int i = 0; may_have_more && i < kMaxRequestsPerTurn; ++i) {
    if (connection.state != State::kServing) break;
    if (connection.to_send.size() > kMaxPendingOutputBytes) break;
    const std::string_view rest = std::string_view(connection.received).substr(consumed_bytes);
    const DecodedFrame decoded = decode_frame(rest, limits_.max_frame_bytes);
    switch (decoded.status) {
      case FrameStatus::kIncomplete:
        may_have_more = false;
        break;
      case FrameStatus::kTooLarge:
        if (is_client_hello(rest)) {
          refuse_tls(now_ms, connection);
          break;
        }
        counters_.add(Counter::kFramesTooLarge);
        log_.say(now_ms, Reason::kFrameTooLarge, spdlog::level::info,
                 "connection from {}: a frame is larger than --max-frame-bytes {}", connection.peer,
                 limits_.max_frame_bytes);
        append_outcome(connection.to_send, decoded.frame.operation, Status::kTooLarge,
                       "the frame is larger than the server allows");
        connection.state = State::kClosing;
        break;
      case FrameStatus::kComplete:
        answer(now_ms, slot, connection, decoded.frame, out);
        consumed_bytes += decoded.size_bytes;
        put_deadline_off(now_ms, slot);
        break;
    }
  }
  connection.received.erase(0, consumed_bytes);
  if (connection.is_closing()) connection.received.clear();
  return may_have_more && !connection.is_closing();
}

void Connections::answer(TimeMs now_ms, std::uint32_t slot, Connection& connection,
                         const FrameView& frame, Outbox& out) {
  if (!connection.is_over_limit) {
    if (port_.ask(now_ms, id_of(slot), connection.peer, frame, connection.to_send, out)) return;
    connection.state = frame.is(Operation::kList) ? State::kAwaitsList : State::kAwaitsAnswer;
    return;
  }
  if (RequestHandler::is_acknowledged(frame)) append_accepted(connection.to_send, frame.operation);
  counters_.add(Counter::kRequestsRefused);
  append_outcome(connection.to_send, frame.operation, Status::kUnavailable,
                 "the server has too many connections: try again later");
  connection.state = State::kClosing;
}

// Writes what the socket takes; false when the connection is broken.
bool Connections::write_some(Connection& connection) {
  while (connection.has_output()) {
    const ssize_t count =
        connection.stream.send(io_, std::span(connection.to_send).subspan(connection.sent_bytes));
    if (count < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN || errno == EWOULDBLOCK;
    }
    connection.sent_bytes += static_cast<std::size_t>(count);
  }
  connection.sent_bytes = 0;
  connection.to_send.clear();
  if (connection.to_send.capacity() > kMaxKeptBytes) std::string().swap(connection.to_send);
  return true;
}

// When most places are taken, one that has been served does not keep its own for long. The time
// counts from what it has done last, as always.
void Connections::put_deadline_off(TimeMs now_ms, std::uint32_t slot) {
  const bool is_over_high_watermark = port_.group().connections() > limits_.max_connections / 4 * 3;
  const TimeMs patience_ms =
      is_over_high_watermark ? limits_.handshake_timeout_ms / 4 : limits_.handshake_timeout_ms;
  deadlines_.arm(slot, now_ms + patience_ms);
}

void Connections::close_overdue(TimeMs now_ms, TimeMs heard_until_ms) {
  while (const auto slot = deadlines_.pop_expired(heard_until_ms)) {
    if (connections_[*slot].awaits_us()) {  // it is us who are late
      put_deadline_off(now_ms, *slot);
      continue;
    }
    if (connections_[*slot].state == State::kShakingHands) {
      time_out_handshake(now_ms, *slot);
      continue;
    }
    counters_.add(Counter::kConnectionsTimedOut);
    log_.say(now_ms, Reason::kConnectionTimedOut, spdlog::level::info,
             "connection from {} closed: no whole request within --handshake-timeout (of one that "
             "had asked, while most places were taken: a quarter of it), and no room list that it "
             "went on reading",
             connections_[*slot].peer);
    close(*slot);
  }
}

void Connections::close_broken(TimeMs now_ms, std::uint32_t slot) {
  counters_.add(Counter::kConnectionsBroken);
  log_.say(now_ms, Reason::kConnectionBroken, spdlog::level::info, "connection from {} broken",
           connections_[slot].peer);
  close(slot);
}

void Connections::close(std::uint32_t slot) {
  if (connections_[slot].is_scheduled) std::erase(to_serve_, slot);
  if (connections_[slot].is_in_list_queue) std::erase(list_queue_, slot);
  if (connections_[slot].state == State::kShakingHands) end_handshake(slot);
  deadlines_.disarm(slot);
  port_.release_connection(connections_[slot].peer);
  connections_[slot].stream.close(io_);
  connections_.erase(slot);
  port_.group().remove_connection();
  has_freed_descriptor_ = true;
}

}  // namespace chatd
