// What attackers send: noise, guesses, what is another's, and what comes from where they are not.
#include <algorithm>
#include <array>
#include <string_view>

#include "core/base/limits.h"
#include "tests/sim/clients.h"
#include "tests/sim/words.h"

namespace chatd::sim {

void Clients::attack(Client& attacker) {
  if (attacker.port == kNoPort) open_port(attacker);
  Client& victim = someone();
  // From the same host one may bring another's member to one's own port, and hear twice.
  // (It may have gone to another host since; the server knows the one from which it has joined.)
  const Membership* const seat = model_.members().find(victim.member);
  const bool is_at_home = seat != nullptr && seat->host == attacker.host;
  const bool is_apart =
      !world_.scenario.is_orderly || (victim.host != attacker.host && !is_at_home);
  const bool knows_victim = victim.member != kNobody && victim.port != kNoPort && is_apart;
  switch (world_.dice.roll(world_.scenario.sealed_in_ten > 0 ? 12 : 8)) {
    case 0:
    case 1:
      return send_garbage(attacker);
    case 2:
      return send_with_guess(attacker);
    case 3:
      if (knows_victim && victim.session) send_stolen(attacker, victim);
      return;
    case 4:
      if (knows_victim) send_with_forged_source(attacker, victim);
      return;
    case 5:
    case 6:
    case 7:
      if (attacker.session) send_wrong(attacker);
      return;
    case 8:
    case 9:
      return send_overheard(attacker);
    case 10:
    case 11:
      return send_forged_to_client();
  }
}

Client& Clients::someone() {
  return clients_[static_cast<std::size_t>(world_.dice.roll(clients_.size()))];
}

// Nothing that could be read: a token size that there is not, or cut short, or far too long.
void Clients::send_garbage(Client& attacker) {
  const std::uint32_t number = world_.packets.make();
  Packet& packet = world_.packets[number];
  packet.from = network_.endpoint(attacker.port);
  packet.claim.client = attacker.number;
  switch (world_.dice.roll(3)) {
    case 0:
      world_.seen.saw(Sight::kGarbage);
      for (std::uint64_t i = world_.dice.roll(120); i > 0; --i) {
        packet.bytes.push_back(static_cast<char>(world_.dice.any()));
      }
      if (packet.bytes.size() > 1) packet.bytes[1] = '\x11';
      break;
    case 1:
      world_.seen.saw(Sight::kCutShort);
      packet.bytes = "\x05\x20room10123456789abcdef0123456789abcde";
      packet.bytes.resize(static_cast<std::size_t>(world_.dice.roll(packet.bytes.size())));
      break;
    default:
      world_.seen.saw(Sight::kTooLarge);
      packet.claim.header = Claim::Header::kTooLarge;
      packet.bytes.assign(kMaxDatagramBytes + 1 + static_cast<std::size_t>(world_.dice.roll(900)),
                          '\x20');
  }
  send(attacker, number);
}

// A token that is right but for its secret, or for a slot where nobody is.
void Clients::send_with_guess(Client& attacker) {
  world_.seen.saw(Sight::kGuess);
  std::string token = someone().token;
  if (token.empty() || world_.dice.one_in(3)) token.assign(16, '\0');
  for (std::size_t i = world_.dice.one_in(3) ? 0 : 4; i < token.size(); ++i) {
    token[i] = static_cast<char>(world_.dice.any());
  }
  token[15] = static_cast<char>(~token[15]);
  const std::uint32_t number =
      open_datagram(attacker, world_.room_names[world_.dice.roll32(world_.scenario.rooms)], token,
                    {.payload = Claim::Payload::kMessage});
  append_message(world_.packets[number].bytes, 1, world_.client_names[attacker.number]);
  send(attacker, number);
}

// The victim's token, from the attacker's own address. From the same IP address, a pending or
// roaming member is indeed there: docs/reference/protocol.md, "A member's address".
void Clients::send_stolen(Client& attacker, Client& victim) {
  world_.seen.saw(Sight::kStolenToken);
  const bool is_message = !world_.scenario.is_orderly;
  const MessageId id = is_message ? next_message(victim) : 0;
  const std::uint32_t number =
      open_datagram(attacker, victim.session->room(), victim.token,
                    {.payload = is_message ? Claim::Payload::kMessage : Claim::Payload::kHeartbeat,
                     .member = victim.member,
                     .message = id});
  if (is_message) {
    append_message(world_.packets[number].bytes, id, victim.session->username());
  }
  send(attacker, number);
}

// Its own token, or none that is any, from an address that is another's, or nobody's.
void Clients::send_with_forged_source(Client& attacker, const Client& victim) {
  const bool is_member = attacker.session.has_value();
  const std::string guess(16, static_cast<char>(world_.dice.any()));
  const std::uint32_t number = open_datagram(
      attacker, is_member ? attacker.session->room() : world_.room_names[0],
      is_member ? attacker.token : guess,
      {.payload = Claim::Payload::kHeartbeat, .member = is_member ? attacker.member : kNobody});
  Packet& packet = world_.packets[number];
  const auto blanks = static_cast<std::size_t>(world_.dice.roll(60));
  packet.bytes.append(blanks, ' ');
  if (blanks > 0) packet.claim.payload = Claim::Payload::kBad;
  packet.from = network_.endpoint(victim.port);
  if (world_.dice.one_in(3)) {
    world_.seen.saw(Sight::kImpossibleSource);
    const std::array<Endpoint, 5> kImpossible = {
        Endpoint{packet.from.ip, 0}, Endpoint{IpAddress::from_v4({224, 0, 0, 1}), 5000},
        Endpoint{IpAddress::from_v4({255, 255, 255, 255}), 5000},
        Endpoint{IpAddress::from_v4({0, 0, 0, 0}), 5000},
        Endpoint{world_.server_sockets.addresses[0], world_.server_sockets.udp_port}};
    packet.from = kImpossible[static_cast<std::size_t>(world_.dice.roll(kImpossible.size()))];
  } else {
    world_.seen.saw(Sight::kForgedSource);
  }
  send(attacker, number);
}

// All is right but one thing: the room, the sender, or the JSON.
void Clients::send_wrong(Client& attacker) {
  const client::MemberSession& session = *attacker.session;
  Claim claim{.payload = Claim::Payload::kMessage, .member = attacker.member};
  std::string_view room = session.room();
  std::string payload;
  const std::string& name = session.username();
  switch (world_.dice.roll(3)) {
    case 0: {
      world_.seen.saw(Sight::kWrongRoom);
      const std::string& other = world_.room_names[world_.dice.roll32(world_.scenario.rooms)];
      room = other == room ? "nowhere" : std::string_view(other);
      claim.is_right_room = false;
      append_message(payload, 1, name);
      break;
    }
    case 1: {
      world_.seen.saw(Sight::kForgedSender);
      claim.payload = Claim::Payload::kWrongSender;
      const std::array<std::string, 6> kForged = {
          R"({"sender":"system","message":"hi"})",
          R"({"sender":")" + name + R"(","s\u0065nder":"x"})",
          R"({"message":"no sender"})",
          R"({"s\u0065nder":"x","sender":")" + name + R"("})",
          R"({"sender":"system","operation":2,"username":"not-)" + name + R"("})",
          R"({"sender":"not-)" + name + R"("})"};
      payload = kForged[static_cast<std::size_t>(world_.dice.roll(kForged.size()))];
      break;
    }
    default: {
      world_.seen.saw(Sight::kBadPayload);
      claim.payload = Claim::Payload::kBad;
      const std::array<std::string, 5> kBad = {R"({"sender":")" + name + R"(")", "\xff", "[]",
                                               R"({"sender":")" + name + "\xff\"}",
                                               R"({"sender":")" + name + R"("}{)"};
      payload = kBad[static_cast<std::size_t>(world_.dice.roll(kBad.size()))];
    }
  }
  const std::uint32_t number = open_datagram(attacker, room, attacker.token, claim);
  world_.packets[number].bytes += payload;
  send(attacker, number);
}

}  // namespace chatd::sim
