#include "client/net/control.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "client/lib/request.h"
#include "client/net/tls_connection.h"
#include "client/net/wait.h"

namespace chatd::client {
namespace {

tl::expected<std::vector<Address>, Error> find(const ServerAddress& server,
                                               std::int64_t deadline_ms) {
  return resolve(server.host, server.tcp_port, deadline_ms, server.interrupt_fd);
}

tl::expected<TlsConnection, Error> connect_tls(const ServerAddress& server) {
  const std::int64_t deadline_ms = now_ms() + patience_ms(server);
  const auto context = TlsContext::make();
  if (!context) return tl::unexpected<Error>(context.error());
  const auto addresses = find(server, deadline_ms);
  if (!addresses) return tl::unexpected<Error>(addresses.error());
  auto connected = connect_to_any(*addresses, deadline_ms, server.interrupt_fd, "chatd with TLS");
  if (!connected) return tl::unexpected<Error>(std::move(connected.error()));
  const Address peer = connected->peer;
  return TlsConnection::open(*context, std::move(connected->socket), peer, server.host, deadline_ms,
                             server.interrupt_fd);
}

tl::expected<void, Error> check(const ServerAddress& server, const TlsConnection& connection) {
  ServerCertificate certificate{
      .host = server.host, .peer = connection.peer(), .fingerprint = connection.fingerprint()};
  certificate.is_trusted = connection.is_trusted(certificate.doubt);
  if (server.check) return server.check(certificate);
  if (certificate.is_trusted) return {};
  return failure(ErrorKind::kUntrusted, "the certificate is not trusted: " + certificate.doubt);
}

}  // namespace

std::int64_t patience_ms(const ServerAddress& server) {
  return std::clamp<std::int64_t>(server.deadline_ms - now_ms(), 0, server.timeout_ms);
}

tl::expected<TcpConnection, Error> connect_plain(const ServerAddress& server) {
  const std::int64_t deadline_ms = now_ms() + patience_ms(server);
  const auto addresses = find(server, deadline_ms);
  if (!addresses) return tl::unexpected<Error>(addresses.error());
  return TcpConnection::open(*addresses, deadline_ms, server.interrupt_fd);
}

tl::expected<ControlAnswer, Error> ask_over_tls(const ServerAddress& server,
                                                std::string_view request,
                                                std::size_t max_frame_bytes) {
  auto connection = connect_tls(server);
  if (!connection) return tl::unexpected<Error>(std::move(connection.error()));
  if (auto checked = check(server, *connection); !checked) {
    return tl::unexpected<Error>(std::move(checked.error()));
  }
  auto answer =
      connection->exchange(request, max_frame_bytes, patience_ms(server), server.interrupt_fd);
  if (!answer) return tl::unexpected<Error>(std::move(answer.error()));
  return ControlAnswer{connection->peer(), std::move(*answer)};
}

tl::expected<RoomList, Error> list_rooms(const ServerAddress& server) {
  const std::string request = encode_list_request();
  if (server.protocol == 2) {
    const auto answer = ask_over_tls(server, request, kMaxListBytes);
    if (!answer) return tl::unexpected<Error>(answer.error());
    return parse_room_list(answer->payload);
  }
  auto connection = connect_plain(server);
  if (!connection) return tl::unexpected<Error>(std::move(connection.error()));
  const auto answer =
      connection->exchange(request, kMaxListBytes, patience_ms(server), server.interrupt_fd);
  if (!answer) return tl::unexpected<Error>(answer.error());
  return parse_room_list(*answer);
}

}  // namespace chatd::client
