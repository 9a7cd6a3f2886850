// A member's place in a room over real sockets: the conversation, its UDP socket and the clock.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "client/answer.h"
#include "client/conversation.h"
#include "client/error.h"
#include "client/event.h"
#include "client/net/udp_socket.h"
#include "client/request.h"

namespace chatd::client {

struct ServerAddress {
  std::string host = "127.0.0.1";  // a name or a literal address of either family
  std::uint16_t tcp_port = 8000;
  std::uint16_t udp_port = 9000;
  bool gro = true;  // see net/udp_gro.h
  // For the connection, and again for the answer.
  std::int64_t timeout_ms = 5'000;
  // Readable: give up at once with kInterrupted (-1: never).
  int interrupt_fd = -1;
};

class RoomLink {
 public:
  // Creates or joins a room; `request.udp_port` is filled in here. The member is told to the
  // server's UDP side at once. Blocks for as long as the timeouts say.
  static tl::expected<RoomLink, Error> enter(const ServerAddress& server, EntryRequest request,
                                             std::int64_t heartbeat_ms);

  const std::string& room() const { return conversation_.room(); }
  const std::string& username() const { return conversation_.username(); }

  // For poll(2): readable when receive() has something to do.
  int fd() const { return socket_.fd(); }
  // In now_ms(): when on_deadline() and receive() are due although nothing is readable.
  std::int64_t next_deadline_ms() const {
    return server_gone_ ? 0 : conversation_.next_heartbeat_ms();
  }

  tl::expected<void, Error> say(std::string_view text);
  // Whether the kernel knows by now that the last datagram was refused: nothing listens there.
  bool last_was_refused();
  void on_deadline();
  // receive() has nothing but this to tell.
  bool server_gone() const { return server_gone_; }
  // What has arrived, a bounded number at a time. kDisconnected, kNotAuthenticated and kServerGone
  // are the end of the conversation.
  std::vector<Event> receive();
  // Tells the server. There is no answer to wait for.
  void leave();

 private:
  RoomLink(UdpSocket socket, Conversation conversation)
      : socket_(std::move(socket)), conversation_(std::move(conversation)) {}

  // 0, or errno.
  int send(std::string_view datagram);
  void on_refused();

  UdpSocket socket_;
  Conversation conversation_;
  bool server_gone_ = false;
};

tl::expected<RoomList, Error> list_rooms(const ServerAddress& server);

}  // namespace chatd::client
