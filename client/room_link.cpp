#include "client/room_link.h"

#include <cerrno>

#include "client/answer_reader.h"
#include "client/net/clock.h"
#include "client/net/tcp_connection.h"
#include "client/net/wait.h"

namespace chatd::client {
namespace {

// Between two looks at the keyboard.
constexpr int kMaxDatagramsPerTurn = 256;

tl::expected<TcpConnection, Error> connect(const ServerAddress& server) {
  const std::int64_t deadline_ms = now_ms() + server.timeout_ms;
  const auto addresses = resolve(server.host, server.tcp_port, deadline_ms, server.interrupt_fd);
  if (!addresses) return tl::unexpected<Error>(addresses.error());
  return TcpConnection::open(*addresses, deadline_ms, server.interrupt_fd);
}

}  // namespace

tl::expected<RoomLink, Error> RoomLink::enter(const ServerAddress& server, EntryRequest request,
                                              std::int64_t heartbeat_ms) {
  auto connection = connect(server);
  if (!connection) return tl::unexpected<Error>(std::move(connection.error()));
  // The same address that took the TCP connection: a name may stand for several machines. And the
  // UDP socket comes before the request, so that the server learns its real port.
  auto socket = UdpSocket::open(connection->peer().with_port(server.udp_port), server.gro);
  if (!socket) return tl::unexpected<Error>(std::move(socket.error()));
  const Address local = socket->local_address();
  request.udp_ip = local.ip();
  request.udp_port = local.port();

  const auto answer = connection->exchange(encode_entry_request(request), kMaxEntryAnswerBytes,
                                           server.timeout_ms, server.interrupt_fd);
  if (!answer) return tl::unexpected<Error>(answer.error());
  const auto token = parse_entry_answer(*answer);
  if (!token) return tl::unexpected<Error>(token.error());

  ConversationConfig config{.room = std::move(request.room),
                            .username = std::move(request.username),
                            .token = *token,
                            .heartbeat_ms = heartbeat_ms};
  RoomLink link(std::move(*socket), Conversation(std::move(config), now_ms()));
  link.on_deadline();
  return link;
}

tl::expected<void, Error> RoomLink::say(std::string_view text) {
  const auto datagram = conversation_.message(text);
  if (!datagram) return tl::unexpected<Error>(datagram.error());
  const int error = send(*datagram);
  if (error != 0) return failure(ErrorKind::kNotSendable, "not sent: " + system_reason(error));
  return {};
}

bool RoomLink::last_was_refused() {
  if (socket_.take_error() == ECONNREFUSED) on_refused();
  return conversation_.last_was_refused();
}

void RoomLink::on_deadline() {
  if (now_ms() < conversation_.next_heartbeat_ms()) return;
  send(conversation_.heartbeat());
}

std::vector<Event> RoomLink::receive() {
  std::vector<Event> events;
  // A train is taken to its end: nothing would call us for the rest of it.
  for (int i = 0; (i < kMaxDatagramsPerTurn || socket_.has_more()) && !server_gone_; ++i) {
    const UdpSocket::Received received = socket_.receive();
    if (received.error == EAGAIN) break;
    if (received.error == ECONNREFUSED) {
      on_refused();
    } else if (received.error == 0) {
      conversation_.on_received();
      events.push_back(parse_event(received.datagram, conversation_.username()));
    }
  }
  if (server_gone_) events.push_back({Event::Kind::kServerGone, "", "the server is gone"});
  return events;
}

void RoomLink::leave() {
  send(conversation_.leave());
}

int RoomLink::send(std::string_view datagram) {
  int error = socket_.send(datagram);
  if (error == ECONNREFUSED) {
    // The refusal is of an earlier datagram, and reading it has cleared it.
    on_refused();
    error = socket_.send(datagram);
  }
  // Even when it failed: a heartbeat that cannot go out now is tried again after the interval, not
  // at once for ever.
  conversation_.on_sent(now_ms());
  return error;
}

void RoomLink::on_refused() {
  if (conversation_.on_refused(now_ms())) server_gone_ = true;
}

tl::expected<RoomList, Error> list_rooms(const ServerAddress& server) {
  auto connection = connect(server);
  if (!connection) return tl::unexpected<Error>(std::move(connection.error()));
  const auto answer = connection->exchange(encode_list_request(), kMaxListBytes, server.timeout_ms,
                                           server.interrupt_fd);
  if (!answer) return tl::unexpected<Error>(answer.error());
  return parse_room_list(*answer);
}

}  // namespace chatd::client
