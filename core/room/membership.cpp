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
void Membership::admit(TimeMs now_ms, std::uint32_t room, Member member, const Endpoint& endpoint) {
  notify_room(now_ms, room, joined_notice(member.username), /*is_limited=*/true);
  member.last_heard_ms = now_ms;
  const std::uint32_t slot = roster_.add_member(room, std::move(member), endpoint).value();
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

void Membership::leave(TimeMs now_ms, std::uint32_t member, Outbox& out) {
  counters_.add(Counter::kMembersLeft);
  remove(now_ms, member, {}, out);
}

void Membership::kick(TimeMs now_ms, std::uint32_t member, Outbox& out) {
  counters_.add(Counter::kMembersKicked);
  notify_and_remove(now_ms, member, out);
}

void Membership::remove_refusing(TimeMs now_ms, std::uint32_t member, Outbox& out) {
  counters_.add(Counter::kMembersRefused);
  notify_and_remove(now_ms, member, out);
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
    notify_and_remove(now_ms, *slot, out);
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

void Membership::notify_and_remove(TimeMs now_ms, std::uint32_t member, Outbox& out) {
  remove(now_ms, member, disconnected_notice(roster_.members()[member].username), out);
}

// Takes a member out of its room, and tells the others. With the host goes the room, so the last
// member is always the host; that it goes happens once, and is told whatever else was.
void Membership::remove(TimeMs now_ms, std::uint32_t slot, std::string farewell, Outbox& out) {
  const std::uint32_t room = roster_.members()[slot].room;
  const std::string notice = left_notice(roster_.members()[slot].username);
  const bool was_host = roster_.rooms()[room].host == slot;
  dispatcher_.remove_reader(slot, std::move(farewell), out);
  wheel_.disarm(slot);
  roster_.remove_member(slot);
  notify_room(now_ms, room, notice, !was_host);
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

// Tells everybody who is there that somebody else has come or gone. In a large room an arrival
// would cost a message to each, and a storm of arrivals members² of them. In a small one somebody
// who comes and goes all the time would keep everybody busy.
void Membership::notify_room(TimeMs now_ms, std::uint32_t slot, std::string_view payload,
                             bool is_limited) {
  Room& room = roster_.rooms()[slot];
  if (room.members.empty() || room.members.size() >= limits_.max_notified_members) return;
  const TokenRate rate{.units = limits_.abuse.max_room_notices_per_s, .burst_ms = kNoticeBurstMs};
  if (is_limited && !room.notices.take(now_ms, rate)) {
    return counters_.add(Counter::kNoticesOverLimit);
  }
  dispatcher_.notify(slot, payload);
}

}  // namespace chatd
