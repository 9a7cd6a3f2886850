#include "tests/sim/clients.h"

#include <algorithm>
#include <utility>

#include "client/answer.h"
#include "client/answer_reader.h"
#include "client/event.h"
#include "client/request.h"
#include "core/wire/frame.h"
#include "tests/sim/words.h"

namespace chatd::sim {
namespace {

constexpr std::uint64_t kReadByLibrary = 16;  // one heard message in so many

Client::Nature some_nature(World& world) {
  if (world.dice.roll(10) < world.scenario.attackers_in_ten) return Client::Nature::kAttacker;
  if (world.dice.one_in(8)) return Client::Nature::kFlooder;
  return world.dice.one_in(3) ? Client::Nature::kFickle : Client::Nature::kHonest;
}

Sight sight_of_status(int status) {
  switch (status) {
    case 201:
      return Sight::kTold201;
    case 401:
      return Sight::kTold401;
    case 404:
      return Sight::kTold404;
    case 409:
      return Sight::kTold409;
    default:
      return Sight::kTold400;
  }
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
    client.last_heard.resize(clients_.size());
    world.plan(world.dice.roll(world.scenario.think_us), EventKind::kClientWakes, i);
  }
}

void Clients::wake(std::uint32_t number) {
  if (world_.is_calm) return;
  Client& client = clients_[number];
  switch (client.state) {
    case Client::State::kOut:
      if (client.nature == Client::Nature::kAttacker && world_.dice.one_in(2)) {
        attack(client);
      } else if (world_.dice.one_in(4)) {
        ask(client);
      }
      break;
    case Client::State::kAsking:
      break;
    case Client::State::kIn:
      if (now_ms() >= client.conversation->next_heartbeat_ms()) {
        beat(client);
      } else {
        act(client);
      }
  }
  world_.plan(1 + world_.about(world_.scenario.think_us), EventKind::kClientWakes, number);
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
      if (roll < (network_.sockets_full > 0 ? 300u : 10u)) {
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
        return drop_out(client);
      }
      break;
    case Client::Nature::kHonest:
      if (roll < 5) return leave(client);
  }
  if (roll > 900) return;  // nothing to say
  say(client, roll > 880 ? 1 + world_.dice.roll32(12) : 1);
}

// --- Asking --------------------------------------------------------------------------------------

void Clients::ask(Client& client) {
  if (client.port == kNoPort || world_.scenario.is_orderly || world_.dice.one_in(3)) {
    close_port(client);
    open_port(client);
  }
  const Ask ask = some_request(client);
  world_.note(Step::kAsks, client.number, static_cast<std::uint64_t>(ask.kind), ask.room);
  client.room = ask.room;
  client.state = Client::State::kAsking;
  client.connection = server_.connect(ask, write_request(client, ask));
}

Ask Clients::some_request(Client& client) {
  Dice& dice = world_.dice;
  Ask ask{.kind = client.will_create ? Ask::Kind::kCreate : Ask::Kind::kJoin,
          .client = client.number,
          .host = client.host,
          .room = client.will_create ? client.room : dice.roll32(world_.scenario.rooms),
          .name = client.number,
          .password = dice.one_in(6) ? 1 + dice.roll32(2) : 0,
          .port = dice.one_in(5) ? kNoPort : client.port};
  client.will_create = false;
  if (dice.one_in(30)) ask.kind = Ask::Kind::kCreate;
  if (dice.one_in(25)) ask.kind = Ask::Kind::kList;
  if (dice.one_in(40)) ask.kind = Ask::Kind::kBadFrame;
  if (dice.one_in(40)) ask.kind = Ask::Kind::kBadContent;
  if (dice.one_in(20)) {
    world_.seen.saw(Sight::kNameThief);
    ask.name = dice.roll32(world_.scenario.clients);
  }
  return ask;
}

std::string Clients::write_request(const Client& client, const Ask& ask) {
  switch (ask.kind) {
    case Ask::Kind::kList:
      world_.seen.saw(Sight::kList);
      return client::encode_list_request();
    case Ask::Kind::kBadFrame:
    case Ask::Kind::kBadContent:
      world_.seen.saw(Sight::kBadRequest);
      return write_bad_request(ask);
    default:
      break;
  }
  const bool is_create = ask.kind == Ask::Kind::kCreate;
  world_.seen.saw(is_create ? Sight::kCreate : Sight::kJoin);
  client::EntryRequest request{.operation = is_create ? Operation::kCreate : Operation::kJoin,
                               .room = world_.room_names[ask.room],
                               .username = world_.client_names[ask.name],
                               .password = ask.password == 0 ? "" : std::to_string(ask.password),
                               .udp_ip = world_.hosts[client.host].ip_text,
                               .udp_port = network_.endpoint(client.port).port};
  if (world_.dice.one_in(3)) request.udp_ip = "";  // the address I call from
  if (ask.port == kNoPort) {                       // as behind NAT, or not known yet
    if (world_.dice.one_in(2)) {
      request.udp_ip = "10.11.12.13";
    } else {
      request.udp_port = 0;
    }
  }
  return client::encode_entry_request(request);
}

std::string Clients::write_bad_request(const Ask& ask) {
  static constexpr std::string_view kGood = R"({"username":"u","ip":"","port":1,"password":""})";
  std::string frame;
  if (ask.kind == Ask::Kind::kBadFrame) {
    const bool is_unknown = world_.dice.one_in(2);
    append_frame(frame, is_unknown ? 9 : 2,
                 is_unknown ? FrameState::kRequest : FrameState::kAccepted, "room", kGood);
    return frame;
  }
  struct Bad {
    std::string_view room;
    std::string_view payload;
  };
  static constexpr std::array<Bad, 9> kBad = {
      Bad{"", kGood},
      Bad{"a\nb", kGood},
      Bad{"\xff", kGood},
      Bad{"room", R"({"username":"system","ip":"","port":1})"},
      Bad{"room", R"({"username":"u","ip":"224.0.0.1","port":1})"},
      Bad{"room", R"({"username":"u","ip":"192.0.2.250","port":9000})"},
      Bad{"room", R"({"username":"u","ip":"","port":70000})"},
      Bad{"room", R"({"ip":"","port":1})"},
      Bad{"room", R"({"username":)"},
  };
  const Bad& bad = kBad[static_cast<std::size_t>(world_.dice.roll(kBad.size()))];
  append_frame(frame, Operation::kJoin, FrameState::kRequest, bad.room, bad.payload);
  return frame;
}

// The bytes come as the network cuts them.
void Clients::on_answer(std::uint32_t number) {
  const Connection& connection = server_.connection(number);
  Client& client = clients_[connection.ask.client];
  client.state = Client::State::kOut;
  client::AnswerReader reader(client::kMaxListBytes);
  std::string_view left = connection.reply;
  std::optional<std::string> answer;
  while (!left.empty() && !answer) {
    const std::size_t count = world_.dice.one_in(2)
                                  ? left.size()
                                  : 1 + static_cast<std::size_t>(world_.dice.roll(left.size()));
    if (count < left.size()) world_.seen.saw(Sight::kSlowPath);
    auto read = reader.push(left.substr(0, count));
    if (!read) return world_.fail("the client library does not understand an answer");
    answer = std::move(*read);
    left.remove_prefix(count);
  }
  if (answer && connection.status != 200) {
    const auto token = client::parse_entry_answer(*answer);
    const int status = token ? 201 : token.error().status;
    world_.note(Step::kAnswered, client.number, static_cast<std::uint64_t>(status));
    if (status <= 409) world_.seen.saw(sight_of_status(status));
    client.will_create = status == 404;
    if (token) become_member(client, connection, *token);
  }
  server_.close(number);
}

void Clients::become_member(Client& client, const Connection& connection, const Token& token) {
  if (client.was_in) world_.seen.saw(Sight::kRejoin);
  client.was_in = true;
  client.state = Client::State::kIn;
  client.member = connection.member;
  client.said = 0;
  client.token = token.raw();
  client.conversation.emplace(
      client::ConversationConfig{
          .room = world_.room_names[connection.ask.room],
          .username = world_.client_names[connection.ask.name],
          .token = token,
          .heartbeat_ms = static_cast<std::int64_t>(world_.scenario.limits.idle_timeout_ms /
                                                    Scenario::kHeartbeatsPerTimeout)},
      now_ms());
  beat(client);
}

// --- Moving about --------------------------------------------------------------------------------

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
  client.conversation.reset();
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
  beat(client);
}

// --- Hearing -------------------------------------------------------------------------------------

void Clients::on_datagram(std::uint32_t number, std::uint32_t port_number) {
  const Port port = network_.port(port_number);
  if (!port.is_open()) network_.refuse_to_server(port_number);
  for (const std::uint32_t client : port.clients) {
    if (client != kNoClient) hear(clients_[client], world_.packets[number]);
  }
  world_.packets.release(number);
}

void Clients::hear(Client& client, const Packet& packet) {
  if (client.conversation) client.conversation->on_received();
  if (packet.message != 0) return hear_message(client, packet);
  const std::string_view own_name =
      client.conversation ? std::string_view(client.conversation->username()) : "";
  const client::Event event = client::parse_event(packet.bytes, own_name);
  world_.note(Step::kHears, client.number, 0, static_cast<std::uint64_t>(event.kind));
  switch (event.kind) {
    case client::Event::Kind::kJoined:
      return world_.seen.saw(Sight::kHeardJoined);
    case client::Event::Kind::kLeft:
      return world_.seen.saw(Sight::kHeardLeft);
    case client::Event::Kind::kDisconnected:
      world_.seen.saw(Sight::kHeardDisconnected);
      return drop_out(client);
    case client::Event::Kind::kNotAuthenticated:
      world_.seen.saw(Sight::kHeardNotAuthenticated);
      if (client.conversation && client.nature != Client::Nature::kAttacker) drop_out(client);
      return;
    case client::Event::Kind::kNotice:
      return world_.seen.saw(Sight::kHeardTooFast);
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
  const Membership* const sender = model_.roll().find(sender_of(packet.message));
  if (sender == nullptr) return;
  MessageId& last = client.last_heard[sender->name];
  if (world_.scenario.is_orderly && sender_of(last) == sender_of(packet.message) &&
      last >= packet.message) {
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

void Clients::on_refused(std::uint32_t port) {
  for (const std::uint32_t number : network_.port(port).clients) {
    if (number == kNoClient) continue;
    Client& client = clients_[number];
    world_.note(Step::kRefused, number, port);
    if (client.conversation && client.conversation->on_refused(now_ms())) {
      world_.seen.saw(Sight::kFoundServerGone);
      drop_out(client);
    }
  }
}

}  // namespace chatd::sim
