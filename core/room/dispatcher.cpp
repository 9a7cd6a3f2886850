#include "core/room/dispatcher.h"

#include <algorithm>
#include <bit>
#include <span>
#include <utility>

#include "core/base/limits.h"
#include "core/wire/v1/datagram.h"
#include "core/wire/v1/notice.h"

namespace chatd {
namespace {

// The sender of what the server itself says.
constexpr std::uint32_t kServer = kNoSlot;

// What it costs to plan a group for a run of members, however few they are, in the outbox's units
// of work: otherwise many short runs in one room would make a turn long.
constexpr std::uint32_t kWorkPerPlan = 8;
constexpr std::uint32_t kWorkPerFarewell = Outbox::kWorkPerTrain + 1;

// A run is served to so many members at least, or to all that it has; more than this a turn cannot
// serve, so nobody looks for them.
constexpr std::uint32_t kMinSlice = 16;
constexpr std::uint32_t kMaxRun = kMaxTurnWork / (Outbox::kWorkPerTrain + 1);

// Leavers that a room keeps: each entry that gives way asks all of them whether they miss it.
constexpr std::uint32_t kMaxLeavers = 1'024;

// Bits first..last-1.
constexpr std::uint64_t bits(std::uint32_t first, std::uint32_t last) {
  const std::uint64_t below_last = last == 64 ? ~std::uint64_t{0} : bit(last) - 1;
  return below_last & ~(bit(first) - 1);
}

// Whether there is something to send: also a farewell before which all else has given way.
bool is_waiting(const Room& room) {
  return !room.log.is_empty() || !room.leavers.is_empty();
}

bool is_bound(const Room& room, std::uint32_t position) {
  return room.endpoints[position].port != 0;
}

}  // namespace

Dispatcher::Dispatcher(Roster& roster, Counters& counters, Measures& measures,
                       const TrainLimits& limits, std::uint32_t store_blocks,
                       const KeyedHash::Key& hash_key)
    : roster_(roster),
      counters_(counters),
      measures_(measures),
      limits_(limits),
      store_(store_blocks),
      turns_(roster, hash_key) {}

// --- What comes into a log -----------------------------------------------------------------------

// Members without a known address get nothing; they are counted when the message is accepted.
void Dispatcher::accept(std::uint32_t sender, std::string_view payload) {
  const std::uint32_t slot = roster_.members()[sender].room;
  const Room& room = roster_.rooms()[slot];
  const std::uint32_t receivers = room.readers() - 1;
  counters_.add(Counter::kMessagesAccepted);
  counters_.add(Counter::kDroppedPendingMember, room.pending_members);
  counters_.add(Counter::kDeliveriesPlanned, receivers);
  measures_.receivers.add(receivers);
  append(slot, sender, payload, receivers);
}

void Dispatcher::refuse(std::uint32_t sender) {
  const Room& room = roster_.room_of(roster_.members()[sender]);
  counters_.add(Counter::kMessagesAccepted);
  counters_.add(Counter::kMessagesOverLimit);
  counters_.add(Counter::kDroppedOverLimit, room.members.size() - 1);
}

void Dispatcher::notify(std::uint32_t slot, std::string_view payload) {
  const Room& room = roster_.rooms()[slot];
  counters_.add(Counter::kNoticesDropped, room.pending_members);
  append(slot, kServer, payload, room.readers());
}

void Dispatcher::append(std::uint32_t slot, std::uint32_t sender, std::string_view payload,
                        std::uint32_t receivers) {
  if (receivers == 0) return;
  Room& room = roster_.rooms()[slot];
  const bool was_waiting = is_waiting(room);
  if (!push(room, sender, payload)) count_lost(sender, receivers, Counter::kDroppedQueueFull);
  if (is_waiting(room) == was_waiting) return;
  if (was_waiting) {
    turns_.dequeue(slot);
  } else {
    turns_.enqueue(slot);
  }
}

// The oldest entries give way, until there is room for it or nothing is left that could. More go
// than come, so that a room that has become larger comes below its bound again. In a log that has
// become empty so, those stand who have still to get a farewell, too.
bool Dispatcher::push(Room& room, std::uint32_t sender, std::string_view payload) {
  for (int i = 0; i < 2 && has_too_much(room); ++i) {
    drop_oldest(room, nullptr, Counter::kDroppedQueueFull);
  }
  while (!room.log.append(store_, sender, payload, room.readers() + room.leavers.size())) {
    if (room.log.is_empty()) return false;
    drop_oldest(room, nullptr, Counter::kDroppedQueueFull);
  }
  return true;
}

// By messages, and by what they come to: what waits longer than a moment is of no use to anybody.
bool Dispatcher::has_too_much(const Room& room) {
  const std::uint32_t count = room.log.size();
  if (count >= kMaxWaitingMessages) return true;
  return count > 2 * kMaxPlannedMessages &&
         std::uint64_t{count} * room.readers() >= kMaxWaitingDeliveries;
}

// Those who have got it already have it; the others never will. Not all who stand there would have
// got it: its sender, and those who had gone before it was said.
void Dispatcher::drop_oldest(Room& room, const Positions* positions, Counter reason) {
  const std::uint32_t entry = room.log.oldest();
  const std::uint32_t sender = store_.sender(entry);
  const auto stands_there = [&](std::uint64_t cursor) {
    return room.log.position(cursor) == room.log.first();
  };
  std::uint32_t receivers = store_.readers(entry);
  const std::uint32_t position = position_of(room, sender, positions);
  if (position != kNoSlot && is_bound(room, position) && stands_there(room.cursors[position])) {
    --receivers;
  }
  for (const Leaver& leaver : room.leavers.all()) {
    const bool is_for_it = leaver.end > room.log.first() && leaver.member != sender;
    if (stands_there(leaver.cursor) && !is_for_it) --receivers;
  }
  count_lost(sender, receivers, reason);
  room.log.drop_oldest(store_);
}

void Dispatcher::count_lost(std::uint32_t sender, std::uint64_t receivers, Counter reason) {
  counters_.add(sender == kServer ? Counter::kNoticesDropped : reason, receivers);
}

void Dispatcher::drop_waiting(Counter reason) {
  turns_.for_each_closed([&](ClosedRoom& closed) {
    while (!closed.room.log.is_empty()) drop_oldest(closed.room, &closed.positions, reason);
  });
  for (std::uint32_t slot = roster_.oldest_room(); slot != kNoSlot;) {
    Room& room = roster_.rooms()[slot];
    if (is_waiting(room)) {
      while (!room.log.is_empty()) drop_oldest(room, nullptr, reason);
      if (!is_waiting(room)) turns_.dequeue(slot);
    }
    slot = room.newer;
  }
}

// --- Members and rooms that go -------------------------------------------------------------------

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
    const std::uint32_t sender = store_.sender(room.log.entry(store_, number));
    if (sender != leaver.member) count_lost(sender, 1, Counter::kDroppedQueueFull);
  }
  say_farewell(room, out);
}

// To the leaver that is first; then it is gone.
void Dispatcher::say_farewell(Room& room, Outbox& out) {
  const Leaver& leaver = room.leavers.front();
  if (!leaver.farewell.empty()) send_farewell(leaver.endpoint, leaver.farewell, out);
  room.log.remove_reader(store_, room.log.position(leaver.cursor));
  room.leavers.pop();
  --leavers_;
}

void Dispatcher::close_room(std::uint32_t slot) {
  if (is_waiting(roster_.rooms()[slot])) turns_.dequeue(slot);
  turns_.close_room(slot);
}

// --- Turns ---------------------------------------------------------------------------------------

void Dispatcher::serve(Outbox& out) {
  while (has_waiting() && !out.is_full()) serve_next_room(out);
}

void Dispatcher::serve_next_room(Outbox& out) {
  const TurnOrder::Turn turn = turns_.next();
  if (turn.closed != nullptr) return serve_closed_room(*turn.closed, out);
  Room& room = roster_.rooms()[turn.room];
  const std::uint64_t work = serve_entries(room, nullptr, out);
  turns_.end_turn(work, is_waiting(room));
}

void Dispatcher::serve_closed_room(ClosedRoom& closed, Outbox& out) {
  Room& room = closed.room;
  std::uint64_t work = serve_entries(room, &closed.positions, out);
  if (!is_waiting(room))
    work += say_farewells(closed, kMaxTurnWork - std::min<std::uint64_t>(work, kMaxTurnWork), out);
  turns_.end_turn(work, is_waiting(room) || closed.told < closed.usernames.size());
}

// To those in a room that has ended and who got everything else. Goes on from the last turn.
std::uint64_t Dispatcher::say_farewells(ClosedRoom& closed, std::uint64_t max_work, Outbox& out) {
  std::uint64_t work = 0;
  for (; closed.told < closed.usernames.size() && work < max_work; ++closed.told) {
    work += kWorkPerFarewell;
    send_farewell(closed.room.endpoints[closed.told],
                  disconnected_notice(closed.usernames[closed.told]), out);
  }
  return work;
}

// A room without leavers has its turn without any work.
bool Dispatcher::serve_leavers(Outbox& out) {
  while (leavers_ > 0 || turns_.closed_rooms() > 0) {
    if (out.is_full()) return false;
    const TurnOrder::Turn turn = turns_.next();
    if (turn.closed != nullptr) {
      serve_closed_room(*turn.closed, out);
      continue;
    }
    Room& room = roster_.rooms()[turn.room];
    serve_leavers_of(room, kMaxTurnWork, out);
    turns_.end_turn(kMaxTurnWork, is_waiting(room));
  }
  return true;
}

void Dispatcher::send_farewell(const Endpoint& to, std::string_view farewell, Outbox& out) {
  if (to.port == 0) return counters_.add(Counter::kNoticesDropped);
  out.open_copy(Outbox::Kind::kNotice, farewell);
  out.add(to);
}

// Sends what waits to those who are next, as many as a turn's work allows. Returns the work. Those
// who have gone come first, for what they have to get ends somewhere; but they do not take the
// whole turn from those who are there.
std::uint64_t Dispatcher::serve_entries(Room& room, const Positions* positions, Outbox& out) {
  std::uint64_t work = serve_leavers_of(room, kMaxTurnWork / 2, out);
  while (!room.log.is_empty() && work < kMaxTurnWork && !out.is_full()) {
    const Run run = next_run(room);
    if (run.begin == run.end) break;
    work += serve_run(room, run, kMaxTurnWork - work, positions, out);
  }
  if (work < kMaxTurnWork) work += serve_leavers_of(room, kMaxTurnWork - work, out);
  if (room.log.is_empty()) room.next_position = 0;
  return work;
}

std::uint64_t Dispatcher::serve_leavers_of(Room& room, std::uint64_t max_work, Outbox& out) {
  std::uint64_t work = 0;
  while (!room.leavers.is_empty() && work < max_work && !out.is_full()) {
    work += serve_leaver(room, out);
  }
  return work;
}

// A group for the one that has gone first, and its farewell when it has got everything, or when the
// rest has given way.
std::uint64_t Dispatcher::serve_leaver(Room& room, Outbox& out) {
  Leaver& leaver = room.leavers.front();
  const std::uint64_t number = room.log.position(leaver.cursor);
  std::uint64_t work = kWorkPerPlan;
  if (number < leaver.end) {
    plan_group(room, number, leaver.end);
    serialize(out);
    std::uint64_t own_messages = 0;
    for (std::uint32_t i = 0; i < group_size_; ++i) {
      if (shapes_[plan_.order[i]].sender == leaver.member) own_messages |= bit(i);
    }
    if (own_messages != 0) {
      send_without(own_messages, leaver.endpoint, out);
    } else {
      send_group(out);
      out.add(leaver.endpoint);
    }
    leaver.cursor = number + group_size_;
    room.log.advance(store_, number, leaver.cursor, 1);
    work += 2 * group_size_ + plan_.train_count * Outbox::kWorkPerTrain;
  }
  if (room.log.position(leaver.cursor) >= leaver.end) say_farewell(room, out);
  return work;
}

// From where the last turn has ended; members who have got everything, or cannot be reached, are
// passed over. An empty one: only those who have gone have still to get something.
Dispatcher::Run Dispatcher::next_run(const Room& room) const {
  const auto size = static_cast<std::uint32_t>(room.members.size());
  std::uint32_t begin = room.next_position < size ? room.next_position : 0;
  if (room.leavers.is_empty() && store_.readers(room.log.oldest()) == room.readers()) {
    return {.begin = begin, .end = size, .number = room.log.first()};  // all stand there
  }
  const auto number_at = [&room](std::uint32_t position) {
    return room.log.position(room.cursors[position]);
  };
  std::uint32_t passed = 0;
  while (passed < size && (!is_bound(room, begin) || number_at(begin) == room.log.head())) {
    begin = begin + 1 == size ? 0 : begin + 1;
    ++passed;
  }
  if (passed == size) return {};
  const std::uint64_t number = number_at(begin);
  const std::uint64_t same = room.cursors[begin];
  const std::uint32_t last = std::min(size, begin + kMaxRun);
  std::uint32_t end = begin + 1;
  while (end < last &&
         (room.cursors[end] == same || number_at(end) == number || !is_bound(room, end))) {
    ++end;
  }
  return {.begin = begin, .end = end, .number = number};
}

std::uint64_t Dispatcher::serve_run(Room& room, const Run& run, std::uint64_t max_work,
                                    const Positions* positions, Outbox& out) {
  plan_group(room, run.number, room.log.head());
  serialize(out);
  const std::uint32_t work = plan_.train_count * Outbox::kWorkPerTrain + group_size_;
  const auto affordable = static_cast<std::uint32_t>(max_work / work);
  const std::uint32_t count = std::min(run.end - run.begin, std::max(kMinSlice, affordable));
  const std::uint32_t end = run.begin + count;
  find_senders(room, run.begin, end, positions);
  send_to(room, run.begin, end, out);

  auto readers = count;
  if (room.pending_members > 0) {
    readers = 0;
    for (std::uint32_t i = run.begin; i < end; ++i) {
      if (is_bound(room, i)) ++readers;
    }
  }
  const std::uint64_t next_number = run.number + group_size_;
  room.log.advance(store_, run.number, next_number, readers);
  if (room.log.first() < next_number) {
    std::fill_n(&room.cursors[run.begin], count, next_number);
  }
  room.next_position = end;
  return kWorkPerPlan + group_size_ + std::uint64_t{work} * count;
}

// Messages from `number` to before `end`, as many as fit a plan, or one notice: what people said
// before and after a notice is heard before and after it.
void Dispatcher::plan_group(const Room& room, std::uint64_t number, std::uint64_t end) {
  const std::uint64_t waiting = end - number;
  const auto most =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(waiting, kMaxPlannedMessages));
  std::uint32_t message = room.log.entry(store_, number);
  for (group_size_ = 0; group_size_ < most; message = store_.next(message)) {
    const std::uint32_t sender = store_.sender(message);
    if (group_size_ > 0 && (sender == kServer || shapes_[0].sender == kServer)) break;
    messages_[group_size_] = message;
    shapes_[group_size_++] = {.sender = sender, .size_bytes = store_.size_bytes(message)};
  }
  plan_trains(std::span(shapes_).first(group_size_), limits_, plan_);
}

// The group's bytes one after the other, in the plan's order, so that a whole train is one piece.
void Dispatcher::serialize(Outbox& out) {
  std::uint32_t size_bytes = 0;
  for (std::uint32_t i = 0; i < group_size_; ++i) size_bytes += shapes_[i].size_bytes;
  bytes_ = out.allocate(size_bytes);
  char* end = bytes_;
  for (std::uint32_t i = 0; i < group_size_; ++i) {
    offsets_[i] = static_cast<std::uint32_t>(end - bytes_);
    end = store_.copy_to(messages_[plan_.order[i]], end);
  }
  offsets_[group_size_] = size_bytes;
}

// Where in the room this member is that has said something there. It may have gone since, and its
// slot may be somebody else's: in another room, or here, but then with a cursor behind all that it
// did not say. The members of a closed room are where they were.
std::uint32_t Dispatcher::position_of(const Room& room, std::uint32_t slot,
                                      const Positions* positions) const {
  if (slot == kServer) return kNoSlot;
  if (positions != nullptr) {
    const auto found = positions->find(slot);
    return found == positions->end() ? kNoSlot : found->second;
  }
  if (!roster_.members().contains(slot)) return kNoSlot;
  const Member& member = roster_.members()[slot];
  return &roster_.rooms()[member.room] == &room ? member.position : kNoSlot;
}

// Those among the members at first..last-1 who have messages in the group, by position.
void Dispatcher::find_senders(const Room& room, std::uint32_t first, std::uint32_t last,
                              const Positions* positions) {
  sender_count_ = 0;
  const auto begin = senders_.begin();
  for (std::uint32_t i = 0; i < group_size_; ++i) {
    const std::uint32_t position = position_of(room, shapes_[plan_.order[i]].sender, positions);
    if (position < first || position >= last || !is_bound(room, position)) continue;
    const auto known = std::find_if(begin, begin + sender_count_, [position](const Sender& one) {
      return one.position == position;
    });
    if (known != begin + sender_count_) {
      known->own_messages |= bit(i);
    } else {
      senders_[sender_count_++] = {.position = position, .own_messages = bit(i)};
    }
  }
  std::sort(begin, begin + sender_count_,
            [](const Sender& a, const Sender& b) { return a.position < b.position; });
}

// The whole group; destinations follow.
void Dispatcher::send_group(Outbox& out) {
  out.open(shapes_[0].sender == kServer ? Outbox::Kind::kNotice : Outbox::Kind::kMessage);
  for (std::uint32_t i = 0; i < plan_.train_count; ++i) {
    const TrainPlan::Train& train = plan_.trains[i];
    const std::uint32_t begin = offsets_[train.first];
    const std::uint32_t end = offsets_[train.first + train.count];
    out.open_train(shapes_[plan_.order[train.first]].size_bytes);
    out.add_piece({bytes_ + begin, end - begin}, train.count);
  }
}

void Dispatcher::send_to(const Room& room, std::uint32_t first, std::uint32_t last, Outbox& out) {
  if (last - first > sender_count_) {
    send_group(out);
    std::uint32_t position = first;
    for (std::uint32_t i = 0; i < sender_count_; ++i) {
      add_bound(room, position, senders_[i].position, out);
      position = senders_[i].position + 1;
    }
    add_bound(room, position, last, out);
  }
  for (std::uint32_t i = 0; i < sender_count_; ++i) {
    send_without(senders_[i].own_messages, room.endpoints[senders_[i].position], out);
  }
}

// The same trains without what somebody has said itself, to that one.
void Dispatcher::send_without(std::uint64_t own_messages, const Endpoint& to, Outbox& out) {
  const std::uint64_t others_messages = bits(0, group_size_) & ~own_messages;
  if (others_messages == 0) return;
  out.open(Outbox::Kind::kMessage);
  for (std::uint32_t i = 0; i < plan_.train_count; ++i) {
    const TrainPlan::Train& train = plan_.trains[i];
    std::uint64_t left = others_messages & bits(train.first, train.first + train.count);
    if (left == 0) continue;
    out.open_train(
        shapes_[plan_.order[static_cast<std::uint32_t>(std::countr_zero(left))]].size_bytes);
    while (left != 0) {  // a piece: neighbours that all stay
      const auto begin = static_cast<std::uint32_t>(std::countr_zero(left));
      const auto count = static_cast<std::uint32_t>(std::countr_one(left >> begin));
      out.add_piece({bytes_ + offsets_[begin], offsets_[begin + count] - offsets_[begin]}, count);
      left &= ~bits(begin, begin + count);
    }
  }
  out.add(to);
}

// Those at first..last-1 whose address is known.
void Dispatcher::add_bound(const Room& room, std::uint32_t first, std::uint32_t last, Outbox& out) {
  const auto endpoints = std::span(room.endpoints).subspan(first, last - first);
  if (room.pending_members == 0) return out.add(endpoints);
  for (const Endpoint& endpoint : endpoints) {
    if (endpoint.port != 0) out.add(endpoint);
  }
}

// --- Hand-over -----------------------------------------------------------------------------------

std::vector<EntrySnapshot> Dispatcher::snapshot(const Room& room) const {
  std::vector<EntrySnapshot> entries;
  entries.reserve(room.log.size());
  std::uint32_t entry = room.log.oldest();
  for (std::uint32_t i = 0; i < room.log.size(); ++i, entry = store_.next(entry)) {
    std::string datagram(store_.size_bytes(entry), '\0');
    store_.copy_to(entry, datagram.data());
    entries.push_back(
        {.sender = store_.sender(entry), .payload = datagram.substr(kServerPrefix.size())});
  }
  return entries;
}

// Entry by entry, as if it were said here again; readers who have it already move on at once. What
// this relay's store does not take gives way as ever.
void Dispatcher::restore(std::uint32_t slot, const RoomSnapshot& snapshot) {
  turns_.add_room(slot);
  Room& room = roster_.rooms()[slot];
  room.log.begin_at(snapshot.first_entry);
  std::uint64_t number = snapshot.first_entry;
  for (const EntrySnapshot& entry : snapshot.entries) {
    std::uint32_t behind = 0;
    for (std::uint32_t i = 0; i < room.members.size(); ++i) {
      if (is_bound(room, i) && room.cursors[i] <= number) ++behind;
    }
    if (push(room, entry.sender, entry.payload)) {
      room.log.advance(store_, number, number + 1, room.readers() - behind);
    } else {
      const std::uint32_t own = position_of(room, entry.sender, nullptr);
      if (own != kNoSlot && is_bound(room, own) && room.cursors[own] <= number) --behind;
      count_lost(entry.sender, behind, Counter::kDroppedQueueFull);
      room.log.begin_at(number + 1);
    }
    ++number;
  }
  if (!room.log.is_empty()) turns_.enqueue(slot);
}

}  // namespace chatd
