#include "core/room/membership.h"

#include <span>
#include <utility>

#include "core/wire/v1/notice.h"

namespace chatd {
namespace {

constexpr std::uint32_t kNoticeBurstMs = 5000;
constexpr std::uint64_t kMaxExpiredPerCall = 256;

}  // namespace

Membership::Membership(const Limits& limits, Roster& roster, Dispatcher& dispatcher,
                       Counters& counters, QuotaReleases& quota_releases, RoomEvents& events,
                       TimeMs now_ms)
    : limits_(limits),
      roster_(roster),
      dispatcher_(dispatcher),
      counters_(counters),
      quota_releases_(quota_releases),
      events_(events),
      wheel_(limits.max_members, now_ms) {}

std::uint32_t Membership::open_room(Room room) {
  events_.add(RoomEvent::Kind::kOpened, room.name, room.creator, 0);
  const std::uint32_t slot = roster_.add_room(std::move(room)).value();
  dispatcher_.open_room(slot);
  counters_.add(Counter::kRoomsCreated);
  return slot;
}

// The notice comes first: what is in the log by then is not for the one who comes.
void Membership::admit(TimeMs now_ms, std::uint32_t room_slot, Member member,
                       const Endpoint& endpoint, std::unique_ptr<Session> session) {
  Room& room = roster_.rooms()[room_slot];
  member.id = room.next_member_id++;
  notify_room(now_ms, room_slot,
              {.kind = v2::EntryKind::kJoined, .member = member.id, .bytes = member.username},
              /*is_limited=*/true);
  member.last_heard_ms = now_ms;
  const bool is_v2 = session != nullptr;
  const std::uint32_t slot =
      roster_.add_member(room_slot, std::move(member), endpoint, std::move(session)).value();
  if (is_v2) dispatcher_.keep_entries(room_slot);
  wheel_.arm(slot, now_ms + limits_.idle_timeout_ms);
  counters_.add(Counter::kMembersJoined);
}

void Membership::take_seat(TimeMs now_ms, std::uint32_t slot, const IpAddress& peer,
                           const Endpoint& endpoint, Outbox& out) {
  Member& member = roster_.members()[slot];
  const Endpoint before = roster_.endpoint_of(member);
  if (before != endpoint) {
    // What was said before is for where the member was.
    if (before.port != 0) {
      dispatcher_.remove_reader(slot, disconnected_notice(member.username), out);
    }
    roster_.seat_member(slot, endpoint);
  } else if (before.via != endpoint.via) {
    roster_.speak_via(slot, endpoint.via);
  }
  member.tcp_peer = peer;
  member.last_heard_ms = now_ms;
  member.unreachable_count = 0;
  counters_.add(Counter::kMembersReturned);
}

// It begins again in all but its id: nothing of the old session counts.
void Membership::take_v2_seat(TimeMs now_ms, std::uint32_t slot, const IpAddress& peer,
                              std::unique_ptr<Session> session, Outbox& out) {
  Member& member = roster_.members()[slot];
  dispatcher_.remove_v2_reader(slot, v2::closed_because(v2::CloseReason::kMoved), out);
  roster_.seat_v2_member(slot, std::move(session));
  member.tcp_peer = peer;
  member.last_heard_ms = now_ms;
  member.unreachable_count = 0;
  counters_.add(Counter::kMembersReturned);
}

void Membership::leave(TimeMs now_ms, std::uint32_t member, Outbox& out) {
  counters_.add(Counter::kMembersLeft);
  remove(now_ms, member, v2::CloseReason::kLeft, out);
}

void Membership::kick(TimeMs now_ms, std::uint32_t member, Outbox& out) {
  counters_.add(Counter::kMembersKicked);
  remove(now_ms, member, v2::CloseReason::kRemoved, out);
}

void Membership::ban(TimeMs now_ms, std::uint32_t member, std::string_view text, Outbox& out) {
  counters_.add(Counter::kMembersBanned);
  remove(now_ms, member, disconnected_notice(roster_.members()[member].username, text),
         {.reason = v2::CloseReason::kRemoved, .text = text}, out);
}

void Membership::remove_refusing(TimeMs now_ms, std::uint32_t member, Outbox& out) {
  counters_.add(Counter::kMembersRefused);
  remove(now_ms, member, v2::CloseReason::kRemoved, out);
}

// So many at a time: a member's end costs a microsecond or two, and a million may be due at once.
void Membership::expire(TimeMs now_ms, Outbox& out) {
  const std::uint64_t before = roster_.members().size();
  while (!out.is_full() && before - roster_.members().size() < kMaxExpiredPerCall) {
    const auto slot = wheel_.pop_expired(now_ms);
    if (!slot) return;
    const Member& member = roster_.members()[*slot];
    const TimeMs deadline_ms = member.last_heard_ms + limits_.idle_timeout_ms;
    if (deadline_ms > now_ms) {  // it was heard since the timer was armed
      wheel_.arm(*slot, deadline_ms);
      continue;
    }
    counters_.add(Counter::kMembersTimedOut);
    remove(now_ms, *slot, v2::CloseReason::kSilent, out);
  }
}

void Membership::rearm_all() {
  for (std::uint32_t slot = 0; slot < roster_.members().slot_end(); ++slot) {
    const Member* const member = roster_.members().find(slot);
    if (member != nullptr) wheel_.arm(slot, member->last_heard_ms + limits_.idle_timeout_ms);
  }
}

void Membership::forgive_all() {
  for (std::uint32_t slot = 0; slot < roster_.members().slot_end(); ++slot) {
    Member* const member = roster_.members().find(slot);
    if (member != nullptr) member->rate_limiter = {};
  }
}

bool Membership::disconnect_all(Outbox& out) {
  while (roster_.newest_room() != kNoSlot) close_room(roster_.newest_room());
  return dispatcher_.serve_leavers(out);
}

// Whoever has said goodbye is told nothing by protocol v1.
void Membership::remove(TimeMs now_ms, std::uint32_t slot, v2::CloseReason reason, Outbox& out) {
  const bool is_told = reason != v2::CloseReason::kLeft;
  remove(now_ms, slot, is_told ? disconnected_notice(roster_.members()[slot].username) : "",
         v2::closed_because(reason), out);
}

// Takes a member out of its room, and tells the others. With the host goes the room, so the last
// member is always the host; that it goes happens once, and is told whatever else was.
void Membership::remove(TimeMs now_ms, std::uint32_t slot, std::string farewell,
                        const v2::Closed& closed, Outbox& out) {
  const Member& member = roster_.members()[slot];
  const std::uint32_t room = member.room;
  const std::string username = member.username;
  const v2::MemberId id = member.id;
  const bool was_host = roster_.rooms()[room].host == slot;
  if (roster_.session_of(member) != nullptr) {
    dispatcher_.remove_v2_reader(slot, closed, out);
  } else {
    dispatcher_.remove_reader(slot, std::move(farewell), out);
  }
  wheel_.disarm(slot);
  roster_.remove_member(slot);
  notify_room(now_ms, room, {.kind = v2::EntryKind::kLeft, .member = id, .bytes = username},
              !was_host);
  if (was_host) close_room(room);
}

void Membership::close_room(std::uint32_t slot) {
  const Room& room = roster_.rooms()[slot];
  events_.add(RoomEvent::Kind::kClosed, room.name, room.creator, room.members.size());
  for (const std::uint32_t member : room.members) wheel_.disarm(member);
  counters_.add(Counter::kMembersDisconnected, room.members.size());
  quota_releases_.give_back(room.creator);
  dispatcher_.close_room(slot);
  counters_.add(Counter::kRoomsClosed);
}

// Tells everybody who is there that somebody else has come or gone. With protocol v1, an arrival in
// a large room would cost a message to each, and a storm of arrivals members² of them; in a small
// one somebody who comes and goes all the time would keep everybody busy. So they are not told
// then. With protocol v2 it is an entry of a few bytes in a bundle, and the roster depends on it.
void Membership::notify_room(TimeMs now_ms, std::uint32_t slot, const v2::Entry& entry,
                             bool is_limited) {
  Room& room = roster_.rooms()[slot];
  // Who went before may still have to get what this one has said, and finds its name here.
  if (room.members.empty() && room.leavers.is_empty()) return;
  bool is_for_v1 = room.members.size() < limits_.max_notified_members;
  const TokenRate rate{.units = limits_.abuse.max_room_notices_per_s, .burst_ms = kNoticeBurstMs};
  if (is_for_v1 && is_limited && !room.notices.take(now_ms, rate)) {
    counters_.add(Counter::kNoticesOverLimit);
    is_for_v1 = false;
  }
  dispatcher_.notify(now_ms, slot, entry, is_for_v1);
}

}  // namespace chatd
