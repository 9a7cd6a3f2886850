// The clients: people who come, talk, fall silent, move, vanish and come back, and a few who mean
// harm. Each speaks through the client library (client/): its requests, its answers, its heartbeats
// and what it makes of the datagrams that it hears. (Most messages are written by words.h instead,
// byte for byte what the library would write, and one in several is compared; one message in
// several that is heard is read by the library. The library allocates, and this loop does not.)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/lib/member_session.h"
#include "client/lib/response.h"
#include "tests/sim/members.h"
#include "tests/sim/network.h"
#include "tests/sim/server.h"
#include "tests/sim/world.h"

namespace chatd::sim {

struct Client {
  enum class Nature : std::uint8_t { kHonest, kFlooder, kFickle, kAttacker };
  enum class State : std::uint8_t { kOut, kAsking, kIn };

  Nature nature = Nature::kHonest;
  State state = State::kOut;
  std::uint32_t number = 0;
  std::uint32_t host = 0;
  std::uint32_t port = kNoPort;
  std::uint32_t room = 0;
  std::uint32_t connection = 0;
  bool will_create = false;  // since the room was not there
  bool was_in = false;
  MemberNumber member = kNobody;  // as which it was let in
  std::uint32_t said = 0;         // by that member
  std::string token;              // 16 raw bytes
  // A seat that it has lost sight of and may ask for again.
  struct Seat {
    MemberNumber member = kNobody;
    std::uint32_t room = 0;
    std::uint32_t name = 0;
    std::uint32_t password = 0;
    std::uint32_t said = 0;
    std::string token;
  };
  Seat seat;       // of this session
  Seat lost_seat;  // of an earlier one
  std::optional<client::MemberSession> session;
  std::vector<MessageId> last_heard;  // by sender's client
};

class Clients {
 public:
  Clients(World& world, Network& network, Model& model, Server& server);

  void wake(std::uint32_t client);
  void on_datagram(std::uint32_t packet, std::uint32_t port);
  void on_unreachable(std::uint32_t port);
  // All that it will hear there has come.
  void on_answer(std::uint32_t connection);

 private:
  // Asking for a room (asking.cpp).
  void ask(Client& client);
  RequestSpec some_request(Client& client);
  std::uint32_t some_room();
  void ask_for_seat(Client& client, RequestSpec& spec);
  std::string write_request(const Client& client, const RequestSpec& spec);
  std::string write_bad_request(const RequestSpec& spec);
  std::string write_too_large_request();
  void become_member(Client& client, const Connection& connection, const client::Entry& entry);

  // Coming, going and hearing (clients.cpp).
  void act(Client& client);
  void drop_out(Client& client);
  void lose_seat(Client& client);
  void look(Client& client);
  void open_port(Client& client);
  void close_port(Client& client);
  void leave(Client& client);
  void roam(Client& client);
  void hear(Client& client, const Packet& packet);
  void hear_message(Client& client, const Packet& packet);

  // What they send (speech.cpp).
  void say(Client& client, std::uint32_t times);
  void beat(Client& client);
  void compare_with_library(const Client& client, MessageId id, std::string_view datagram);
  // Opens a datagram with this room and token; its payload may then be added.
  std::uint32_t open_datagram(const Client& client, std::string_view room, std::string_view token,
                              const Claim& claim);
  void send(Client& client, std::uint32_t packet);
  MessageId next_message(Client& client) {
    return MessageId{client.member} << kMessageBits | ++client.said;
  }
  std::int64_t now_ms() const { return static_cast<std::int64_t>(world_.now_us / 1000); }

  // What attackers send (attacks.cpp).
  void attack(Client& attacker);
  void send_garbage(Client& attacker);
  void send_with_guess(Client& attacker);
  void send_stolen(Client& attacker, Client& victim);
  void send_with_forged_source(Client& attacker, const Client& victim);
  void send_wrong(Client& attacker);
  Client& someone();

  World& world_;
  Network& network_;
  Model& model_;
  Server& server_;
  std::vector<Client> clients_;
};

}  // namespace chatd::sim
