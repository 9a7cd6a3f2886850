// How connections to the TLS port begin, and how they end with a hand-over; and what becomes of
// clients that have come to the wrong port.
#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "core/control/request_handler.h"
#include "server/control/connections.h"

namespace chatd {
namespace {

using TlsInput = Connection::Input;
using TlsReason = RateLimitedLog::Reason;
using TlsState = Connection::State;

// Of this shard, at a time. A flood of them makes an honest client lose its place only if so many
// come within one of its two round trips.
constexpr std::size_t kMaxHandshakes = 512;

struct FailureText {
  Counter counter;
  const char* text;
};

FailureText text_of(TlsSession::Failure failure) {
  using Failure = TlsSession::Failure;
  switch (failure) {
    case Failure::kPlainText:
      return {Counter::kTlsFailedPlainText, "it speaks plain text, which --tcp-port is for"};
    case Failure::kOldVersion:
      return {Counter::kTlsFailedOldVersion, "it does not speak TLS 1.3"};
    case Failure::kWrongProtocol:
      return {Counter::kTlsFailedWrongProtocol, "it speaks other protocols than chatd/2 (ALPN)"};
    case Failure::kPeerRefuses:
      return {Counter::kTlsFailedPeerRefused, "it does not go on; it may not know the certificate"};
    case Failure::kEnded:
      return {Counter::kTlsFailedEnded, "it is broken off"};
    case Failure::kGarbage:
      break;
  }
  return {Counter::kTlsFailedGarbage, "what it sends is not as it should be"};
}

// In plain text, for who does not understand TLS.
std::string this_port_speaks_tls(std::uint16_t plain_port) {
  std::string answer;
  append_outcome(answer, static_cast<std::uint8_t>(Operation::kList), Status::kBadRequest,
                 "this port speaks TLS 1.3 and nothing else: clients without TLS go to port " +
                     std::to_string(plain_port));
  return answer;
}

}  // namespace

// False: OpenSSL makes no session, and it is shed.
bool Connections::start_tls(TimeMs now_ms, Connection& connection, UniqueFd fd) {
  auto tls = TlsSession::start(io_, fd.get(), port_.group().tls()->new_session());
  if (tls) {
    connection.stream = Stream(std::move(fd), std::move(tls));
    connection.state = TlsState::kShakingHands;
    return true;
  }
  log_.say(now_ms, TlsReason::kConnectionShed, spdlog::level::warn,
           "connection from {} closed at once: OpenSSL makes no session", connection.peer);
  counters_.add(Counter::kConnectionsShed);
  io_.close(fd.release());
  port_.group().remove_connection();
  port_.release_connection(connection.peer);
  return false;
}

void Connections::enqueue_handshake(std::uint32_t slot) {
  connections_[slot].handshake = handshakes_.insert(handshakes_.end(), slot);
}

void Connections::end_handshake(std::uint32_t slot) {
  handshakes_.erase(connections_[slot].handshake);
}

// Of too many, the one gives way whose client has let us wait for longest. If we let all of them
// wait, none does: what has been done for them would be lost, and no handshake ever complete.
bool Connections::make_room_for_handshake(TimeMs now_ms) {
  if (handshakes_.size() < kMaxHandshakes) return true;
  const std::uint32_t oldest = handshakes_.front();
  counters_.add(Counter::kTlsFailedOverLimit);
  log_.say(now_ms, TlsReason::kTlsHandshakeOverLimit, spdlog::level::warn,
           "a TLS handshake is given up: there are {} under way", kMaxHandshakes);
  if (connections_[oldest].is_scheduled) return false;
  part(oldest);
  return true;
}

// Whether it is done, and the connection can be served.
bool Connections::shake_hands(TimeMs now_ms, std::uint32_t slot) {
  if (handshake_steps_left_ == 0) {
    schedule(slot);
    return false;
  }
  Connection& connection = connections_[slot];
  TlsSession& tls = *connection.stream.tls();
  const std::uint64_t heard_bytes = tls.received_bytes();
  const TlsSession::Progress progress = tls.shake_hands();
  if (tls.received_bytes() != heard_bytes) {
    --handshake_steps_left_;
    handshakes_.splice(handshakes_.end(), handshakes_, connection.handshake);
  }
  switch (progress) {
    case TlsSession::Progress::kWaits:
      if (connection.input != TlsInput::kRdhupSeen) connection.input = TlsInput::kDrained;
      return false;
    case TlsSession::Progress::kGoesOn:
      schedule(slot);
      return false;
    case TlsSession::Progress::kFailed:
      fail_handshake(now_ms, slot);
      return false;
    case TlsSession::Progress::kDone:
      break;
  }
  counters_.add(Counter::kTlsHandshakes);
  if (tls.is_resumed()) counters_.add(Counter::kTlsHandshakesResumed);
  end_handshake(slot);
  connection.state = TlsState::kServing;
  port_.greet(connection.to_send);
  return true;
}

void Connections::fail_handshake(TimeMs now_ms, std::uint32_t slot) {
  const Connection& connection = connections_[slot];
  const TlsSession& tls = *connection.stream.tls();
  const FailureText failure = text_of(tls.failure());
  counters_.add(failure.counter);
  log_.say(now_ms, TlsReason::kTlsHandshakeFailed, spdlog::level::info,
           "TLS handshake with {} failed: {} ({})", connection.peer, failure.text,
           tls.failure_text());
  if (tls.failure() == TlsSession::Failure::kPlainText) {
    io_.send(connection.stream.fd(), this_port_speaks_tls(port_.group().tls()->plain_port()));
  }
  part(slot);
}

// Who has said nothing may be a client without TLS that waits for its greeting.
void Connections::time_out_handshake(TimeMs now_ms, std::uint32_t slot) {
  const Connection& connection = connections_[slot];
  const bool is_silent = connection.stream.tls()->received_bytes() == 0;
  counters_.add(Counter::kTlsFailedTimedOut);
  log_.say(now_ms, TlsReason::kTlsHandshakeFailed, spdlog::level::info,
           "TLS handshake with {} failed: not done within --handshake-timeout{}", connection.peer,
           is_silent ? "; it has said nothing, as a client does that is to go to --tcp-port" : "");
  if (is_silent) {
    io_.send(connection.stream.fd(), this_port_speaks_tls(port_.group().tls()->plain_port()));
  }
  part(slot);
}

// Closing with unread input would reset the connection, and what was sent last might be lost.
void Connections::part(std::uint32_t slot) {
  const int fd = connections_[slot].stream.fd();
  connections_[slot].stream.shut_down_sending(io_);
  io_.receive(fd, read_buffer_);
  close(slot);
}

// The greeting has gone out in plain text, so the client's TLS library has said already that this
// is none of its own.
void Connections::refuse_tls(TimeMs now_ms, Connection& connection) {
  counters_.add(Counter::kConnectionsTlsOnPlainPort);
  const TlsService* const tls = port_.group().tls();
  log_.say(now_ms, TlsReason::kTlsOnPlainPort, spdlog::level::info,
           "connection from {} closed: it speaks TLS, and has come to the port without; {}",
           connection.peer,
           tls != nullptr ? "TLS is at port " + std::to_string(tls->endpoint().port)
                          : "there is none with it (--tls-port)");
  connection.state = TlsState::kClosing;
}

// --- Hand-over -----------------------------------------------------------------------------------

std::vector<IpAddress> Connections::encrypted_peers() const {
  std::vector<IpAddress> peers;
  for (std::uint32_t slot = 0; slot < connections_.slot_end(); ++slot) {
    if (!connections_.contains(slot) || !connections_[slot].stream.is_encrypted()) continue;
    peers.push_back(connections_[slot].peer);
  }
  return peers;
}

void Connections::end_encrypted() {
  for (std::uint32_t slot = 0; slot < connections_.slot_end(); ++slot) {
    if (!connections_.contains(slot) || !connections_[slot].stream.is_encrypted()) continue;
    if (connections_[slot].state != TlsState::kShakingHands) write_some(connections_[slot]);
    part(slot);
  }
}

void Connections::forget_encrypted(TimeMs now_ms, const std::vector<IpAddress>& peers) {
  if (peers.empty()) return;
  for (const IpAddress& peer : peers) port_.release_connection(peer);
  counters_.add(Counter::kConnectionsNotHandedOver, peers.size());
  log_.say(
      now_ms, TlsReason::kConnectionBroken, spdlog::level::info,
      "{} TLS connections have ended with the hand-over: what is encrypted cannot be passed on",
      peers.size());
}

}  // namespace chatd
