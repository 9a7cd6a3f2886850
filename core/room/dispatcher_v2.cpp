// Members with protocol v2: bundles as the log grows, what one of them has missed, and where the
// log ends.
//
// Each has a cursor, as members with protocol v1 have; but what it misses is not lost, as long as
// the room keeps it. So nothing waits for these members: whoever has fallen too far behind is told
// what is gone. And nothing has to be remembered of what they ask for: HAVE says all of it, is
// answered at once and within bounds, and comes again until everything is there.
#include <algorithm>

#include "core/room/dispatcher.h"

namespace chatd {
namespace {

// What is sent again for one HAVE: as much as an unknown path is given at first, ten datagrams (RFC
// 6928).
constexpr std::uint32_t kMaxBytesPerHave = 10 * v2::kMaxBundleBytes;

// When a member cannot be told yet, for it has still to get something, or the outbox is full.
constexpr TimeMs kRetryMs = 20;

// Each arrival is an entry for everybody who is there, so a storm of them costs members² entries to
// be delivered. In a room of at least so many members those wait for more of their kind; the more
// members, the longer, so that a room of any size costs at most so many datagrams a second.
constexpr std::uint32_t kManyMembers = 128;
constexpr std::uint32_t kHeldDatagramsPerMs = 16;

// How long after the first members those at this position are told where the log ends. In a large
// room all at once would be too much for who has many of them on one host: they go out in groups,
// which take no longer than `delay_ms` together.
TimeMs head_spread_ms(const Room& room, std::uint32_t position, TimeMs delay_ms) {
  constexpr std::uint32_t kGroup = 16;
  const TimeMs groups = (room.size() - room.first_v2 + kGroup - 1) / kGroup;
  const TimeMs group = (position - room.first_v2) / kGroup;
  return std::min(group * kRetryMs, group * delay_ms / groups);
}

// In whole seconds, as members are told.
std::uint32_t interval_s(const Room& room) {
  return room.have_pace.interval_ms() / 1000;
}

// For so many HAVEs that miss nothing a path counts as one that loses: in a large room, where it
// matters, for a minute.
constexpr std::uint8_t kLossesRemembered = 3;

}  // namespace

void Dispatcher::keep_entries(std::uint32_t slot) {
  roster_.rooms()[slot].log.set_keep_limits(
      store_,
      {.entries = limits_.history_entries,
       .blocks = static_cast<std::uint32_t>(limits_.history_bytes / MessageStore::kBlockBytes)});
}

void Dispatcher::keep_entries_anew() {
  for (std::uint32_t slot = roster_.oldest_room(); slot != kNoSlot;) {
    const Room& room = roster_.rooms()[slot];
    if (room.log.keeps() || room.has_v2() || room.history_entries > 0) keep_entries(slot);
    slot = room.newer;
  }
}

void Dispatcher::bind_v2(std::uint32_t slot, const Endpoint& endpoint) {
  const std::uint32_t room = roster_.members()[slot].room;
  const bool was_waiting = roster_.rooms()[room].is_waiting();
  const Member& member = roster_.members()[slot];
  const bool is_other_path = roster_.endpoint_of(member).ip != endpoint.ip;
  if (is_other_path) roster_.v2_session_of(member).mtu = {};
  roster_.bind_member(slot, endpoint);
  hold_for_v2(roster_.rooms()[room]);
  update_turn(room, was_waiting);
}

void Dispatcher::remove_v2_reader(std::uint32_t slot, const v2::Closed& closed, Outbox& out) {
  const Member& member = roster_.members()[slot];
  Room& room = roster_.rooms()[member.room];
  const std::uint32_t position = member.position;
  if (!room.is_bound(position)) return;
  frame_sender().send_frame(Outbox::Kind::kNotice, closed, *room.sessions[position],
                            room.endpoints[position], out);
  if (room.cursors[position] == room.log.head()) return;
  const bool was_waiting = room.is_waiting();
  --room.v2_behind;
  hold_for_v2(room);
  update_turn(member.room, was_waiting);
}

// What has just come into the log is that somebody has come or gone, and nothing else waits.
// Members with protocol v1, where there are any, wait for nothing.
void Dispatcher::hold_turn(TimeMs now_ms, std::uint32_t slot) {
  Room& room = roster_.rooms()[slot];
  if (room.first_v2 > 0 || room.v2_readers() < kManyMembers) return;
  room.is_held = true;
  const TimeMs hold_ms = std::min(room.v2_readers() / kHeldDatagramsPerMs, kFirstHeadDelayMs);
  silence_.arm_by(slot, now_ms + hold_ms);
}

void Dispatcher::release_turn(std::uint32_t slot) {
  const bool was_waiting = roster_.rooms()[slot].is_waiting();
  roster_.rooms()[slot].is_held = false;
  update_turn(slot, was_waiting);
}

// --- As the log grows ----------------------------------------------------------------------------

// Those who are next, as many as a turn's work allows.
std::uint64_t Dispatcher::serve_v2(Room& room, std::uint64_t max_work, Outbox& out) {
  std::uint64_t work = 0;
  forget_bundles();
  probes_left_ = kMaxProbesPerTurn;
  while (room.v2_behind > 0 && work < max_work && !out.is_full()) {
    const std::uint32_t position = next_v2_behind(room);
    work += serve_v2_member(room, position, out);
    room.next_v2_position = position + 1;
  }
  hold_for_v2(room);
  return work;
}

// There must be one.
std::uint32_t Dispatcher::next_v2_behind(const Room& room) {
  std::uint32_t position = room.next_v2_position;
  for (;;) {
    if (position < room.first_v2 || position >= room.size()) position = room.first_v2;
    if (room.is_bound(position) && room.cursors[position] < room.log.head()) return position;
    ++position;
  }
}

// The next group for one. Its neighbours mostly stand at the same entry, and get the same.
std::uint64_t Dispatcher::serve_v2_member(Room& room, std::uint32_t position, Outbox& out) {
  std::uint64_t work = 0;
  std::uint64_t& cursor = room.cursors[position];
  if (cursor < room.log.oldest()) {
    counters_.add(Counter::kEntriesLost, room.log.oldest() - cursor);
    send_gap(room, position, {.first = cursor, .last = room.log.oldest() - 1}, out);
    cursor = room.log.oldest();
    work += Outbox::kWorkPerTrain;
  }
  if (cursor < room.log.head()) {
    Session& session = *room.sessions[position];
    Bundles& bundles = bundles_[session.mtu.proven()];
    BundleSender& sender = bundles.sender;
    if (bundles.number != cursor || bundles.head != room.log.head()) {
      sender.prepare(room.log, cursor, room.log.head());
      bundles.number = cursor;
      bundles.head = room.log.head();
      work += kWorkPerPlan + sender.size();
    }
    sender.send(session, room.endpoints[position], out);
    session.heads_sent = 0;
    counters_.add(Counter::kEntriesBundled, sender.size());
    room.have_pace.count(sender.bundle_count());
    cursor += sender.size();
    work += sender.work_per_member();
    if (sender.bundle_count() > 1) work += probe_larger(room, position, out);
  }
  if (cursor == room.log.head()) --room.v2_behind;
  return work;
}

void Dispatcher::forget_bundles() {
  for (Bundles& bundles : bundles_) bundles.number = 0;
}

void Dispatcher::send_gap(Room& room, std::uint32_t position, v2::Range numbers, Outbox& out) {
  frame_sender().send_frame(Outbox::Kind::kBundle,
                            v2::Gap{.log_epoch = kFirstLogEpoch, .numbers = numbers},
                            *room.sessions[position], room.endpoints[position], out);
}

// --- How large a bundle may be -------------------------------------------------------------------

std::uint8_t Dispatcher::largest_bundle_to(const Endpoint& endpoint) const {
  return endpoint.ip.is_v4() ? kBundleSizes.size() - 1 : largest_v6_;
}

// It gets more than one bundle at a time. Returns the work.
std::uint64_t Dispatcher::probe_larger(Room& room, std::uint32_t position, Outbox& out) {
  if (probes_left_ == 0) return 0;
  Session& session = *room.sessions[position];
  const std::uint8_t largest = largest_bundle_to(room.endpoints[position]);
  const auto size =
      session.mtu.on_many_bundles(room.last_entry_at_ms, largest, session.next_packet);
  if (!size) return 0;
  --probes_left_;
  send_probe(room, position, *size, out);
  return Outbox::kWorkPerTrain;
}

void Dispatcher::probe_again(TimeMs now_ms, Room& room, std::uint32_t position, Outbox& out) {
  Session& session = *room.sessions[position];
  const auto size = session.mtu.on_loss(now_ms, session.next_packet);
  if (size) send_probe(room, position, *size, out);
}

void Dispatcher::send_probe(Room& room, std::uint32_t position, std::uint8_t size, Outbox& out) {
  Session& session = *room.sessions[position];
  counters_.add(Counter::kMtuProbesSent);
  frame_sender().send_probe({session.mtu.mark()}, kBundleSizes[size], session,
                            room.endpoints[position], out);
}

bool Dispatcher::take_probe_response(std::uint32_t slot, const v2::PathResponse& response) {
  if (!roster_.v2_session_of(roster_.members()[slot]).mtu.on_response(response.data)) return false;
  counters_.add(Counter::kMtuProbesAnswered);
  return true;
}

// --- What somebody has, and misses ---------------------------------------------------------------

bool Dispatcher::take_have(TimeMs now_ms, std::uint32_t slot, const v2::Have& have) {
  const Member& member = roster_.members()[slot];
  Room& room = roster_.rooms()[member.room];
  const std::uint64_t last = room.log.head() - 1;
  if (have.log_epoch != kFirstLogEpoch || have.complete > last ||
      (have.range_count > 0 && have.has().back().last > last)) {
    return false;
  }
  Session& session = *room.sessions[member.position];
  session.complete = std::max(session.complete, have.complete);
  if (have.wanted == 0 && session.losses > 0) --session.losses;
  room.have_pace.adapt(now_ms, room.v2_readers());
  return true;
}

bool Dispatcher::has_new_have_interval(std::uint32_t slot) const {
  const Member& member = roster_.members()[slot];
  const Room& room = roster_.rooms()[member.room];
  const std::uint32_t told_s = room.sessions[member.position]->have_interval_s;
  const std::uint32_t now_s = interval_s(room);
  return 2 * now_s > 3 * told_s || 2 * told_s > 3 * now_s;
}

// The gaps in what it has, up to what it wants, and up to its cursor: what lies behind that is
// still to come.
void Dispatcher::send_missing(TimeMs now_ms, std::uint32_t slot, const v2::Have& have,
                              Outbox& out) {
  const Member& member = roster_.members()[slot];
  Room& room = roster_.rooms()[member.room];
  const std::uint64_t end = std::min(have.wanted + 1, room.cursors[member.position]);
  std::uint64_t first = have.complete + 1;
  std::uint32_t left_bytes = kMaxBytesPerHave;
  for (std::size_t i = 0; i <= have.range_count && first < end && left_bytes > 0; ++i) {
    const bool is_last = i == have.range_count;
    const std::uint64_t gap_end = is_last ? end : std::min(end, have.ranges[i].first);
    if (first < gap_end) {
      left_bytes -=
          send_range(room, member.position, {.first = first, .last = gap_end - 1}, left_bytes, out);
    }
    if (!is_last) first = have.ranges[i].last + 1;
  }
  if (left_bytes < kMaxBytesPerHave) probe_again(now_ms, room, member.position, out);
}

// In bundles that every path takes: what is missed may have been too large for this one. At most so
// many bytes, or one datagram more; returns how many, at most `max_bytes`.
std::uint32_t Dispatcher::send_range(Room& room, std::uint32_t position, v2::Range range,
                                     std::uint32_t max_bytes, Outbox& out) {
  Session& session = *room.sessions[position];
  const std::uint64_t oldest = std::max(room.log.oldest(), session.first_readable);
  if (range.first < oldest) {
    send_gap(room, position, {.first = range.first, .last = std::min(range.last, oldest - 1)}, out);
    range.first = oldest;
  }
  session.losses = kLossesRemembered;
  BundleSender& sender = bundles_.front().sender;
  std::uint32_t sent_bytes = 0;
  while (range.first <= range.last && sent_bytes < max_bytes && !out.is_full()) {
    sender.prepare(room.log, range.first, range.last + 1, max_bytes - sent_bytes);
    sender.send(session, room.endpoints[position], out);
    counters_.add(Counter::kEntriesRepaired, sender.size());
    sent_bytes += sender.size_bytes();
    range.first += sender.size();
  }
  return std::min(sent_bytes, max_bytes);
}

// --- Where the log ends --------------------------------------------------------------------------

v2::Head Dispatcher::head_for(std::uint32_t slot) const {
  const Member& member = roster_.members()[slot];
  const Room& room = roster_.rooms()[member.room];
  return {.log_epoch = kFirstLogEpoch,
          .last = room.log.head() - 1,
          .oldest = std::max(room.log.oldest(), room.sessions[member.position]->first_readable),
          .have_interval_ms = std::uint64_t{interval_s(room)} * 1000};
}

v2::Head Dispatcher::tell_head(std::uint32_t slot) {
  counters_.add(Counter::kHeadsSent);
  const Member& member = roster_.members()[slot];
  const Room& room = roster_.rooms()[member.room];
  room.sessions[member.position]->have_interval_s = static_cast<std::uint8_t>(interval_s(room));
  return head_for(slot);
}

void Dispatcher::send_head(std::uint32_t slot, Outbox& out) {
  const v2::Head head = tell_head(slot);
  const Member& member = roster_.members()[slot];
  Room& room = roster_.rooms()[member.room];
  frame_sender().send_frame(Outbox::Kind::kNotice, head, *room.sessions[member.position],
                            room.endpoints[member.position], out);
}

void Dispatcher::send_frames(std::uint32_t slot, std::string_view frames, Outbox& out) {
  const Member& member = roster_.members()[slot];
  Room& room = roster_.rooms()[member.room];
  frame_sender().send_frames(Outbox::Kind::kAnswer, frames, *room.sessions[member.position],
                             room.endpoints[member.position], out);
}

void Dispatcher::send_heads(TimeMs now_ms, Outbox& out) {
  while (!out.is_full()) {
    const auto slot = silence_.pop_expired(now_ms);
    if (!slot) return;
    send_heads_of(now_ms, *slot, out);
  }
}

// Where members put off HAVE for long, most have everything and say so much later.
std::uint32_t Dispatcher::max_heads(const Room& room, const Session& session) {
  return room.have_pace.is_long() && session.losses == 0 ? kFewHeads : kMaxHeads;
}

// To each the first after so long a silence, the second after twice as long, and so on. The last
// entry may have come later than `now_ms`: deadlines wait for what has come before them.
void Dispatcher::send_heads_of(TimeMs now_ms, std::uint32_t slot, Outbox& out) {
  release_turn(slot);
  Room& room = roster_.rooms()[slot];
  const std::uint64_t last = room.log.head() - 1;
  std::optional<TimeMs> next_ms;
  for (std::uint32_t i = room.first_v2; i < room.size(); ++i) {
    Session& session = *room.sessions[i];
    if (!room.is_bound(i) || session.complete >= last) continue;
    if (session.heads_sent >= max_heads(room, session)) continue;
    const auto due_at_ms = [&] {
      const TimeMs delay_ms = TimeMs{kFirstHeadDelayMs} << session.heads_sent;
      return room.last_entry_at_ms + delay_ms + head_spread_ms(room, i, delay_ms);
    };
    TimeMs due_ms = due_at_ms();
    if (due_ms <= now_ms && room.cursors[i] == room.log.head() && !out.is_full()) {
      ++session.heads_sent;
      send_head(room.members[i], out);
      if (session.heads_sent == max_heads(room, session)) continue;
      due_ms = due_at_ms();
    }
    next_ms = earliest(next_ms, std::max(due_ms, now_ms + kRetryMs));
  }
  if (next_ms) silence_.arm(slot, *next_ms);
}

}  // namespace chatd
