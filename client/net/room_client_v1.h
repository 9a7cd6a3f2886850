// A member's place in a room with protocol 1: the session, its UDP socket and the clock.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/lib/member_session.h"
#include "client/net/room_client.h"
#include "client/net/udp_socket.h"

namespace chatd::client {

class RoomClientV1 final : public RoomClient {
 public:
  // `request.udp_port` is filled in here. The member is told to the server's UDP side at once.
  static tl::expected<std::unique_ptr<RoomClient>, Error> enter(const ServerAddress& server,
                                                                EntryRequest request,
                                                                const Wishes& wishes);

  int protocol() const override { return 1; }
  const std::string& room() const override { return session_.room(); }
  const std::string& username() const override { return session_.username(); }
  const Token& token() const override { return session_.token(); }
  bool has_room_key() const override { return false; }
  std::size_t max_message_bytes() const override { return kMaxDatagramBytes; }

  int fd() const override { return socket_.fd(); }
  std::int64_t next_deadline_ms() const override;

  // No event tells what became of it: 0.
  tl::expected<std::uint64_t, Error> say(std::string_view text) override;
  bool has_room() const override { return true; }
  void on_deadline() override;
  std::vector<Event> receive() override;
  std::vector<Event> take_news() override;

  Arrival ask_arrival() override;
  std::optional<Event> last_refusal() override;
  tl::expected<std::optional<RoomInfo>, Error> who() override;
  // There is no answer to wait for.
  std::size_t leave() override;

 private:
  RoomClientV1(ServerAddress server, EntryRequest request, std::int64_t heartbeat_ms,
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
  Event refused_event() const;
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

}  // namespace chatd::client
