#include "core/relay/membership.h"

#include <span>
#include <utility>

#include "core/wire/notice.h"

namespace chatd {
namespace {

constexpr std::uint32_t kNoticeBurstMs = 5000;

}  // namespace

Membership::Membership(const Limits& limits, Roster& roster, FanOut& fan_out, Counters& counters,
                       RoomReturns& returns, RoomEvents& events, TimeMs now_ms)
    : limits_(limits),
      roster_(roster),
      fan_out_(fan_out),
      counters_(counters),
      returns_(returns),
      events_(events),
      wheel_(limits.max_members, now_ms) {}

std::uint32_t Membership::open_room(Room room) {
  events_.add(RoomEvent::Kind::kOpened, room.name, room.creator, 0);
  const std::uint32_t slot = roster_.add_room(std::move(room)).value();
  counters_.add(Counter::kRoomsCreated);
  return slot;
}

std::uint32_t Membership::admit(TimeMs now_ms, std::uint32_t room, Member member,
                                const Endpoint& endpoint, Outbox& out) {
  fan_out_.settle(room, out);
  member.last_heard_ms = now_ms;
  const std::uint32_t slot = roster_.add_member(room, std::move(member), endpoint).value();
  wheel_.arm(slot, now_ms + limits_.idle_timeout_ms);
  counters_.add(Counter::kMembersJoined);
  tell_others(now_ms, slot, joined_notice(roster_.members()[slot].username), out);
  return slot;
}

void Membership::take_seat(TimeMs now_ms, std::uint32_t slot, const IpAddress& peer,
                           const Endpoint& endpoint, Outbox& out) {
  Member& member = roster_.members()[slot];
  fan_out_.settle(member.room, out);  // what was said before went to where the member was
  const Endpoint before = roster_.endpoint_of(member);
  if (before != endpoint) {
    if (before.port != 0) tell_member(slot, disconnected_notice(member.username), out);
    roster_.bind_member(slot, endpoint);
  } else if (before.via != endpoint.via) {
    roster_.speak_via(slot, endpoint.via);
  }
  member.tcp_peer = peer;
  member.last_heard_ms = now_ms;
  member.consecutive_refusals = 0;
  counters_.add(Counter::kMembersReturned);
}

void Membership::leave(TimeMs now_ms, std::uint32_t member, Outbox& out) {
  counters_.add(Counter::kMembersLeft);
  remove(now_ms, member, out);
}

void Membership::kick(TimeMs now_ms, std::uint32_t member, Outbox& out) {
  counters_.add(Counter::kMembersKicked);
  remove_with_word(now_ms, member, out);
}

void Membership::remove_refusing(TimeMs now_ms, std::uint32_t member, Outbox& out) {
  counters_.add(Counter::kMembersRefused);
  remove_with_word(now_ms, member, out);
}

void Membership::expire(TimeMs now_ms, Outbox& out) {
  while (!out.is_full()) {
    const auto slot = wheel_.pop_expired(now_ms);
    if (!slot) return;
    const Member& member = roster_.members()[*slot];
    const TimeMs deadline_ms = member.last_heard_ms + limits_.idle_timeout_ms;
    if (deadline_ms > now_ms) {  // it was heard since the timer was armed
      wheel_.arm(*slot, deadline_ms);
      continue;
    }
    counters_.add(Counter::kMembersTimedOut);
    remove_with_word(now_ms, *slot, out);
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
    if (member != nullptr) member->allowance = {};
  }
}

bool Membership::disconnect_all(Outbox& out) {
  while (roster_.newest_room() != kNoSlot) {
    if (out.is_full()) return false;
    close_room(roster_.newest_room(), out);
  }
  return true;
}

// What was said before the end is heard before the farewell.
void Membership::remove_with_word(TimeMs now_ms, std::uint32_t member, Outbox& out) {
  fan_out_.settle(roster_.members()[member].room, out);
  tell_member(member, disconnected_notice(roster_.members()[member].username), out);
  remove(now_ms, member, out);
}

// Takes a member out of its room. With the host goes the room, so the last member is always the
// host.
void Membership::remove(TimeMs now_ms, std::uint32_t slot, Outbox& out) {
  const Member& member = roster_.members()[slot];
  const std::uint32_t room = member.room;
  fan_out_.settle(room, out);
  tell_others(now_ms, slot, left_notice(member.username), out);
  const bool was_host = roster_.rooms()[room].host == slot;
  forget(slot);
  if (was_host) close_room(room, out);
}

void Membership::close_room(std::uint32_t slot, Outbox& out) {
  fan_out_.settle(slot, out);
  Room& room = roster_.rooms()[slot];
  events_.add(RoomEvent::Kind::kClosed, room.name, room.creator, room.members.size());
  while (!room.members.empty()) disconnect(room.members.back(), out);
  returns_.give_back(room.creator);
  roster_.remove_room(slot);
  counters_.add(Counter::kRoomsClosed);
}

void Membership::disconnect(std::uint32_t member, Outbox& out) {
  counters_.add(Counter::kMembersDisconnected);
  tell_member(member, disconnected_notice(roster_.members()[member].username), out);
  forget(member);
}

void Membership::forget(std::uint32_t member) {
  wheel_.disarm(member);
  roster_.remove_member(member);
}

void Membership::tell_member(std::uint32_t member, std::string_view payload, Outbox& out) {
  const Endpoint& endpoint = roster_.endpoint_of(roster_.members()[member]);
  if (endpoint.port == 0) {
    counters_.add(Counter::kNoticesDropped);
    return;
  }
  out.open_copy(Outbox::Kind::kNotice, payload);
  out.add(endpoint);
}

// In a large room an arrival would cost a message to each, and a storm of arrivals members² of
// them. In a small one somebody who comes and goes all the time would keep everybody busy; that the
// host goes happens once.
void Membership::tell_others(TimeMs now_ms, std::uint32_t slot, std::string_view payload,
                             Outbox& out) {
  const Member& member = roster_.members()[slot];
  Room& room = roster_.room_of(member);
  if (room.members.size() < 2 || room.members.size() > limits_.max_notified_members) return;
  const TokenRate rate{.units = limits_.abuse.max_room_notices_per_s, .burst_ms = kNoticeBurstMs};
  if (room.host != slot && !room.notices.take(now_ms, rate)) {
    return counters_.add(Counter::kNoticesOverLimit);
  }
  out.open_copy(Outbox::Kind::kNotice, payload);
  counters_.add(Counter::kNoticesDropped, FanOut::add_others(room, member.position, out));
}

}  // namespace chatd
