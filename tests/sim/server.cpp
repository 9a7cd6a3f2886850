#include "tests/sim/server.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "client/lib/answer.h"
#include "core/wire/v1/datagram.h"
#include "core/wire/v1/frame.h"

namespace chatd::sim {
namespace {

constexpr std::uint64_t kConnectUs = 600;
constexpr std::uint64_t kAnswerUs = 200;

// The State 2 frame of a whole reply; nothing if it has none, or bytes after it.
std::optional<FrameView> outcome_in(std::string_view reply) {
  while (true) {
    const DecodedFrame decoded = decode_frame(reply, reply.size());
    if (decoded.status != FrameStatus::kComplete) return std::nullopt;
    reply.remove_prefix(decoded.size_bytes);
    if (!decoded.frame.is(FrameState::kCompleted)) continue;
    if (!reply.empty()) return std::nullopt;
    return decoded.frame;
  }
}

}  // namespace

Server::Server(World& world, Network& network, Model& model)
    : world_(world), network_(network), model_(model), audit_(world, model) {
  start();
}

void Server::start() {
  const std::uint32_t count = world_.scenario.shards;
  KeyedHash::Key key;
  for (auto& byte : key) byte = static_cast<std::uint8_t>(world_.dice.any());
  RelayConfig config;
  world_.limits = world_.scenario.limits;
  ++generation_;
  config.limits = world_.limits;
  config.own_sockets = world_.server_sockets;
  config.trains = world_.scenario.trains;
  config.message_store_blocks = world_.scenario.store_blocks;
  if (count > 1) config.shards = ShardMap(count, key);
  model_.restart(config.shards);
  audit_.restart(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    for (auto& byte : config.seed) byte = static_cast<std::uint8_t>(world_.dice.any());
    config.shard = static_cast<std::uint8_t>(i);
    shards_.push_back(
        std::make_unique<Shard>(world_, network_, model_, audit_, *this, clock_, config));
  }
  world_.note(Step::kServerStarts, count);
}

void Server::stop() {
  world_.note(Step::kServerStops, model_.members());
  for (auto& shard : shards_) shard->say_goodbye();
  if (world_.ok() && model_.members() != 0) world_.fail("not everyone was told that it is over");
  for (auto& shard : shards_) world_.seen.add(shard->relay().counters());
  shards_.clear();
  for (std::uint32_t i = 0; i < connections_.size(); ++i) {
    Connection& connection = connections_[i];
    if (connection.stage == Connection::Stage::kFree ||
        connection.stage == Connection::Stage::kAnswered ||
        connection.stage == Connection::Stage::kArriving) {
      continue;
    }
    connection.reply.clear();
    connection.stage = Connection::Stage::kAnswered;
    world_.plan(kAnswerUs, EventKind::kAnswerAtClient, i);
  }
}

void Server::set_limits(const Limits& limits) {
  const Limits old = world_.limits;
  world_.limits = limits;
  model_.on_new_limits(old);
  for (auto& shard : shards_) shard->set_limits(limits);
}

void Server::start_drain() {
  model_.on_drain();
  for (auto& shard : shards_) shard->start_drain();
}

bool Server::restart_hot() {
  constexpr int kRounds = 16;  // a shard message may be answered by a shard message
  for (int i = 0; i < kRounds; ++i) {
    for (auto& shard : shards_) {
      if (!shard->settle()) return false;
    }
  }
  for (const auto& shard : shards_) {
    if (!shard->is_settled()) return false;
  }
  RandomStream::Seed seed{};
  model_.on_hot_restart();
  for (auto& shard : shards_) {
    for (auto& byte : seed) byte = static_cast<std::uint8_t>(world_.dice.any());
    shard->hand_over_to_another_relay(seed);
  }
  compare();
  return true;
}

// --- Connections ---------------------------------------------------------------------------------

std::uint32_t Server::connect(const Ask& ask, std::string request) {
  const auto free = std::find_if(
      connections_.begin(), connections_.end(),
      [](const Connection& connection) { return connection.stage == Connection::Stage::kFree; });
  const auto number = static_cast<std::uint32_t>(free - connections_.begin());
  if (free == connections_.end()) connections_.emplace_back();
  Connection& connection = connections_[number];
  connection.stage = Connection::Stage::kArriving;
  connection.serial = next_serial_++;
  connection.ask = ask;
  connection.wants_greeting = world_.dice.one_in(8);
  connection.nonsense = world_.dice.one_in(12) ? world_.dice.roll32(20) : 0;
  connection.breaks = breaking_connections > 0 && world_.dice.one_in(2);
  connection.request = std::move(request);
  connection.reply.clear();
  connection.status = 0;
  connection.is_counted = false;
  connection.member = kNobody;
  world_.plan(world_.about(kConnectUs), EventKind::kRequestAtServer, number);
  return number;
}

void Server::close(std::uint32_t number) {
  connections_[number].stage = Connection::Stage::kFree;
}

void Server::on_request(std::uint32_t number) {
  const Connection& connection = connections_[number];
  const Host& host = world_.hosts[connection.ask.host];
  if (!is_up() || host.cut > 0) {
    world_.seen.saw(Sight::kServerAway);
    connections_[number].stage = Connection::Stage::kAnswered;  // nobody answers
    return world_.plan(kAnswerUs, EventKind::kAnswerAtClient, number);
  }
  connections_[number].stage = Connection::Stage::kAsking;
  shards_[model_.shards().of_address(host.ip)]->on_request(number);
}

void Server::answer(std::uint32_t number) {
  Connection& connection = connections_[number];
  check_answer(connection);
  connection.stage = Connection::Stage::kAnswered;
  shards_[model_.shards().of_address(world_.hosts[connection.ask.host].ip)]->on_connection_end(
      number);
  if (connection.breaks) {
    world_.seen.saw(Sight::kAnswerLost);
    connection.reply.resize(connection.reply.size() / 2);
  }
  world_.plan(kAnswerUs, EventKind::kAnswerAtClient, number);
}

void Server::check_answer(const Connection& connection) {
  const auto frame = outcome_in(connection.reply);
  if (!frame) return world_.fail("an answer is not whole");
  if (connection.status == 200) return check_list(connection);
  const auto entry = client::parse_entry_answer(frame->payload);
  const int status = entry ? 201 : entry.error().status;
  if (status != connection.status) {
    return world_.fail("a request was answered " + std::to_string(status) + " instead of " +
                       std::to_string(connection.status));
  }
  if (entry && entry->token.shard() != model_.roll().rooms[connection.ask.room].shard) {
    world_.fail("a token names another shard than the room's");
  }
}

// With several shards parts of the list are of slightly different times.
void Server::check_list(const Connection& connection) {
  const auto list = client::parse_room_list(outcome_in(connection.reply)->payload);
  if (!list) return world_.fail("a list that the client library cannot read");
  if (shard_count() > 1) return;
  bool is_right = list->total == model_.rooms() && list->rooms.size() == model_.rooms();
  for (const client::RoomInfo& room : list->rooms) {
    const auto name = std::find(world_.room_names.begin(), world_.room_names.end(), room.name);
    if (name == world_.room_names.end()) return world_.fail("a list names a room that is not");
    const ModelRoom& wanted =
        model_.roll().rooms[static_cast<std::size_t>(name - world_.room_names.begin())];
    is_right = is_right && wanted.exists && room.count == wanted.members.size() &&
               room.password_required == (wanted.password != 0);
  }
  if (!is_right) world_.fail("a list is not true");
}

// --- Datagrams -----------------------------------------------------------------------------------

void Server::on_datagram(std::uint32_t number) {
  const Packet& packet = world_.packets[number];
  if (!is_up()) {
    const auto port = network_.find_port(packet.from);
    if (port) network_.refuse_to_client(*port);
    return world_.packets.release(number);
  }
  shards_[steer(packet)]->on_datagram(number);
}

// The kernel reads the shard from the token; what names none is spread by its hash of addresses.
std::uint32_t Server::steer(const Packet& packet) {
  const std::uint32_t count = shard_count();
  if (count == 1) return 0;
  if (steering_wrong > 0) {
    world_.seen.saw(Sight::kWrongSteering);
    return world_.dice.roll32(count);
  }
  const auto shard = shard_of_datagram(std::string_view(packet.bytes).substr(0, packet.size_bytes));
  return shard && *shard < count ? *shard : packet.from.port % count;
}

// One socket of the group hears of it; its shard tells the others.
void Server::on_refusal(std::uint32_t port) {
  if (!is_up()) return;
  const Endpoint destination = network_.endpoint(port);
  world_.note(Step::kRefusal, 0, port);
  for (auto& shard : shards_) shard->on_refusal(destination);
}

void Server::read_figures(std::vector<ShardStats>& figures) const {
  figures.clear();
  for (const auto& shard : shards_) figures.push_back(shard->relay().figures());
}

void Server::post(PeerShards::Outgoing outgoing) {
  shards_[outgoing.to]->on_shard_message(std::move(outgoing.message));
}

void Server::wake_all() {
  for (auto& shard : shards_) shard->wake();
}

void Server::compare() {
  for (std::uint32_t i = 0; i < shard_count(); ++i) {
    audit_.compare(clock_.now_ms(world_.now_us), shards_[i]->relay(), static_cast<std::uint8_t>(i));
  }
  const std::uint32_t spare = shard_count() > 1 ? shard_count() : 0;
  const Limits& limits = world_.scenario.limits;
  if (model_.members() > limits.max_members + spare || model_.rooms() > limits.max_rooms + spare) {
    world_.fail("more rooms or members than the limits allow");
  }
}

void Server::check_at_rest() {
  compare();
  for (std::uint32_t i = 0; i < shard_count(); ++i) {
    if (!shards_[i]->is_at_rest()) {
      world_.fail("shard " + std::to_string(i) + " does not come to rest");
    }
    if (model_.debts().owed_by(static_cast<std::uint8_t>(i)) != 0) {
      world_.fail("messages are still owed when all is quiet");
    }
  }
  for (const Connection& connection : connections_) {
    if (connection.stage != Connection::Stage::kFree) {
      world_.fail("a request was never answered");
    }
  }
}

}  // namespace chatd::sim
