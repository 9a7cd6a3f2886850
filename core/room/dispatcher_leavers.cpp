// Members that have gone, and rooms that have ended: what they have still to get, and their
// farewell.
#include <algorithm>
#include <utility>

#include "core/base/limits.h"
#include "core/room/dispatcher.h"
#include "core/wire/v1/notice.h"

namespace chatd {
namespace {

constexpr std::uint32_t kWorkPerFarewell = Outbox::kWorkPerTrain + 1;

// Leavers that a room keeps: each entry that gives way asks all of them whether they miss it.
constexpr std::uint32_t kMaxLeavers = 1'024;

}  // namespace

void Dispatcher::remove_reader(std::uint32_t slot, std::string farewell, Outbox& out) {
  const Member& member = roster_.members()[slot];
  Room& room = roster_.rooms()[member.room];
  const Endpoint& endpoint = room.endpoints[member.position];
  const std::uint64_t cursor = room.log.position(room.cursors[member.position]);
  if (endpoint.port != 0 && cursor < room.log.head()) {
    if (room.leavers.size() == kMaxLeavers) drop_first_leaver(room, out);
    room.leavers.push({.member = slot,
                       .endpoint = endpoint,
                       .cursor = cursor,
                       .end = room.log.head(),
                       .farewell = std::move(farewell)});
    ++leavers_;
    return;
  }
  if (endpoint.port != 0) room.log.remove_reader(store_, cursor);
  if (!farewell.empty()) send_farewell(endpoint, farewell, out);
}

// The one that has waited longest does not get the rest, but is told at once that it is out.
void Dispatcher::drop_first_leaver(Room& room, Outbox& out) {
  const Leaver& leaver = room.leavers.front();
  for (std::uint64_t number = room.log.position(leaver.cursor); number < leaver.end; ++number) {
    const std::uint32_t entry = room.log.entry(store_, number);
    const std::uint32_t sender = store_.sender(entry);
    const bool is_for_it = sender != leaver.member && store_.is_for_v1(entry);
    if (is_for_it) count_lost(sender, 1, Counter::kDroppedQueueFull);
  }
  send_farewell(room, out);
}

// To the leaver that is first; then it is gone.
void Dispatcher::send_farewell(Room& room, Outbox& out) {
  const Leaver& leaver = room.leavers.front();
  if (!leaver.farewell.empty()) send_farewell(leaver.endpoint, leaver.farewell, out);
  room.log.remove_reader(store_, room.log.position(leaver.cursor));
  room.leavers.pop();
  --leavers_;
}

void Dispatcher::close_room(std::uint32_t slot) {
  Room& room = roster_.rooms()[slot];
  if (room.is_waiting()) turns_.dequeue(slot);
  room.is_held = false;
  silence_.disarm(slot);
  history_.remove(slot);
  turns_.close_room(slot);
}

// A room without leavers has its turn without any work.
bool Dispatcher::serve_leavers(Outbox& out) {
  while (owes_farewells()) {
    if (out.is_full()) return false;
    const TurnOrder::Turn turn = turns_.next();
    if (turn.closed != nullptr) {
      serve_closed_room(*turn.closed, out);
      continue;
    }
    Room& room = roster_.rooms()[turn.room];
    serve_leavers_of(room, nullptr, kMaxTurnWork, out);
    turns_.end_turn(kMaxTurnWork, room.is_waiting());
  }
  return true;
}

std::uint64_t Dispatcher::serve_leavers_of(Room& room, Closed closed, std::uint64_t max_work,
                                           Outbox& out) {
  std::uint64_t work = 0;
  while (!room.leavers.is_empty() && work < max_work && !out.is_full()) {
    work += serve_leaver(room, closed, out);
  }
  return work;
}

// A group for the one that has gone first, and its farewell when it has got everything, or when the
// rest has given way.
std::uint64_t Dispatcher::serve_leaver(Room& room, Closed closed, Outbox& out) {
  Leaver& leaver = room.leavers.front();
  const std::uint64_t number = room.log.position(leaver.cursor);
  std::uint64_t work = kWorkPerPlan;
  if (number < leaver.end) {
    const auto name = [&](std::uint32_t entry) { return name_of(room, entry, closed); };
    group_.prepare(room.log, number, leaver.end, name, out);
    group_.send(group_.messages_of(leaver.member), leaver.endpoint, out);
    leaver.cursor = number + group_.entry_count();
    room.log.advance(store_, number, leaver.cursor, 1);
    work += group_.entry_count() + group_.work_per_member();
  }
  if (room.log.position(leaver.cursor) >= leaver.end) send_farewell(room, out);
  return work;
}

void Dispatcher::serve_closed_room(ClosedRoom& closed, Outbox& out) {
  Room& room = closed.room;
  std::uint64_t work = serve_entries(room, &closed, out);
  if (!room.is_waiting())
    work += send_farewells(closed, kMaxTurnWork - std::min<std::uint64_t>(work, kMaxTurnWork), out);
  const bool has_more = room.is_waiting() || closed.told < closed.usernames.size();
  if (!has_more) room.log.set_keep_limits(store_, {});  // its memory goes back to the store
  turns_.end_turn(work, has_more);
}

// To those in a room that has ended and who got everything else. Goes on from the last turn.
std::uint64_t Dispatcher::send_farewells(ClosedRoom& closed, std::uint64_t max_work, Outbox& out) {
  std::uint64_t work = 0;
  for (; closed.told < closed.usernames.size() && work < max_work; ++closed.told) {
    work += kWorkPerFarewell;
    send_farewell(closed, closed.told, out);
  }
  return work;
}

void Dispatcher::send_farewell(ClosedRoom& closed, std::uint32_t position, Outbox& out) {
  const Room& room = closed.room;
  const Endpoint& to = room.endpoints[position];
  if (!room.is_v2(position)) {
    return send_farewell(to, disconnected_notice(closed.usernames[position]), out);
  }
  if (to.port == 0) return counters_.add(Counter::kNoticesDropped);
  frame_sender().send_frame(Outbox::Kind::kNotice, v2::closed_because(v2::CloseReason::kRoomClosed),
                            *room.sessions[position], to, out);
}

void Dispatcher::send_farewell(const Endpoint& to, std::string_view farewell, Outbox& out) {
  if (to.port == 0) return counters_.add(Counter::kNoticesDropped);
  out.open_copy(Outbox::Kind::kNotice, farewell);
  out.add(to);
}

}  // namespace chatd
