// A member's place in a room with protocol 2: the member, its UDP socket, requests over TLS, and
// the clock.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/lib/log_member.h"
#include "client/net/room_client.h"
#include "client/net/udp_socket.h"

namespace chatd::client {

class RoomClientV2 final : public RoomClient {
 public:
  static tl::expected<std::unique_ptr<RoomClient>, Error> enter(const ServerAddress& server,
                                                                EntryRequest request,
                                                                const Wishes& wishes);

  int protocol() const override { return 2; }
  const std::string& room() const override { return member_.room(); }
  const std::string& username() const override { return member_.username(); }
  const Token& token() const override { return member_.token(); }
  bool has_room_key() const override { return member_.has_room_key(); }
  std::size_t max_message_bytes() const override { return member_.max_text_bytes(); }

  int fd() const override { return socket_.fd(); }
  std::int64_t next_deadline_ms() const override;

  tl::expected<std::uint64_t, Error> say(std::string_view text) override;
  bool has_room() const override { return member_.undelivered() < kMaxUndelivered; }
  void on_deadline() override;
  std::vector<Event> receive() override;
  std::vector<Event> take_news() override;

  Arrival ask_arrival() override;
  // A refusal is no end: the server may be about to start again.
  std::optional<Event> last_refusal() override { return std::nullopt; }
  tl::expected<std::optional<RoomInfo>, Error> who() override;
  std::size_t leave() override;

  const std::map<v2::MemberId, RosterMember>& roster() const { return member_.roster(); }
  std::size_t undelivered() const { return member_.undelivered(); }

 private:
  struct Place {
    UdpSocket socket;
    Entry entry;
  };
  RoomClientV2(ServerAddress server, EntryRequest request, Place&& place,
               LogMember::Options options);

  static tl::expected<Place, Error> take_place(const ServerAddress& server,
                                               const EntryRequest& request);
  void flush();
  void send(const std::string& datagram);
  void read_socket();
  void collect();
  void come_back();
  void wait_until(std::int64_t deadline_ms, bool (*is_done)(const LogMember&));

  ServerAddress server_;
  UdpSocket socket_;
  LogMember member_;
  std::vector<Event> events_;
  // When it was first asked whether all has arrived, or something has since.
  std::optional<std::int64_t> asked_arrival_ms_;
};

}  // namespace chatd::client
