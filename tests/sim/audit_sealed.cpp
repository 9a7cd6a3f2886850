// What the relay sends to members with protocol v2, opened and held against the model: each packet
// number once and in turn, each entry as everybody gets it, without asking once and in order, and
// again only who has asked; and every other frame when it is due.
#include <algorithm>
#include <string>
#include <variant>

#include "core/base/limits.h"
#include "core/wire/v2/datagram.h"
#include "tests/sim/audit.h"

namespace chatd::sim {
namespace {

constexpr std::size_t kResetBytes = 34;
constexpr std::size_t kOrdinaryBytes = 1200;
constexpr std::uint32_t kMostProbes = 3;
constexpr std::size_t kLargestBytes = 4200;
constexpr std::size_t kRepairBytes = 12'000;
constexpr std::uint64_t kHeldEntries = 1024;
constexpr std::uint32_t kMostHeads = 5;
constexpr TimeMs kFirstHeadMs = 200;
constexpr std::uint64_t kHaveIntervalMs = 1000;

std::string name_of(const SealedSession& session) {
  return "member " + std::to_string(session.member);
}

}  // namespace

bool Audit::is_of_v2(const Outbox& out, const Outbox::SendGroup& group) {
  const auto trains = out.trains(group);
  if (trains.empty() || out.pieces(trains.front()).empty()) return false;
  const std::string_view first = out.message(trains.front(), 0);
  return first.size() > 1 && first[0] == '\0' && first[1] == '\2';
}

void Audit::check_sealed(const Outbox& out, const Outbox::SendGroup& group) {
  if (group.destination_count != 1) return world_.fail("two members get one seal");
  const Endpoint& to = out.destinations(group).front();
  // How large a bundle of its receiver may be is looked at with its seal.
  const std::size_t max_segment_bytes = group.kind == Outbox::Kind::kLargeBundle
                                            ? kBundleSizes.back()
                                            : world_.scenario.trains.max_segment_bytes;
  for (const Outbox::Train& train : out.trains(group)) {
    check_train(out, train, max_segment_bytes);
    for (std::uint32_t i = 0; i < train.message_count; ++i) {
      const std::string_view datagram = out.message(train, i);
      const bool is_bundle =
          group.kind == Outbox::Kind::kBundle || group.kind == Outbox::Kind::kLargeBundle;
      if (is_bundle) ++bundles_[shard_];
      is_probe_ = group.kind == Outbox::Kind::kProbe;
      if (datagram.size() == kResetBytes) {
        if (!model_.expectations().take_reset(to, datagram)) {
          return world_.fail("a reset to somebody who must not get one");
        }
        model_.on_answer(Counter::kResetsSent);
      } else {
        check_sealed(datagram, to);
      }
    }
  }
}

void Audit::check_sealed(std::string_view bytes, const Endpoint& to) {
  const auto datagram = v2::parse_datagram(bytes);
  SealedSession* const session = datagram ? model_.sessions().find(datagram->session) : nullptr;
  if (session == nullptr) return world_.fail("a datagram is sealed for nobody");
  if (datagram->packet_number != session->next_packet) {
    return world_.fail(name_of(*session) + " is sent packet " +
                       std::to_string(datagram->packet_number) + " in place of " +
                       std::to_string(session->next_packet));
  }
  const std::uint64_t epoch = PacketKey::epoch_of(session->next_packet++);
  if (session->to_client.epoch() < epoch) {
    world_.seen.saw(Sight::kServersNextKey);
    session->to_client = session->to_client.next();
  }
  plain_.resize(bytes.size());
  if (!open_datagram(session->cipher, session->to_client, *datagram, plain_.data())) {
    return world_.fail("what goes to " + name_of(*session) + " does not open");
  }
  const std::string_view plain(plain_.data(), bytes.size() - v2::kOverheadBytes);
  v2::ByteReader reader(plain);
  v2::ServerFrame frame;
  v2::ReadResult result = v2::ReadResult::kEnd;
  std::size_t frames = 0;
  has_told_head_ = false;
  probe_bytes_ = static_cast<std::uint32_t>(bytes.size());
  while ((result = v2::read_frame(reader, frame)) == v2::ReadResult::kFrame && world_.ok()) {
    ++frames;
    std::visit([&](const auto& one) { check_frame(*session, to, one); }, frame);
  }
  if (result != v2::ReadResult::kEnd || frames == 0) {
    return world_.fail("what goes to " + name_of(*session) + " cannot be read");
  }
  const bool is_repair = model_.sealed().asks(*session);
  if (is_repair && std::holds_alternative<v2::Log>(frame)) repair_bytes_ += bytes.size();
  if (repair_bytes_ > kRepairBytes + kLargestBytes) {
    world_.fail(name_of(*session) + " is sent too much for one question");
  }
  const auto* const log = std::get_if<v2::Log>(&frame);
  const bool is_one_entry = frames == 1 && log != nullptr && log->count == 1;
  std::size_t most_bytes = is_repair ? kOrdinaryBytes : session->mtu.proven_bytes;
  if (is_one_entry) most_bytes = std::max(most_bytes, kLargestBytes);
  if (is_probe_ ? bytes.size() != session->mtu.probe_bytes : bytes.size() > most_bytes) {
    world_.fail("a datagram of protocol v2 is too large");
  }
}

// --- Frames --------------------------------------------------------------------------------------

void Audit::check_frame(SealedSession& session, const Endpoint& to, const v2::Log& log) {
  v2::ByteReader reader(log.entries);
  v2::Entry entry;
  const bool is_repair = model_.sealed().asks(session);
  if (to != model_.where_is(session)) {
    return world_.fail("entries go where " + name_of(session) + " is not");
  }
  for (std::uint64_t i = 0; i < log.count; ++i) {
    const std::uint64_t number = log.first + i;
    if (!v2::read_entry(reader, entry)) return world_.fail("an entry is cut short");
    if (!session.log->is(number, LogEntry::of(entry))) {
      return world_.fail(name_of(session) + " is sent another entry " + std::to_string(number) +
                         " than everybody");
    }
  }
  world_.note(Step::kSendsLog, session.member, log.first, log.count);
  if (is_repair) {
    model_.expected(shard_, Counter::kEntriesRepaired) += log.count;
    if (!model_.sealed().take_repair(session, {log.first, log.first + log.count - 1})) {
      world_.fail(name_of(session) + " is sent again what it has not asked for");
    }
    return;
  }
  if (call_ != Call::kServes || log.first != session.cursor ||
      session.state == SealedSession::State::kOver) {
    return world_.fail(name_of(session) + " is sent entry " + std::to_string(log.first) +
                       ", and the next one for it is " + std::to_string(session.cursor));
  }
  model_.expected(shard_, Counter::kEntriesBundled) += log.count;
  session.cursor += log.count;
  session.heads = 0;
}

void Audit::check_frame(SealedSession& session, const Endpoint& to, const v2::Gap& gap) {
  const bool is_repair = model_.sealed().asks(session);
  const std::uint64_t count = gap.numbers.last - gap.numbers.first + 1;
  world_.seen.saw(is_repair ? Sight::kGapAskedFor : Sight::kGapUnasked);
  const bool is_roomy = world_.scenario.store_blocks == kMessageStoreBlocks;
  if (to != model_.where_is(session)) return world_.fail("a gap is told where nobody is");
  if (is_roomy && gap.numbers.last >= session.first_readable &&
      !session.log->may_be_gone(gap.numbers.last)) {
    return world_.fail("entry " + std::to_string(gap.numbers.last) + " is said to be gone for " +
                       name_of(session) + ", and the room should have kept it");
  }
  // What it has still to be sent is kept for it, however little the past.
  if (is_roomy && !is_repair && gap.numbers.last >= session.bound_at &&
      session.log->head() - gap.numbers.last <= kHeldEntries) {
    return world_.fail(name_of(session) + " has not been sent entry " +
                       std::to_string(gap.numbers.last) + ", and it is gone");
  }
  session.gaps.push_back(gap.numbers);
  if (is_repair) {
    if (!model_.sealed().take_repair(session, gap.numbers)) {
      world_.fail(name_of(session) + " is told of a gap that it has not asked for");
    }
    return;
  }
  if (call_ != Call::kServes || gap.numbers.first != session.cursor) {
    return world_.fail(name_of(session) + " is told of a gap at another place");
  }
  model_.expected(shard_, Counter::kEntriesLost) += count;
  session.cursor += count;
}

void Audit::check_frame(SealedSession& session, const Endpoint& to, const v2::Head& head) {
  ++model_.expected(shard_, Counter::kHeadsSent);
  has_told_head_ = true;
  const bool is_sound = head.oldest >= session.first_readable && head.oldest <= head.last + 1 &&
                        head.have_interval_ms == kHaveIntervalMs;
  if (!is_sound) return world_.fail(name_of(session) + " is told a log that is not so");
  if (model_.sealed().take(session, to, SealedExpectations::Head{head.last})) return;
  if (call_ == Call::kDeadline && to == model_.where_is(session) &&
      may_be_told_head(session, head)) {
    ++session.heads;
    return;
  }
  world_.fail(name_of(session) + " is told where the log ends, and has not asked");
}

// In a room that has been silent for so long, who has not said that it has everything.
bool Audit::may_be_told_head(const SealedSession& session, const v2::Head& head) const {
  return session.heads < kMostHeads && head.last == session.log->head() - 1 &&
         session.complete < head.last && session.cursor == session.log->head() &&
         now_ms_ >= session.log->last_entry_ms + (kFirstHeadMs << session.heads);
}

void Audit::check_frame(SealedSession& session, const Endpoint& to, const v2::Refused& refused) {
  const bool may_pass = refused.reason == v2::RefusalReason::kOverLimit;
  const std::uint64_t number = refused.client_number;
  if ((refused.retry_after_ms > 0) == may_pass) {
    if (model_.sealed().take(session, to, SealedExpectations::Refusal{number, refused.reason})) {
      if (session.unsure.erase(number) > 0) session.refused.insert(number);
      return;
    }
    if (may_pass && model_.on_not_stored(session, to, number)) {
      return world_.seen.saw(Sight::kNotStored);
    }
  }
  world_.fail(name_of(session) + " is refused something that it may say");
}

// HEAD stands before it, which says up to where.
void Audit::check_frame(SealedSession& session, const Endpoint& to, const v2::Taken& taken) {
  if (has_told_head_ &&
      model_.sealed().take(session, to, SealedExpectations::Taken{taken.client_number})) {
    session.unsure.erase(taken.client_number);
    return;
  }
  world_.fail(name_of(session) + " is told that something was taken, and has not asked");
}

void Audit::check_frame(SealedSession& session, const Endpoint& to, const v2::Closed& closed) {
  if (model_.sealed().take(session, to, SealedExpectations::Closing{closed.reason})) {
    session.state = SealedSession::State::kOver;
    return;
  }
  const bool is_end_of_room = session.state == SealedSession::State::kRoomEnded &&
                              closed.reason == v2::CloseReason::kRoomClosed &&
                              session.cursor >= session.log->certain_head() &&
                              to == model_.where_is(session);
  if (!is_end_of_room) {
    return world_.fail(name_of(session) + " is told that it is over, and it is not, or not yet");
  }
  session.state = SealedSession::State::kOver;
}

// The same question as before, if it is asked there again.
void Audit::check_frame(SealedSession& session, const Endpoint& to,
                        const v2::PathChallenge& challenge) {
  if (is_probe_) return check_probe(session, to, challenge);
  if (!model_.sealed().take(session, to, SealedExpectations::Challenge{})) {
    return world_.fail(name_of(session) + " is to prove an address without need");
  }
  has_challenged_ = true;
  if (!session.probe) return;
  if (session.probe->data && *session.probe->data != challenge.data) {
    world_.fail(name_of(session) + " is asked for another proof of the same address");
  }
  session.probe->data = challenge.data;
}

// Three for a size at most, where the member is, in the order of sizes or again the proven one.
void Audit::check_probe(SealedSession& session, const Endpoint& to,
                        const v2::PathChallenge& challenge) {
  SealedSession::Mtu& mtu = session.mtu;
  ++model_.expected(shard_, Counter::kMtuProbesSent);
  if (to != model_.where_is(session)) return world_.fail("a path is probed where nobody is");
  if (mtu.probes == 0 || mtu.mark != challenge.data) {
    mtu.mark = challenge.data;
    mtu.probes = 0;
    mtu.probe_bytes = probe_bytes_;
  }
  if (++mtu.probes > kMostProbes || mtu.probe_bytes != probe_bytes_) {
    return world_.fail(name_of(session) + " is probed too often");
  }
  const bool is_known_size = probe_bytes_ == 1452 || probe_bytes_ == 8952;
  if (!is_known_size || (probe_bytes_ == 8952 && mtu.proven_bytes < 1452)) {
    world_.fail("a path is probed with " + std::to_string(probe_bytes_) + " bytes");
  }
}

// --- State ---------------------------------------------------------------------------------------

// What the model cannot know before: when a room has its turn to be told of the drain, and whether
// a small store has had memory for an entry.
void Audit::sync_logs(const Relay& relay) {
  const auto head_of = [&](std::uint32_t number) -> std::uint64_t {
    const auto slot = relay.roster().find_room(world_.room_names[number]);
    return slot ? relay.roster().rooms()[*slot].log.head() : 0;
  };
  if (call_ == Call::kServes) {
    for (std::uint32_t i = 0; i < world_.room_names.size(); ++i) {
      const ModelRoom& room = model_.members().rooms[i];
      if (!room.will_log_the_drain || !room.exists || room.shard != shard_) continue;
      if (room.log && head_of(i) == room.log->head() + 1) model_.log_the_drain(i);
    }
  }
  for (const std::uint32_t number : model_.logged_rooms()) {
    const ModelRoom& room = model_.members().rooms[number];
    if (!room.exists || !room.log || head_of(number) == room.log->head()) continue;
    world_.fail("a room's log ends at " + std::to_string(head_of(number)) + ", and should at " +
                std::to_string(room.log->head()));
  }
}

void Audit::compare_log(const Room& room, const ModelRoom& wanted) {
  const std::uint64_t oldest = room.log.oldest();
  const bool is_roomy = world_.scenario.store_blocks == kMessageStoreBlocks;
  if (room.log.head() != wanted.log->head() || !room.log.keeps() ||
      room.next_member_id != wanted.next_member_id) {
    world_.fail("the log of room " + room.name + " is not as it should be");
  }
  if (is_roomy && oldest > 1 && !wanted.log->may_be_gone(oldest - 1)) {
    world_.fail("room " + room.name + " keeps less than it should");
  }
}

void Audit::compare_session(const Relay& relay, const Room& room, const Member& member,
                            const Membership& wanted) {
  const Session* const there = relay.roster().session_of(member);
  const SealedSession* const session = wanted.session;
  if (there == nullptr || session == nullptr || there->id != session->id ||
      there->next_packet != session->next_packet ||
      there->received.next() != session->received_end ||
      there->says.newest() != session->newest_say() || there->complete != session->complete ||
      there->first_readable != session->first_readable ||
      room.cursors[member.position] != session->cursor || member.id != wanted.id) {
    world_.fail("the session of member " + std::to_string(wanted.number) +
                " is not as it should be");
  }
}

}  // namespace chatd::sim
