#include "tests/sim/clients.h"

#include <algorithm>
#include <utility>

#include "client/lib/member_session.h"
#include "tests/sim/words.h"

namespace chatd::sim {
namespace {

constexpr std::uint64_t kReadByLibrary = 16;  // one heard message in so many

Client::Nature some_nature(World& world) {
  if (world.dice.roll(10) < world.scenario.attackers_in_ten) return Client::Nature::kAttacker;
  if (world.dice.one_in(8)) return Client::Nature::kFlooder;
  return world.dice.one_in(3) ? Client::Nature::kFickle : Client::Nature::kHonest;
}

}  // namespace

Clients::Clients(World& world, Network& network, Model& model, Server& server)
    : world_(world), network_(network), model_(model), server_(server) {
  clients_.resize(world.scenario.clients);
  for (std::uint32_t i = 0; i < clients_.size(); ++i) {
    Client& client = clients_[i];
    client.number = i;
    client.nature = some_nature(world);
    client.host = world.dice.roll32(world.scenario.hosts);
    client.is_sealed = world.dice.roll(10) < world.scenario.sealed_in_ten;
    client.last_heard.resize(clients_.size());
    world.plan(world.dice.roll(world.scenario.think_us), EventKind::kClientWakes, i);
  }
}

void Clients::wake(std::uint32_t number) {
  if (world_.is_calm) return;
  Client& client = clients_[number];
  switch (client.state) {
    case Client::State::kOut:
      if (world_.is_settling) break;
      if (client.nature == Client::Nature::kAttacker && world_.dice.one_in(2)) {
        attack(client);
      } else if (world_.dice.one_in(4)) {
        ask(client);
      }
      break;
    case Client::State::kAsking:
      break;
    case Client::State::kIn:
      if (client.session) {
        look_and_act(client);
      } else if (client.raw) {
        world_.is_settling ? beat_raw(client) : act_raw(client);
      } else if (client.log && !world_.is_settling) {
        act_sealed(client);
      }
  }
  world_.plan(1 + world_.about(world_.scenario.think_us), EventKind::kClientWakes, number);
}

void Clients::look_and_act(Client& client) {
  look(client);
  if (client.state != Client::State::kIn) return;
  if (now_ms() >= client.session->liveness().next_heartbeat_ms()) {
    beat(client);
  } else if (!world_.is_settling) {
    act(client);
  }
}

// What one does who is in a room. Most talk; some cannot stay.
void Clients::act(Client& client) {
  const std::uint32_t roll = world_.dice.roll32(1000);
  switch (client.nature) {
    case Client::Nature::kAttacker:
      if (roll < 600) return attack(client);
      break;
    case Client::Nature::kFlooder:
      // A flood is what fills a socket, and it does not end for that.
      if (world_.scenario.has_noisy_neighbour && client.room != 0) break;
      if (roll < (network_.sockets_full > 0 ? 300u : world_.scenario.floods_in_thousand)) {
        world_.seen.saw(Sight::kFlood);
        return say(client, world_.scenario.messages_in_a_flood);
      }
      break;
    case Client::Nature::kFickle:
      if (roll < 40) return leave(client);
      if (roll < 80) return roam(client);
      if (roll < 120) {
        world_.seen.saw(Sight::kVanish);
        close_port(client);
        return lose_seat(client);
      }
      break;
    case Client::Nature::kHonest:
      if (roll < 5) return leave(client);
  }
  if (roll > 900) return;  // nothing to say
  say(client, roll > 880 ? 1 + world_.dice.roll32(12) : 1);
}

void Clients::open_port(Client& client) {
  if (!world_.scenario.is_orderly && world_.dice.one_in(4)) {  // a program with two members
    for (const Client& other : clients_) {
      if (other.host != client.host || other.port == kNoPort) continue;
      if (!network_.share_port(other.port, client.number)) continue;
      client.port = other.port;
      return;
    }
  }
  client.port = network_.open_port(client.host, client.number);
}

void Clients::close_port(Client& client) {
  if (client.port != kNoPort) network_.close_port(client.port, client.number);
  client.port = kNoPort;
}

void Clients::drop_out(Client& client) {
  client.state = Client::State::kOut;
  client.member = kNobody;
  client.session.reset();
  client.log.reset();
  client.raw.reset();
  client.is_leaving = client.is_given_up = false;
}

// As when its program crashes: it knows where it was.
void Clients::lose_seat(Client& client) {
  client.lost_seat = client.seat;
  client.lost_seat.said = client.said;
  drop_out(client);
}

// What it has found out about the server by asking.
void Clients::look(Client& client) {
  using Finding = client::Liveness::Finding;
  switch (client.session->liveness().find(now_ms())) {
    case Finding::kNone:
    case Finding::kAnswered:
      return;
    case Finding::kUnanswered:
      return world_.seen.saw(Sight::kFoundUnanswered);
    case Finding::kNotKnown:
      return lose_seat(client);
    case Finding::kRemoved:
      return drop_out(client);
    case Finding::kGone:
      world_.seen.saw(Sight::kFoundServerGone);
      return drop_out(client);
  }
}

// To another port, as behind a NAT that forgets, or to another host, as from one network to the
// next.
void Clients::roam(Client& client) {
  close_port(client);
  if (world_.dice.one_in(4)) {
    client.host = world_.dice.roll32(world_.scenario.hosts);
    std::fill(client.last_heard.begin(), client.last_heard.end(), 0);
    world_.seen.saw(Sight::kRoamFar);
  } else {
    world_.seen.saw(Sight::kRoam);
  }
  open_port(client);
  if (client.log) return say_sealed(client, 1);
  client.raw ? beat_raw(client) : beat(client);
}

void Clients::on_datagram(std::uint32_t number, std::uint32_t port_number) {
  const Port port = network_.port(port_number);
  if (!port.is_open()) network_.refuse_to_server(port_number);
  for (const std::uint32_t client : port.clients) {
    if (client != kNoClient) hear(clients_[client], world_.packets[number], port_number);
  }
  world_.packets.release(number);
}

void Clients::hear(Client& client, const Packet& packet, std::uint32_t port) {
  if (packet.bytes.starts_with(std::string_view("\0\2", 2)) || packet.is_forged) {
    return hear_sealed(client, packet, port);
  }
  if (client.session) client.session->liveness().on_received();
  if (packet.message != 0) return hear_message(client, packet);
  const std::string_view own_name =
      client.session ? std::string_view(client.session->username()) : "";
  const client::Event event = client::parse_event(packet.bytes, own_name);
  world_.note(Step::kHears, client.number, 0, static_cast<std::uint64_t>(event.kind));
  switch (event.kind) {
    case client::Event::Kind::kJoined:
      return world_.seen.saw(Sight::kHeardJoined);
    case client::Event::Kind::kLeft:
      return world_.seen.saw(Sight::kHeardLeft);
    case client::Event::Kind::kDisconnected:
      world_.seen.saw(Sight::kHeardDisconnected);
      if (!client.session) return;
      return client.session->liveness().on_claim(now_ms(), client::Liveness::Claim::kRemoved);
    case client::Event::Kind::kNotAuthenticated:
      world_.seen.saw(Sight::kHeardNotAuthenticated);
      if (!client.session || client.nature == Client::Nature::kAttacker) return;
      return client.session->liveness().on_claim(now_ms(), client::Liveness::Claim::kNotKnown);
    case client::Event::Kind::kHeartbeat: {
      if (!client.session) return;
      client::Liveness& liveness = client.session->liveness();
      const bool was_in_doubt = liveness.claim() != client::Liveness::Claim::kNone;
      client.session->on_answer(event.text);
      world_.seen.saw(Sight::kHeardAnswer);
      if (was_in_doubt && liveness.claim() == client::Liveness::Claim::kNone) {
        world_.seen.saw(Sight::kHeardOwnLife);
      }
      return;
    }
    case client::Event::Kind::kNotice:
      return world_.seen.saw(Model::is_drain_notice(packet.bytes) ? Sight::kHeardDraining
                                                                  : Sight::kHeardTooFast);
    default:
      world_.fail("a client hears something from the server that is no notice: " +
                  packet.bytes.substr(2));
  }
}

// Over an orderly network (where no two members share an endpoint) each message comes once, and
// those of one member in their order.
void Clients::hear_message(Client& client, const Packet& packet) {
  world_.seen.saw(Sight::kHeardMessage);
  world_.note(Step::kHears, client.number, packet.message);
  const Membership* const sender = model_.members().find(sender_of(packet.message));
  if (sender == nullptr) return;
  MessageId& last = client.last_heard[sender->name];
  // What is said with protocol v2 may be said again, later; its order is the log's.
  const bool is_late = last >= packet.message && !is_sealed(packet.message);
  if (world_.scenario.is_orderly && sender_of(last) == sender_of(packet.message) &&
      (is_late || last == packet.message)) {
    return world_.fail("client " + std::to_string(client.number) +
                       " hears a message twice, or after a later one");
  }
  last = packet.message;
  if (world_.dice.roll(kReadByLibrary) != 0) return;
  const client::Event event = client::parse_event(packet.bytes, "");
  const bool is_right = event.kind == client::Event::Kind::kMessage &&
                        event.name == world_.client_names[sender->name];
  if (!is_right) world_.fail("the client library misreads a message");
}

void Clients::on_unreachable(std::uint32_t port) {
  for (const std::uint32_t number : network_.port(port).clients) {
    if (number == kNoClient) continue;
    Client& client = clients_[number];
    world_.note(Step::kRefused, number, port);
    if (client.session && client.session->liveness().on_unreachable(now_ms())) {
      world_.seen.saw(Sight::kFoundServerGone);
      drop_out(client);
    }
  }
}

}  // namespace chatd::sim
