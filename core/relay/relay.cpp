#include "core/relay/relay.h"

#include "core/relay/restore.h"
#include "core/wire/v1/notice.h"

namespace chatd {
namespace {

// One for each address that can hold something, and then some that only ask.
std::size_t max_tracked_addresses(const Limits& limits) {
  constexpr std::size_t kVisitors = 65'536;
  return kVisitors + limits.max_rooms + limits.max_connections + kSpareConnections;
}

}  // namespace

Relay::Relay(const RelayConfig& config, TimeMs now_ms)
    : config_(config),
      random_(config.seed),
      hash_key_(random_.next<std::tuple_size_v<KeyedHash::Key>>()),
      reset_key_(config.reset_key ? *config.reset_key
                                  : random_.next<std::tuple_size_v<ResetKey::Bytes>>()),
      roster_(config_.limits, hash_key_, config_.shards.count()),
      addresses_(config_.limits.abuse, max_tracked_addresses(config_.limits), hash_key_),
      quota_releases_(config_.shard, config_.shards, addresses_),
      dispatcher_(config_.limits, roster_, counters_, histograms_, config_.trains,
                  config_.message_store_blocks, hash_key_, now_ms),
      membership_(config_.limits, roster_, dispatcher_, counters_, quota_releases_, events_,
                  now_ms),
      bans_(config.bans != nullptr ? config.bans : std::make_shared<const BanList>()),
      ban_sweep_(roster_, membership_),
      broadcast_(roster_, dispatcher_),
      room_service_(config_.limits, config_.shard, config_.cipher, roster_, membership_, addresses_,
                    counters_, bans_, hash_key_, reset_key_, random_),
      requests_(config_.limits, config_.local_endpoints, config_.shard, config_.shards, roster_,
                room_service_, addresses_, counters_, config_.ports),
      answers_(config_.limits, config_.local_endpoints, config_.shards.count(), hash_key_,
               counters_),
      sessions_(config_.limits, config_.local_endpoints, roster_, membership_, dispatcher_,
                counters_, answers_, reset_key_, random_) {}

void Relay::post(PeerShards& peers) {
  for (const QuotaReleases::Ended& ended : quota_releases_.elsewhere()) {
    peers.post(ended.counting_shard, QuotaRelease{ended.creator});
  }
  quota_releases_.elsewhere().clear();
}

std::size_t Relay::on_datagrams(TimeMs now_ms, std::span<const ReceivedDatagram> batch,
                                Outbox& out) {
  std::size_t taken = 0;
  while (taken < batch.size() && !out.is_full()) take_datagram(now_ms, batch[taken++], out);
  return taken;
}

void Relay::take_datagram(TimeMs now_ms, const ReceivedDatagram& datagram, Outbox& out) {
  counters_.add(Counter::kDatagramsReceived);
  if (datagram.bytes.size() > kMaxDatagramBytes) return counters_.add(Counter::kDroppedTooLarge);
  if (const auto* const v1 = std::get_if<ClientDatagram>(&datagram.parsed)) {
    return take_v1_datagram(now_ms, datagram.from, datagram.bytes.size(), *v1, out);
  }
  if (const auto* const v2 = std::get_if<v2::Datagram>(&datagram.parsed)) {
    return sessions_.on_datagram(now_ms, datagram.from, *v2, out);
  }
  counters_.add(Counter::kDroppedMalformed);
}

void Relay::take_v1_datagram(TimeMs now_ms, const Endpoint& from, std::size_t datagram_bytes,
                             const ClientDatagram& datagram, Outbox& out) {
  const auto slot = authenticate(from, datagram);
  if (!slot) {
    counters_.add(slot.error());
    return answer_unauthenticated(now_ms, from, datagram_bytes, out);
  }
  Member& member = roster_.members()[*slot];
  member.unreachable_count = 0;

  if (datagram.payload.empty()) {
    member.last_heard_ms = now_ms;
    return counters_.add(Counter::kHeartbeats);
  }
  const bool is_within_rate = member.rate_limiter.take_payload(now_ms, config_.limits.abuse);
  if (!is_within_rate && !may_read_beyond_rate(now_ms, member, datagram.payload)) {
    return refuse_message(now_ms, *slot, from, out);
  }
  switch (payloads_.read(datagram.payload, member.username)) {
    case PayloadKind::kMessage:
      if (!is_within_rate) return refuse_message(now_ms, *slot, from, out);
      return take_message(now_ms, *slot, from, datagram.payload, out);
    case PayloadKind::kHeartbeat:
      member.last_heard_ms = now_ms;
      counters_.add(Counter::kHeartbeats);
      if (!is_within_rate) return counters_.add(Counter::kHeartbeatsUnanswered);
      return answer_heartbeat(now_ms, member, from, datagram.payload, out);
    case PayloadKind::kLeave:
      counters_.add(Counter::kLeaves);
      return membership_.leave(now_ms, *slot, out);
    case PayloadKind::kWrongSender:
      return counters_.add(Counter::kDroppedWrongSender);
    case PayloadKind::kMalformed:
      return counters_.add(Counter::kDroppedBadPayload);
  }
}

// What a payload costs to read is its sender's choice: a hundred microseconds, for some. So beyond
// the rate nobody reads it, unless the member may want to leave, or to stay.
bool Relay::may_read_beyond_rate(TimeMs now_ms, Member& member, std::string_view payload) {
  return may_be_for_server(payload) &&
         member.rate_limiter.take_reserve(now_ms, config_.limits.abuse);
}

void Relay::take_message(TimeMs now_ms, std::uint32_t sender, const Endpoint& from,
                         std::string_view payload, Outbox& out) {
  Member& member = roster_.members()[sender];
  const std::size_t receivers = roster_.room_of(member).members.size() - 1;
  if (!member.rate_limiter.take_bytes(now_ms, config_.limits.abuse, payload.size(), receivers)) {
    return refuse_message(now_ms, sender, from, out);
  }
  member.last_heard_ms = now_ms;
  dispatcher_.accept(now_ms, sender, payload);
}

// Read or not: it counts as a message that goes to nobody, and its member is there.
void Relay::refuse_message(TimeMs now_ms, std::uint32_t sender, const Endpoint& from, Outbox& out) {
  Member& member = roster_.members()[sender];
  member.last_heard_ms = now_ms;
  dispatcher_.refuse(sender);
  if (!member.rate_limiter.take_warning(now_ms)) return;
  counters_.add(Counter::kOverLimitWarnings);
  out.open(Outbox::Kind::kNotice, kTooFastDatagram);
  out.add(from);
}

// It goes back as it came, to the member alone, so it is never longer than what it answers. Each
// costs as much as a message to one, and is taken from the same rate_limiter.
void Relay::answer_heartbeat(TimeMs now_ms, Member& member, const Endpoint& from,
                             std::string_view payload, Outbox& out) {
  if (!member.rate_limiter.take_bytes(now_ms, config_.limits.abuse, payload.size(), 1)) {
    return counters_.add(Counter::kHeartbeatsUnanswered);
  }
  counters_.add(Counter::kHeartbeatsAnswered);
  out.open_copy(Outbox::Kind::kAnswer, payload);
  out.add(from);
}

tl::expected<std::uint32_t, Counter> Relay::authenticate(const Endpoint& from,
                                                         const ClientDatagram& datagram) {
  const std::uint32_t slot = datagram.token.slot();
  const Member* const member = roster_.members().find(slot);
  // A member with protocol v2 speaks under its seal alone.
  if (member == nullptr || !(member->token == datagram.token) ||
      roster_.session_of(*member) != nullptr) {
    return tl::unexpected(Counter::kDroppedUnknownToken);
  }
  if (roster_.room_of(*member).name != datagram.room) {
    return tl::unexpected(Counter::kDroppedWrongRoom);
  }
  if (!accept_address(slot, from)) return tl::unexpected(Counter::kDroppedWrongAddress);
  return slot;
}

// Whether a datagram with the member's token may come from there. A pending member is bound by its
// first datagram from the address that TCP has proven.
bool Relay::accept_address(std::uint32_t slot, const Endpoint& from) {
  const Member& member = roster_.members()[slot];
  const Endpoint& bound = roster_.endpoint_of(member);
  const bool is_pending = bound.port == 0;
  if (!is_pending && from == bound) {
    if (from.via != bound.via) roster_.speak_via(slot, from.via);
    return true;
  }
  if (!(is_pending || config_.limits.roaming_same_ip) || from.ip != member.tcp_peer ||
      from.port == 0 || config_.local_endpoints.contains(from)) {
    return false;
  }
  roster_.bind_member(slot, from);
  return true;
}

// Never longer than what it answers.
void Relay::answer_unauthenticated(TimeMs now_ms, const Endpoint& from, std::size_t datagram_bytes,
                                   Outbox& out) {
  if (datagram_bytes < kNotAuthenticatedDatagram.size()) return;
  if (!answers_.take(now_ms, from, dispatcher_.owes_farewells())) return;
  counters_.add(Counter::kUnauthenticatedAnswers);
  out.open(Outbox::Kind::kAnswer, kNotAuthenticatedDatagram);
  out.add(from);
}

void Relay::on_request(TimeMs now_ms, const IpAddress& peer, const FrameView& frame,
                       std::string& reply, Outbox& out) {
  PeerShards nobody;
  if (requests_.handle({now_ms, nobody, out}, {{}, peer, frame}, reply)) return;
  while (nobody.replies.empty()) write_lists(now_ms, nobody);
  reply += ListReader(nobody.replies.front().list).read_all();
}

void Relay::on_unreachable(TimeMs now_ms, const Endpoint& destination, Outbox& out) {
  const auto first = roster_.find_bound(destination);
  for (std::uint32_t slot = first.value_or(kNoSlot); slot != kNoSlot;) {
    Member& member = roster_.members()[slot];
    const std::uint32_t next = member.next_at_endpoint;
    if (++member.unreachable_count > kMaxUnreachable) {
      membership_.remove_refusing(now_ms, slot, out);
      // A host's departure takes others of this endpoint along: `next` may be gone. The rest is
      // removed by the refusals that follow.
      return;
    }
    slot = next;
  }
}

void Relay::on_deadline(TimeMs now_ms, Outbox& out) {
  if (ban_sweep_.is_pending()) ban_sweep_.go_on(now_ms, *bans_, out);
  membership_.expire(now_ms, out);
  dispatcher_.send_heads(now_ms, out);
}

void Relay::start_drain() {
  if (is_draining()) return;
  room_service_.start_drain();
  broadcast_.begin(kDrainingDatagram.substr(kServerPrefix.size()));
}

void Relay::set_bans(BanListPointer bans) {
  bans_ = std::move(bans);
  if (!bans_->is_empty()) ban_sweep_.begin();
}

void Relay::set_limits(const Limits& limits) {
  const Limits old = config_.limits;
  config_.limits = limits.with_sizes_of(old);
  if (config_.limits.idle_timeout_ms != old.idle_timeout_ms) membership_.rearm_all();
  if (config_.limits.history_entries != old.history_entries ||
      config_.limits.history_bytes != old.history_bytes) {
    dispatcher_.keep_entries_anew();
  }
  if (config_.limits.abuse == old.abuse) return;
  // A bucket's debt is time at the old rate: under a rate that was a mistake that may be days.
  membership_.forgive_all();
  addresses_.forgive_all();
}

// A broadcast is told to the rest of the rooms first: it costs no more than an entry in each.
bool Relay::prepare_snapshot(Outbox& out) {
  while (broadcast_.is_pending()) broadcast_.go_on();
  return dispatcher_.serve_leavers(out);
}

RelaySnapshot Relay::snapshot() const {
  std::vector<RoomSnapshot> rooms = snapshot_of(roster_);
  std::uint32_t slot = roster_.oldest_room();
  for (RoomSnapshot& room : rooms) {
    room.first_entry = roster_.rooms()[slot].log.oldest();
    room.entries = dispatcher_.snapshot(roster_.rooms()[slot]);
    slot = roster_.rooms()[slot].newer;
  }
  return {.rooms = std::move(rooms),
          .addresses = addresses_.snapshot(),
          .counters = counters_,
          .histograms = histograms_,
          .reset_key = reset_key_.bytes()};
}

tl::expected<void, std::string> Relay::restore(const RelaySnapshot& snapshot) {
  auto restored =
      restore_roster(snapshot.rooms, config_.limits, config_.shard, config_.shards, roster_);
  if (!restored) return restored;
  membership_.rearm_all();
  addresses_.restore(snapshot.addresses);
  counters_ = snapshot.counters;
  histograms_ = snapshot.histograms;
  if (snapshot.reset_key) reset_key_ = ResetKey(*snapshot.reset_key);
  std::uint32_t slot = roster_.oldest_room();
  for (const RoomSnapshot& room : snapshot.rooms) {
    dispatcher_.restore(slot, room);
    slot = roster_.rooms()[slot].newer;
  }
  if (!bans_->is_empty()) ban_sweep_.begin();  // the old relay may have known less
  return {};
}

bool Relay::close_room(std::string_view room) {
  const auto slot = roster_.find_room(room);
  if (slot) membership_.close_room(*slot);
  return slot.has_value();
}

bool Relay::kick(TimeMs now_ms, std::string_view room, std::string_view username, Outbox& out) {
  const auto slot = roster_.find_room(room);
  const auto member = slot ? roster_.find_member(*slot, username) : std::nullopt;
  if (member) membership_.kick(now_ms, *member, out);
  return member.has_value();
}

}  // namespace chatd
