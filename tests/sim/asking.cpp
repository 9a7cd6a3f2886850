// How clients ask for a room, and what they make of the answer.
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "client/lib/request.h"
#include "client/lib/response.h"
#include "core/wire/v1/frame.h"
#include "tests/sim/clients.h"
#include "tests/support/wire.h"

namespace chatd::sim {
namespace {

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

void Clients::ask(Client& client) {
  if (client.port == kNoPort || world_.scenario.is_orderly || world_.dice.one_in(3)) {
    close_port(client);
    open_port(client);
  }
  const RequestSpec spec = some_request(client);
  world_.note(Step::kAsks, client.number, static_cast<std::uint64_t>(spec.kind), spec.room);
  client.room = spec.room;
  client.state = Client::State::kAsking;
  client.connection = server_.connect(spec, write_request(client, spec));
}

RequestSpec Clients::some_request(Client& client) {
  Dice& dice = world_.dice;
  RequestSpec spec{
      .kind = client.will_create ? RequestSpec::Kind::kCreate : RequestSpec::Kind::kJoin,
      .client = client.number,
      .host = client.host,
      .room = client.will_create ? client.room : some_room(),
      .name = client.number,
      .password = dice.one_in(6) ? 1 + dice.roll32(2) : 0,
      .port = dice.one_in(5) ? kNoPort : client.port,
      .is_sealed = client.is_sealed,
      .is_encrypted = dice.one_in(12) != client.is_sealed,
      .history = dice.one_in(2) ? 0 : dice.roll32(100)};
  if (spec.is_sealed) spec.port = kNoPort;
  client.will_create = false;
  if (dice.one_in(30)) spec.kind = RequestSpec::Kind::kCreate;
  if (dice.one_in(25)) spec.kind = RequestSpec::Kind::kList;
  if (dice.one_in(40)) spec.kind = RequestSpec::Kind::kBadFrame;
  if (dice.one_in(40)) spec.kind = RequestSpec::Kind::kBadContent;
  if (dice.one_in(20)) {
    world_.seen.saw(Sight::kNameThief);
    spec.name = dice.roll32(world_.scenario.clients);
  }
  if (dice.one_in(40)) spec.kind = RequestSpec::Kind::kTooLarge;
  if (server_.slow_list_readers > 0 && dice.one_in(2)) spec.kind = RequestSpec::Kind::kList;
  if (client.lost_seat.member != kNobody && dice.one_in(2)) ask_for_seat(client, spec);
  return spec;
}

std::uint32_t Clients::some_room() {
  const bool is_first = world_.scenario.has_noisy_neighbour && !world_.dice.one_in(6);
  return is_first ? 0 : world_.dice.roll32(world_.scenario.rooms);
}

// By the token that it has kept, or to create the room that it was the host of.
void Clients::ask_for_seat(Client& client, RequestSpec& spec) {
  if (spec.kind != RequestSpec::Kind::kJoin && spec.kind != RequestSpec::Kind::kCreate) return;
  const Client::Seat& seat = client.lost_seat;
  spec.kind = world_.dice.one_in(4) ? RequestSpec::Kind::kCreate : RequestSpec::Kind::kJoin;
  spec.room = seat.room;
  spec.name = seat.name;
  spec.password = seat.password;
  spec.seat = seat.member;
  if (spec.is_encrypted && world_.dice.one_in(8)) spec.is_sealed = !spec.is_sealed;
}

std::string Clients::write_request(const Client& client, const RequestSpec& spec) {
  switch (spec.kind) {
    case RequestSpec::Kind::kList:
      world_.seen.saw(Sight::kList);
      return client::encode_list_request();
    case RequestSpec::Kind::kBadFrame:
    case RequestSpec::Kind::kBadContent:
      world_.seen.saw(Sight::kBadRequest);
      return write_bad_request(spec);
    case RequestSpec::Kind::kTooLarge:
      world_.seen.saw(Sight::kTooLargeFrame);
      return write_too_large_request();
    default:
      break;
  }
  const bool is_create = spec.kind == RequestSpec::Kind::kCreate;
  world_.seen.saw(is_create ? Sight::kCreate : Sight::kJoin);
  client::EntryRequest request{.operation = is_create ? Operation::kCreate : Operation::kJoin,
                               .room = world_.room_names[spec.room],
                               .username = world_.client_names[spec.name],
                               .password = spec.password == 0 ? "" : std::to_string(spec.password),
                               .udp_ip = world_.hosts[client.host].ip_text,
                               .udp_port = network_.endpoint(client.port).port};
  if (spec.seat != kNobody) request.token = Token::parse(client.lost_seat.token);
  if (spec.is_sealed) {
    request.protocol = 2;
    request.knows_aes = !world_.dice.one_in(4);
    request.history_entries = is_create ? spec.history : 0;
    request.udp_ip = "";
    request.udp_port = 0;
    return client::encode_entry_request(request);
  }
  if (world_.dice.one_in(3)) request.udp_ip = "";  // the address I call from
  if (spec.port == kNoPort) {                      // as behind NAT, or not known yet
    if (world_.dice.one_in(2)) {
      request.udp_ip = "10.11.12.13";
    } else {
      request.udp_port = 0;
    }
  }
  return client::encode_entry_request(request);
}

std::string Clients::write_bad_request(const RequestSpec& spec) {
  static constexpr std::string_view kGood = R"({"username":"u","ip":"","port":1,"password":""})";
  if (spec.kind == RequestSpec::Kind::kBadFrame) {
    const bool is_unknown = world_.dice.one_in(2);
    return test::encode({.operation = is_unknown ? std::uint8_t{9} : test::kJoinRoom,
                         .state = is_unknown ? test::kRequest : test::kAccepted,
                         .room = "room",
                         .payload = std::string(kGood)});
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
  return test::encode({.operation = test::kJoinRoom,
                       .state = test::kRequest,
                       .room = std::string(bad.room),
                       .payload = std::string(bad.payload)});
}

// A header that promises more than the server takes, with all of it behind it, or a part, or none.
std::string Clients::write_too_large_request() {
  const std::size_t limit_bytes = world_.limits.max_frame_bytes;
  const std::uint64_t promised_bytes =
      world_.dice.one_in(4) ? ~std::uint64_t{0} : limit_bytes + 1 + world_.dice.roll(limit_bytes);
  std::string request = test::encode_header(0, test::kListRooms, test::kRequest, promised_bytes);
  if (world_.dice.one_in(2)) {
    request.append(static_cast<std::size_t>(world_.dice.roll(2 * limit_bytes)), '{');
  }
  return request;
}

// The bytes come as the network cuts them.
void Clients::on_answer(std::uint32_t number) {
  const Connection& connection = server_.connection(number);
  server_.check_answers(connection);
  const auto begin = server_.answer_at(connection);
  Client& client = clients_[connection.spec.client];
  client.state = Client::State::kOut;
  client::ResponseReader reader(client::kMaxListBytes);
  std::string_view left = connection.reply;
  left.remove_prefix(begin.value_or(left.size()));
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
  if (answer && connection.spec.kind != RequestSpec::Kind::kList) {
    const auto entry = client::parse_entry_answer(*answer);
    const int status = entry ? 201 : entry.error().status;
    world_.note(Step::kAnswered, client.number, static_cast<std::uint64_t>(status));
    if (status <= 409) world_.seen.saw(sight_of_status(status));
    client.will_create = status == 404;
    if (status == 404 && connection.spec.seat != kNobody) client.lost_seat.member = kNobody;
    if (entry) become_member(client, connection, *entry);
  }
  server_.close(number);
}

void Clients::become_member(Client& client, const Connection& connection,
                            const client::Entry& entry) {
  if (client.was_in) world_.seen.saw(Sight::kRejoin);
  client.was_in = true;
  client.state = Client::State::kIn;
  client.member = connection.member;
  const bool is_back = connection.spec.seat == connection.member;
  client.said = is_back ? client.lost_seat.said : 0;
  client.lost_seat.member = kNobody;
  client.token = entry.token.raw();
  client.seat = {.member = client.member,
                 .room = connection.spec.room,
                 .name = connection.spec.name,
                 .password = connection.spec.password,
                 .said = 0,
                 .token = client.token};
  if (entry.session) return become_sealed_member(client, *entry.session);
  // One in four speaks as before servers answered heartbeats.
  const bool is_old = client.number % 4 == 1;
  client.session.emplace(
      client::MemberSessionConfig{
          .room = world_.room_names[connection.spec.room],
          .username = world_.client_names[connection.spec.name],
          .token = entry.token,
          .heartbeat_ms = static_cast<std::int64_t>(world_.limits.idle_timeout_ms /
                                                    Scenario::kHeartbeatsPerTimeout),
          .idle_timeout_ms = is_old ? std::nullopt : entry.idle_timeout_ms,
          .secret = world_.dice.any()},
      now_ms());
  // Who takes its time may stay pending for a while.
  if (!world_.dice.one_in(3)) beat(client);
}

}  // namespace chatd::sim
