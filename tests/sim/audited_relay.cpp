#include "tests/sim/audited_relay.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

#include "client/lib/response.h"
#include "core/base/limits.h"
#include "core/wire/v1/frame.h"

namespace chatd::sim {
namespace {

// Beside those for others: those that are left of the turn in which it was said, and such.
constexpr std::uint64_t kMaxWaitTurns = 4;

// The second of the two frames that answer.
std::optional<client::Entry> entry_in(std::string_view reply) {
  for (;;) {
    const DecodedFrame decoded = decode_frame(reply, client::kMaxSessionAnswerBytes);
    if (decoded.status != FrameStatus::kComplete) return std::nullopt;
    if (decoded.frame.is(FrameState::kCompleted)) {
      const auto entry = client::parse_entry_answer(decoded.frame.payload);
      return entry ? std::optional(*entry) : std::nullopt;
    }
    reply.remove_prefix(decoded.size_bytes);
  }
}

client::SessionInfo info_of(const SessionGrant& grant) {
  client::SessionInfo info{.id = grant.id,
                           .secret = grant.secret,
                           .cipher = grant.cipher,
                           .reset_token = grant.reset_token,
                           .next_entry = grant.next_entry,
                           .oldest_entry = grant.oldest_entry,
                           .member = grant.member,
                           .roster = {}};
  for (const SessionGrant::Present& one : grant.roster) {
    info.roster.push_back({.id = one.id, .name = one.name, .is_host = one.is_host});
  }
  return info;
}

}  // namespace

AuditedRelay::AuditedRelay(World& world, Model& model, Audit& audit, Requests& requests,
                           const RelayConfig& config, TimeMs now_ms)
    : Relay(config, now_ms),
      world_(world),
      model_(model),
      audit_(audit),
      requests_(requests),
      shard_(config.shard) {}

bool AuditedRelay::is_gone(const Membership& member) const {
  const std::uint32_t slot = member.token.slot();
  const auto& members = roster().members();
  return !members.contains(slot) || !(members[slot].token == member.token);
}

std::uint32_t AuditedRelay::host_of(const IpAddress& peer) const {
  for (std::uint32_t host = 0; host < world_.hosts.size(); ++host) {
    if (world_.hosts[host].ip == peer) return host;
  }
  world_.fail("a connection from an address that is nobody's");
  return 0;
}

// What was put into the outbox before has been sent, or dropped under a reason, when it is empty.
void AuditedRelay::begin(const Outbox& out, Audit::Call call) {
  if (out.is_empty()) audit_.check_sent(*this, shard_);
  count_turned_away();
  audit_.begin(shard_, out, call);
}

void AuditedRelay::end(const Outbox& out, std::size_t datagram_bytes) {
  audit_.end(*this, out, datagram_bytes);
  refused_ = counters()[Counter::kRequestsRefused];
}

// Whose connection is one too many is refused without the relay, and once.
void AuditedRelay::count_turned_away() {
  const std::uint64_t refused = counters()[Counter::kRequestsRefused];
  turned_away_ += refused - refused_;
  model_.expected(shard_, Counter::kRequestsRefused) += refused - std::exchange(refused_, refused);
  if (turned_away_ > counters()[Counter::kConnectionsOverLimit]) {
    world_.fail("a request is refused that the relay was not asked about");
  }
}

void AuditedRelay::on_restored() {
  mailbox_full_ = counters()[Counter::kDroppedMailboxFull];
  refused_ = counters()[Counter::kRequestsRefused];
}

// --- Datagrams -----------------------------------------------------------------------------------

std::size_t AuditedRelay::on_datagrams(TimeMs now_ms, std::span<const ReceivedDatagram> batch,
                                       Outbox& out) {
  std::size_t taken = 0;
  while (taken < batch.size() && !out.is_full()) take(now_ms, batch[taken++], out);
  return taken;
}

void AuditedRelay::take(TimeMs now_ms, const ReceivedDatagram& datagram, Outbox& out) {
  const std::size_t size_bytes = datagram.bytes.size();
  const Claim* const known = world_.claims.find(datagram.from, datagram.bytes);
  if (known == nullptr) return world_.fail("a datagram that nobody has sent");
  const Claim claim = *known;
  world_.delays.spend(Delays::Share::kDatagrams, Delays::kTakeInNs);
  begin(out);
  const Counter outcome = model_.on_datagram(now_ms, shard_, datagram.from, claim, datagram.bytes);
  if (Relay::on_datagrams(now_ms, {&datagram, 1}, out) != 1) {
    world_.fail("a datagram is left though there is room");
  }
  world_.note(Step::kJudged, shard_, static_cast<std::uint64_t>(outcome), claim.message);
  audit_.check(*this, shard_, outcome);
  audit_.check(*this, shard_, Counter::kDeliveriesPlanned);
  note_accepted();
  end(out, size_bytes);
}

void AuditedRelay::note_accepted() {
  for (const MessageId message : model_.accepted()) {
    const std::uint32_t room = model_.members()[sender_of(message)].room;
    if (model_.is_quiet(room)) {
      world_.delays.accepted(message, room, model_.turns_before(room));
    } else {
      world_.delays.forget(room);
    }
  }
}

void AuditedRelay::on_unreachable(TimeMs now_ms, const Endpoint& destination, Outbox& out) {
  begin(out);
  model_.on_unreachable(now_ms, shard_, destination);
  Relay::on_unreachable(now_ms, destination, out);
  end(out);
}

void AuditedRelay::on_deadline(TimeMs now_ms, Outbox& out) {
  const bool was_full = out.is_full();
  const std::size_t fanouts_before = out.groups().size();
  begin(out, Audit::Call::kDeadline);
  audit_.set_time(now_ms);
  Relay::on_deadline(now_ms, out);
  if (was_full && out.groups().size() > fanouts_before) {
    world_.fail("members expire although the outbox is full");
  }
  const bool stopped_early = next_deadline().value_or(now_ms + 1) <= now_ms;
  const Model::IsGone gone = [this](const Membership& member) { return is_gone(member); };
  model_.on_deadline(now_ms, shard_, stopped_early ? &gone : nullptr);
  end(out);
}

void AuditedRelay::serve_rooms(Outbox& out) {
  if (!has_waiting()) return;
  model_.begin_turn(shard_);
  begin(out, Audit::Call::kServes);
  Relay::serve_rooms(out);
  if (out.is_full()) world_.seen.saw(Sight::kOutboxFull);
  end(out);
  // Nobody waits for long because others say much: before a quiet room comes a turn of each busy
  // address (core/room/turn_order.h), which may be several of a shard with a small outbox.
  const std::uint32_t turns_of_an_address = kMaxTurnWork / world_.scenario.outbox_work;
  const std::uint64_t bound = kMaxWaitTurns + world_.room_names.size() * turns_of_an_address;
  if (model_.expected().longest_wait_turns() > bound) {
    world_.fail("a message of a quiet room has waited for " +
                std::to_string(model_.expected().longest_wait_turns()) +
                " turns in which rooms were served");
  }
}

void AuditedRelay::drop_waiting() {
  const std::uint64_t before = counters()[Counter::kDroppedSendAtStop];
  Relay::drop_waiting();
  audit_.check_dropped(*this, shard_, counters()[Counter::kDroppedSendAtStop] - before);
}

bool AuditedRelay::prepare_snapshot(Outbox& out) {
  begin(out, Audit::Call::kServes);
  const bool is_prepared = Relay::prepare_snapshot(out);
  end(out);
  return is_prepared;
}

bool AuditedRelay::disconnect_all(Outbox& out) {
  begin(out, Audit::Call::kServes);
  const bool everyone_is_told = Relay::disconnect_all(out);
  model_.on_disconnect_all(shard_, [this](const Membership& member) { return is_gone(member); });
  end(out);
  return everyone_is_told;
}

// What finds no place in another shard's mailbox is counted by the shard itself.
void AuditedRelay::check_counters() {
  const std::uint64_t mailbox_full = counters()[Counter::kDroppedMailboxFull];
  model_.expected(shard_, Counter::kDatagramsReceived) += mailbox_full - mailbox_full_;
  model_.expected(shard_, Counter::kDroppedMailboxFull) = mailbox_full_ = mailbox_full;
  count_turned_away();
  audit_.check_counters(*this, shard_);
}

// --- Connections and requests --------------------------------------------------------------------

bool AuditedRelay::open_connection(TimeMs now_ms, const IpAddress& peer) {
  const bool may_come = model_.on_connection(now_ms, host_of(peer));
  const bool is_open = Relay::open_connection(now_ms, peer);
  if (is_open != may_come) {
    world_.fail(may_come ? "a connection was turned away" : "a connection was one too many");
  }
  if (!may_come) {
    world_.seen.saw(Sight::kTold429Connections);
    ++model_.expected(shard_, Counter::kConnectionsOverAddressLimit);
  }
  return is_open;
}

void AuditedRelay::release_connection(const IpAddress& peer) {
  model_.on_connection_end(host_of(peer));
  Relay::release_connection(peer);
}

bool AuditedRelay::on_request(TimeMs now_ms, const ConnectionId& from, const IpAddress& peer,
                              const FrameView& frame, PeerShards& peers, std::string& reply,
                              Outbox& out) {
  Request request = requests_.next(from);
  const std::size_t reply_bytes = reply.size();
  begin(out);
  const auto status = model_.on_request(now_ms, shard_, request.spec);
  const bool is_ours = model_.shards().of_room(frame.room) == shard_;
  const std::uint64_t kept_back = counters()[Counter::kPasswordAttemptsOverLimit];
  // TLS is not simulated: some connections count as ones with it.
  ConnectionId connection = from;
  connection.is_encrypted = request.spec.is_encrypted;
  const bool is_whole = Relay::on_request(now_ms, connection, peer, frame, peers, reply, out);
  if (status) {
    request.status = *status;
  } else if (is_ours) {
    const bool was_kept_back = counters()[Counter::kPasswordAttemptsOverLimit] > kept_back;
    const Model::Admission admission = model_.on_admission(now_ms, request.spec, was_kept_back);
    request.status = admission.status;
    request.member = admission.member;
    model_.on_outcome(shard_, request.spec, admission.status);
  }
  if (is_whole && request.member != kNobody) {
    const auto entry = entry_in(std::string_view(reply).substr(reply_bytes));
    if (entry) model_.members()[request.member].token = entry->token;
    if (entry && entry->session) model_.on_granted(request.member, *entry->session);
  }
  end(out);
  const bool is_list = request.spec.kind == RequestSpec::Kind::kList;
  if (!is_list && is_whole != (status.has_value() || is_ours)) {
    world_.fail("a request is answered on the wrong shard");
  }
  if (is_whole) {
    requests_.answer(request);
  } else {
    requests_.wait(from, request);
  }
  return is_whole;
}

void AuditedRelay::on_shard_message(TimeMs now_ms, ShardMessage&& message, PeerShards& peers,
                                    Outbox& out) {
  world_.seen.saw(Sight::kLetter);
  begin(out);
  const std::uint64_t kept_back = counters()[Counter::kPasswordAttemptsOverLimit];
  Request* asker = nullptr;
  if (const auto* const asked = std::get_if<JoinForward>(&message)) {
    asker = requests_.find(asked->from);
  } else if (const auto* const answered = std::get_if<JoinReply>(&message)) {
    const Request* const request = requests_.find(answered->to);
    if (request != nullptr) model_.on_outcome(shard_, request->spec, request->status);
  } else if (const auto* const ended = std::get_if<QuotaRelease>(&message)) {
    model_.on_room_ended(ended->creator);
  }
  const std::size_t messages = peers.messages.size();
  Relay::on_shard_message(now_ms, std::move(message), peers, out);
  if (asker != nullptr) {
    const bool was_kept_back = counters()[Counter::kPasswordAttemptsOverLimit] > kept_back;
    const Model::Admission admission = model_.on_admission(now_ms, asker->spec, was_kept_back);
    asker->status = admission.status;
    asker->member = admission.member;
  }
  if (asker != nullptr && asker->member != kNobody && peers.messages.size() > messages) {
    const auto* const outcome = std::get_if<JoinReply>(&peers.messages.back().message);
    if (outcome != nullptr && outcome->result.admission) {
      const Admission& admission = *outcome->result.admission;
      model_.members()[asker->member].token = admission.token;
      if (admission.session) model_.on_granted(asker->member, info_of(*admission.session));
    }
  }
  end(out);
  deliver(peers);
}

void AuditedRelay::write_lists(TimeMs now_ms, PeerShards& peers) {
  Relay::write_lists(now_ms, peers);
  deliver(peers);
}

void AuditedRelay::deliver(PeerShards& peers) {
  for (const PeerShards::Reply& reply : peers.replies) {
    if (reply.list && model_.shards().count() == 1) check_list(ListReader(reply.list).read_all());
    requests_.finish(reply.to);
  }
}

// With several shards parts of the list are of slightly different times.
void AuditedRelay::check_list(const std::string& frames) {
  const DecodedFrame decoded = decode_frame(frames, kMaxListBytes);
  const auto list = client::parse_room_list(decoded.frame.payload);
  if (!list) return world_.fail("a list that the client library cannot read");
  bool is_right = list->total == model_.rooms() && list->rooms.size() == model_.rooms();
  for (const client::RoomInfo& room : list->rooms) {
    const auto name = std::find(world_.room_names.begin(), world_.room_names.end(), room.name);
    if (name == world_.room_names.end()) return world_.fail("a list names a room that is not");
    const ModelRoom& wanted =
        model_.members().rooms[static_cast<std::size_t>(name - world_.room_names.begin())];
    is_right = is_right && wanted.exists && room.count == wanted.members.size() &&
               room.password_required == (wanted.password != 0);
  }
  if (!is_right) world_.fail("a list is not true");
}

// --- The operator --------------------------------------------------------------------------------

void AuditedRelay::kick_audited(TimeMs now_ms, std::uint32_t room, std::uint32_t name,
                                Outbox& out) {
  begin(out);
  const bool should_be_done = model_.on_kick(now_ms, shard_, room, name);
  if (kick(now_ms, world_.room_names[room], world_.client_names[name], out) != should_be_done) {
    world_.fail("an operator's order has not the right outcome");
  }
  end(out);
}

void AuditedRelay::close_room_audited(std::uint32_t room, Outbox& out) {
  begin(out);
  const bool should_be_done = model_.on_close_room(shard_, room);
  if (close_room(world_.room_names[room]) != should_be_done) {
    world_.fail("an operator's order has not the right outcome");
  }
  end(out);
}

void AuditedRelay::set_limits_audited(const Limits& limits, Outbox& out) {
  audit_.begin(shard_, out);
  set_limits(limits);
  end(out);
}

void AuditedRelay::start_drain_audited(Outbox& out) {
  audit_.begin(shard_, out);
  start_drain();
  end(out);
  if (!is_draining()) world_.fail("a shard does not drain");
}

}  // namespace chatd::sim
