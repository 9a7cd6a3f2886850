#include "tests/sim/server.h"

#include <sodium/core.h>
#include <sodium/crypto_aead_aes256gcm.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/wire/v1/datagram.h"

namespace chatd::sim {
namespace {

constexpr std::uint64_t kTurnUs = 30;
constexpr std::uint16_t kTlsPort = 8001;  // which nobody comes to: connections count as such

bool can_use(Cipher cipher) {
  return cipher == Cipher::kChaCha20Poly1305 || crypto_aead_aes256gcm_is_available() == 1;
}

}  // namespace

Server::Server(World& world, Network& network, Model& model)
    : world_(world),
      network_(network),
      model_(model),
      audit_(world, model),
      machine_(world, network, *this, [this](std::uint32_t shard) { wake(shard); }) {
  start();
}

void Server::start() {
  const std::uint32_t count = world_.scenario.shards;
  KeyedHash::Key key;
  for (auto& byte : key) byte = static_cast<std::uint8_t>(world_.dice.any());
  world_.limits = world_.scenario.limits;
  ++generation_;
  config_ = {};
  config_.local_endpoints = world_.server_sockets;
  config_.trains = world_.scenario.trains;
  if (world_.scenario.has_state_directory) config_.reset_key = ResetKey::Bytes{1, 2, 3};
  config_.ports = {.udp = world_.server_sockets.udp_port, .tls = kTlsPort};
  config_.cipher =
      can_use(world_.scenario.cipher) ? world_.scenario.cipher : Cipher::kChaCha20Poly1305;
  config_.message_store_blocks = world_.scenario.store_blocks;
  if (count > 1) config_.shards = ShardMap(count, key);
  model_.restart(config_.shards);
  audit_.restart(count);
  forget_all();
  sockets_.clear();
  listener_ = machine_.open_listener();
  for (std::uint32_t i = 0; i < count; ++i) sockets_.push_back(machine_.open_udp(i));
  open_shards({});
  world_.note(Step::kServerStarts, count);
}

// On the sockets that are there. `states`: where other shards have ended, if these go on from
// there.
void Server::open_shards(std::vector<ShardState> states) {
  const auto count = static_cast<std::uint32_t>(sockets_.size());
  const std::uint64_t creation_order = group_ && !states.empty() ? group_->creation_order() : 0;
  shards_.clear();
  relays_.clear();
  machine_.forget_watchers();
  group_ = ShardGroup::open(machine_, count, world_.scenario.mailbox).value();
  group_->go_on_from(creation_order);
  turns_.assign(count, {});
  const int stop = machine_.eventfd();
  for (std::uint32_t i = 0; i < count; ++i) {
    auto relay = make_relay(i);
    relays_.push_back(relay.get());
    ShardSockets own{.tcp_listener = i == 0 ? UniqueFd(listener_) : UniqueFd(),
                     .udp = UniqueFd(sockets_[i]),
                     .family = AF_INET6,
                     .max_lanes = world_.scenario.lanes};
    const ShardBounds bounds{.outbox_work = world_.scenario.outbox_work,
                             .datagrams = world_.scenario.datagrams_per_turn};
    shards_.push_back(
        Shard::open(machine_, std::move(own), std::move(relay), *group_, stop, bounds).value());
    wake(i);
  }
  for (std::uint32_t i = 0; i < states.size(); ++i) {
    std::vector<UniqueFd> connections;
    for (const int fd : descriptors_[i]) connections.emplace_back(fd);
    const auto restored = shards_[i]->restore(std::move(states[i]), connections);
    relays_[i]->on_restored();
    if (!restored) world_.fail("a shard cannot go on where another has ended: " + restored.error());
  }
}

std::unique_ptr<AuditedRelay> Server::make_relay(std::uint32_t shard) {
  config_.limits = world_.limits;
  for (auto& byte : config_.seed) byte = static_cast<std::uint8_t>(world_.dice.any());
  config_.shard = static_cast<std::uint8_t>(shard);
  return std::make_unique<AuditedRelay>(world_, model_, audit_, *this, config_, machine_.now_ms());
}

void Server::stop() {
  world_.note(Step::kServerStops, model_.member_count());
  machine_.is_stopping = true;
  for (std::uint32_t i = 0; i < shard_count() && world_.ok(); ++i) {
    begin_turn(i);
    shards_[i]->end();
    relays_[i]->check_counters();
    audit_.compare(machine_.now_ms(), *relays_[i], static_cast<std::uint8_t>(i));
  }
  if (world_.ok() && model_.member_count() != 0)
    world_.fail("not everyone was told that it is over");
  check_traffic(left_in_mailboxes());
  for (const AuditedRelay* relay : relays_) world_.seen.add(relay->counters());
  shards_.clear();
  relays_.clear();
  group_.reset();
  machine_.end_process();
  machine_.is_stopping = false;
}

// --- The operator --------------------------------------------------------------------------------

void Server::set_limits(const Limits& limits) {
  const Limits old = world_.limits;
  world_.limits = limits;
  model_.on_new_limits(old);
  Outbox nothing(world_.scenario.outbox_work, world_.scenario.limits.max_room_members);
  for (AuditedRelay* const relay : relays_) relay->set_limits_audited(limits, nothing);
  wake_all();
}

void Server::start_drain() {
  model_.on_drain();
  Outbox nothing(world_.scenario.outbox_work, world_.scenario.limits.max_room_members);
  for (AuditedRelay* const relay : relays_) relay->start_drain_audited(nothing);
  wake_all();
}

void Server::kick(std::uint32_t room, std::uint32_t name) {
  group_->mailbox(model_.members().rooms[room].shard)
      .post(Task([room, name](const TaskContext& site) {
        static_cast<AuditedRelay&>(site.relay).kick_audited(site.now_ms, room, name, site.out);
      }));
}

void Server::close_room(std::uint32_t room) {
  group_->mailbox(model_.members().rooms[room].shard).post(Task([room](const TaskContext& site) {
    static_cast<AuditedRelay&>(site.relay).close_room_audited(room, site.out);
  }));
}

bool Server::restart_hot() {
  if (!quiesce()) {
    for (std::uint32_t i = 0; i < shard_count(); ++i) {
      shards_[i]->go_on();
      wake(i);
    }
    return false;
  }
  for (AuditedRelay* const relay : relays_) relay->check_counters();  // shards count on their own
  std::vector<ShardState> states;
  descriptors_.assign(shard_count(), {});
  for (std::uint32_t i = 0; i < shard_count(); ++i) {
    states.push_back(shards_[i]->state(descriptors_[i]));
  }
  age_sessions(states);
  model_.on_hot_restart();
  world_.delays.forget_waiting();
  forget_all();
  open_shards(std::move(states));
  compare();
  return true;
}

// Some have sent so many packets by then that a key is almost used up.
void Server::age_sessions(std::vector<ShardState>& states) {
  constexpr std::uint64_t kAlmost = 100;
  for (ShardState& state : states) {
    for (RoomSnapshot& room : state.relay.rooms) {
      for (MemberSnapshot& member : room.members) {
        if (!member.session || !world_.dice.one_in(8)) continue;
        std::uint64_t& next_packet = member.session->next_packet;
        if (next_packet + kAlmost > kPacketsPerKey) continue;
        next_packet = kPacketsPerKey - 1 - world_.dice.roll(20);
        model_.sessions()[v2::SessionId(member.session->id)].next_packet = next_packet;
      }
    }
  }
}

bool Server::quiesce() {
  constexpr int kRounds = 64;
  for (const Turns& turns : turns_) {
    if (turns.is_paused) return false;
  }
  for (int i = 0; i < kRounds; ++i) {
    bool is_settled = true;
    for (std::uint32_t shard = 0; shard < shard_count(); ++shard) {
      begin_turn(shard);
      is_settled = !shards_[shard]->quiesce() && is_settled;
    }
    if (is_settled) return true;
  }
  return false;
}

// --- Turns ---------------------------------------------------------------------------------------

void Server::wake(std::uint32_t shard) {
  if (std::exchange(turns_[shard].is_awake, true)) return;
  const std::uint64_t from_us = std::max(world_.now_us, turns_[shard].works_until_us);
  world_.events.plan(from_us + world_.dice.roll(kTurnUs), EventKind::kTurn, 0, shard);
}

void Server::wake_all() {
  for (std::uint32_t i = 0; i < shard_count(); ++i) wake(i);
}

void Server::go_on(std::uint32_t shard) {
  turns_[shard].is_paused = false;
  wake(shard);
}

void Server::on_timer(std::uint32_t shard) {
  Turns& turns = turns_[shard];
  if (turns.timer_us && *turns.timer_us <= world_.now_us) turns.timer_us.reset();
  wake(shard);
}

void Server::turn(std::uint32_t shard) {
  turns_[shard].is_awake = false;
  if (turns_[shard].is_paused) return;
  const TimeMs now_ms = machine_.now_ms();
  world_.note(Step::kTurn, shard, model_.expected().owed_by(static_cast<std::uint8_t>(shard)),
              now_ms);
  begin_turn(shard);
  shards_[shard]->duty_cycle();
  turns_[shard].works_until_us = world_.now_us + world_.delays.turn_ns() / 1000;
  check_work(shard);
  relays_[shard]->check_counters();
  const int timeout_ms = shards_[shard]->wait_timeout_ms(now_ms);
  if (timeout_ms == 0) return wake(shard);
  if (timeout_ms > 0) set_timer(shard, timeout_ms);
}

void Server::begin_turn(std::uint32_t shard) {
  world_.delays.begin_turn(shard, group_->connections(), shards_[shard]->is_send_blocked());
}

// Whatever there is to do: others have a shard's attention again after this time.
void Server::check_work(std::uint32_t shard) {
  const std::string excess = world_.delays.excess(group_->connections());
  if (excess.empty()) return;
  world_.fail("a turn of shard " + std::to_string(shard) + " has done work for " + excess);
}

void Server::check_delays() {
  const Delays::Worst worst = world_.delays.worst_room();
  if (worst.per_mille <= 1000) return;
  world_.fail("of " + std::to_string(worst.deliveries) + " deliveries in room " +
              world_.room_names[worst.room] + " the p99 has waited for " +
              std::to_string(worst.per_mille) +
              " per mille of the work that may come before a quiet room's");
}

void Server::set_timer(std::uint32_t shard, int timeout_ms) {
  const TimeMs now_ms = machine_.now_ms();
  const std::uint64_t at_us =
      machine_.clock().when_us(world_.now_us, now_ms + static_cast<TimeMs>(timeout_ms));
  auto& timer_us = turns_[shard].timer_us;
  if (timer_us && *timer_us <= at_us) return;
  timer_us = at_us;
  world_.events.plan(at_us, EventKind::kTimer, 0, shard);
}

// --- Datagrams -----------------------------------------------------------------------------------

void Server::on_datagram(std::uint32_t number) {
  const Packet& packet = world_.packets[number];
  if (!is_up()) {
    const auto port = network_.find_port(packet.from);
    if (port) network_.refuse_to_client(*port);
    return world_.packets.release(number);
  }
  machine_.on_datagram(steer(packet), number);
}

// The kernel reads the shard from the token; what names none is spread by its hash of addresses.
std::uint32_t Server::steer(const Packet& packet) {
  const std::uint32_t count = shard_count();
  if (count == 1) return 0;
  if (steering_wrong > 0) {
    world_.seen.saw(Sight::kWrongSteering);
    return world_.dice.roll32(count);
  }
  const auto shard = shard_of_received(std::string_view(packet.bytes).substr(0, packet.size_bytes));
  return shard && *shard < count ? *shard : packet.from.port % count;
}

// One socket of the group hears of it; its shard tells the others.
void Server::on_refusal(std::uint32_t port) {
  if (!is_up()) return;
  world_.note(Step::kRefusal, 0, port);
  machine_.on_refusal(port % shard_count(), network_.endpoint(port));
}

void Server::compare() {
  for (std::uint32_t i = 0; i < shard_count(); ++i) {
    audit_.compare(machine_.now_ms(), *relays_[i], static_cast<std::uint8_t>(i));
  }
  const std::uint32_t spare = shard_count() > 1 ? shard_count() : 0;
  const Limits& limits = world_.scenario.limits;
  if (model_.member_count() > limits.max_members + spare ||
      model_.rooms() > limits.max_rooms + spare) {
    world_.fail("more rooms or members than the limits allow");
  }
}

// Datagrams that were handed over to shards that had ended by then.
std::uint64_t Server::left_in_mailboxes() {
  std::uint64_t left = 0;
  for (std::uint32_t i = 0; i < shard_count(); ++i) {
    Mail mail(world_.scenario.mailbox);
    group_->mailbox(static_cast<std::uint8_t>(i)).take(mail);
    left += mail.misrouted.misrouted().size();
  }
  return left;
}

// What the books say has gone through the sockets. `left`: of what was read, not dealt with.
void Server::check_traffic(std::uint64_t left) const {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  for (const AuditedRelay* relay : relays_) {
    sent += relay->counters()[Counter::kDeliveriesSent];
    received += relay->counters()[Counter::kDatagramsReceived];
  }
  if (sent != machine_.messages_sent()) {
    world_.fail("deliveries_sent is " + std::to_string(sent) + ", and the kernel was given " +
                std::to_string(machine_.messages_sent()));
  }
  if (received + left != machine_.datagrams_read()) {
    world_.fail("datagrams_received is " + std::to_string(received) + ", " + std::to_string(left) +
                " are left, and the kernel has given " + std::to_string(machine_.datagrams_read()));
  }
}

void Server::check_at_rest() {
  compare();
  check_traffic(/*left=*/0);
  check_delays();
  for (std::uint32_t i = 0; i < shard_count(); ++i) {
    const Roster& roster = relays_[i]->roster();
    if (shards_[i]->wait_timeout_ms(machine_.now_ms()) != -1 || relays_[i]->has_waiting() ||
        roster.members().size() != 0 || roster.rooms().size() != 0) {
      world_.fail("shard " + std::to_string(i) + " does not come to rest");
    }
    if (model_.expected().owed_by(static_cast<std::uint8_t>(i)) != 0) {
      world_.fail("messages are still owed when all is quiet");
    }
  }
  if (group_->connections() != 0) world_.fail("a connection is still open when all is quiet");
  for (const Connection& connection : connections_) {
    if (connection.stage != Connection::Stage::kFree) {
      world_.fail("a request was never answered");
    }
  }
}

}  // namespace chatd::sim
