// A member's place in a room over real sockets: the session, its UDP socket and the clock.
//
// When the server does not know this member any more (its address has changed, say), the place is
// taken again by its token. What may pass (a server that is too busy, or does not answer) is tried
// again, until the idle timeout has passed; a refusal that time does not cure is the end.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/lib/error.h"
#include "client/lib/member_session.h"
#include "client/lib/request.h"
#include "client/lib/response.h"
#include "client/net/udp_socket.h"

namespace chatd::client {

struct ServerAddress {
  std::string host = "localhost";  // a name or a literal address of either family
  std::uint16_t tcp_port = 8000;
  std::uint16_t udp_port = 9000;
  bool gro = true;  // see udp_socket.h
  // For finding the host and the connection, and again for the answer.
  std::int64_t timeout_ms = 5'000;
  // In now_ms(): nothing takes longer than that.
  std::int64_t deadline_ms = std::numeric_limits<std::int64_t>::max();
  // Readable: give up at once with kInterrupted (-1: never).
  int interrupt_fd = -1;
};

class RoomClient {
 public:
  // Creates or joins a room, or takes the seat there that `request.token` is for; if that is gone,
  // a new one. `request.udp_port` is filled in here. The member is told to the server's UDP side at
  // once. Blocks for as long as the timeouts say.
  static tl::expected<RoomClient, Error> enter(const ServerAddress& server, EntryRequest request,
                                               std::int64_t heartbeat_ms);

  const std::string& room() const { return session_.room(); }
  const std::string& username() const { return session_.username(); }
  const Token& token() const { return session_.token(); }

  // For poll(2): readable when receive() has something to do. Another one after each kAnswered.
  int fd() const { return socket_.fd(); }
  // In now_ms(): when on_deadline() and receive() are due although nothing is readable.
  std::int64_t next_deadline_ms() const;

  tl::expected<void, Error> say(std::string_view text);
  void on_deadline();

  // What has arrived, a bounded number at a time, and then the news.
  std::vector<Event> receive();
  // What this side has found out about the server since it was asked last (kUnanswered, kAnswered);
  // after kDisconnected, kNotAuthenticated and kServerGone, which are the end of the session, comes
  // nothing more.
  std::vector<Event> take_news();

  // Asks whether all that was said has arrived, and the session goes on. kYes: the server has
  // answered since. While it does not, the news say what is wrong. kCannotSay: it is an older
  // server, which tells refusals alone.
  // kMayBeLost: something was said when the server may not have known this member, or it has not
  // answered for long.
  enum class Arrival : std::uint8_t { kCannotSay, kAsked, kYes, kMayBeLost };
  Arrival ask_arrival();
  // Whether the kernel knows by now that the last datagram was refused: nothing listens there.
  bool last_was_refused();
  Event refused_event() const;

  // Tells the server. There is no answer to wait for.
  void leave();

 private:
  RoomClient(ServerAddress server, EntryRequest request, std::int64_t heartbeat_ms,
             UdpSocket socket, MemberSession session);

  struct Place;
  static tl::expected<Place, Error> take_place(const ServerAddress& server, EntryRequest& request);
  static MemberSession make_session(const EntryRequest& request, const Entry& entry,
                                    std::int64_t heartbeat_ms);

  // 0, or errno.
  int send(std::string_view datagram);
  void beat();
  void on_event(Event event, std::vector<Event>& events);
  void on_unreachable();
  void look();
  void come_back();
  void on_back(const EntryRequest& request, Place place);
  void on_not_back(const Error& error);
  void end(Event event);
  std::string name_of_server() const;

  ServerAddress server_;
  EntryRequest request_;
  std::int64_t heartbeat_ms_;
  UdpSocket socket_;
  MemberSession session_;
  std::vector<Event> news_;
  std::string claim_text_;           // what the server, or somebody in its name, said
  int beat_error_ = 0;               // errno of the last heartbeat
  bool has_listened_ = true;         // to all that has come since the last heartbeat
  std::string return_error_;         // why the place could not be taken again, the last time
  std::uint64_t asked_arrival_ = 0;  // the heartbeat's number
  // Its answer confirms what was said last; nothing: nothing was said since it entered, or came
  // back.
  std::optional<std::uint64_t> confirming_heartbeat_;
  bool may_be_lost_ = false;  // some of what was said
  bool is_over_ = false;
};

tl::expected<RoomList, Error> list_rooms(const ServerAddress& server);

}  // namespace chatd::client
