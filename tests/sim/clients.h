// The clients: people who come, talk, fall silent, move, vanish and come back, and a few who mean
// harm. Each speaks through the client library (client/): its requests, its answers, its heartbeats
// and what it makes of the datagrams that it hears. (Most messages are written by words.h instead,
// byte for byte what the library would write, and one in several is compared; one message in
// several that is heard is read by the library. The library allocates, and this loop does not.)
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/lib/log_session.h"
#include "client/lib/member_session.h"
#include "client/lib/response.h"
#include "tests/sim/members.h"
#include "tests/sim/network.h"
#include "tests/sim/raw_session.h"
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
  // With protocol v2.
  bool is_sealed = false;
  std::unique_ptr<client::LogSession> log;
  std::optional<RawSession> raw;              // an attacker's
  std::map<std::uint64_t, MessageId> saying;  // what it has still to hear of, by its numbers
  std::uint64_t told = 0;                     // the newest entry that it was told
  std::uint64_t due_us = 0;                   // when its session is woken; 0: not planned
  bool is_leaving = false;
  bool is_given_up = false;           // it will come back by its token
  std::vector<MessageId> last_heard;  // by sender's client
};

class Clients {
 public:
  Clients(World& world, Network& network, Model& model, Server& server);

  void wake(std::uint32_t client);
  void on_datagram(std::uint32_t packet, std::uint32_t port);
  void on_unreachable(std::uint32_t port);
  void on_session_due(std::uint32_t client);
  // All that it will hear there has come.
  void on_answer(std::uint32_t connection);

  // With protocol v2, when all is quiet: who has not got everything, and why; empty: nobody.
  std::string why_not_settled();
  // So many entries they have, together.
  std::uint64_t settled() const;
  // They say nothing more at all.
  void fall_silent();

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
  void look_and_act(Client& client);
  void act(Client& client);
  void drop_out(Client& client);
  void lose_seat(Client& client);
  void look(Client& client);
  void open_port(Client& client);
  void close_port(Client& client);
  void leave(Client& client);
  void roam(Client& client);
  void hear(Client& client, const Packet& packet, std::uint32_t port);
  void hear_message(Client& client, const Packet& packet);

  // With protocol v2 (sealed_clients.cpp).
  struct Overheard {
    Endpoint from;
    std::uint32_t port = kNoPort;
    std::string bytes;
  };
  void become_sealed_member(Client& client, const client::SessionInfo& info);
  void act_sealed(Client& client);
  void say_sealed(Client& client, std::uint32_t times);
  void leave_sealed(Client& client);
  void pump(Client& client);
  std::uint32_t make_sealed(const Client& client, std::string_view bytes);
  void send_sealed(Client& client, std::string_view bytes);
  void remember(std::vector<Overheard>& among, Overheard datagram);
  void hear_sealed(Client& client, const Packet& packet, std::uint32_t port);
  void on_event(Client& client, const client::LogEvent& event);
  void on_delivered(Client& client, const SealedSession& session, const client::LogEvent& event);
  void on_told(Client& client, const SealedSession& session, const client::LogEvent& event);
  void on_gap(Client& client, const SealedSession& session, const client::LogEvent& event);
  bool has_right_name(const SealedSession& session, const client::LogEvent& event) const;
  TimeMs log_now_ms() const { return world_.now_us / 1000; }

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

  // The same with protocol v2 (sealed_attacks.cpp).
  void send_overheard(Client& attacker);
  void send_forged_to_client();
  void send_raw(Client& client, std::string_view plain);
  void send_have(Client& client, const v2::Have& have);
  void beat_raw(Client& client);
  void say_raw(Client& client, std::uint64_t number);
  void say_raw(Client& client, std::uint64_t number, v2::ContentType type,
               std::string_view content);
  void act_raw(Client& client);
  void say_bad(Client& client);
  void have_oddly(Client& client);
  void prove_nothing(Client& client);
  void send_odd_frames(Client& client);

  World& world_;
  Network& network_;
  Model& model_;
  Server& server_;
  std::vector<Client> clients_;
  std::vector<Overheard> to_server_;
  std::vector<Overheard> to_clients_;
};

}  // namespace chatd::sim
