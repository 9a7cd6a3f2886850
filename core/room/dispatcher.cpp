#include "core/room/dispatcher.h"

#include <algorithm>
#include <utility>

#include "core/base/limits.h"
#include "core/wire/v1/datagram.h"

namespace chatd {
namespace {

// A run is served to so many members at least, or to all that it has; more than this a turn cannot
// serve, so nobody looks for them.
constexpr std::uint32_t kMinSlice = 16;
constexpr std::uint32_t kMaxRun = kMaxTurnWork / (Outbox::kWorkPerTrain + 1);

}  // namespace

Dispatcher::Dispatcher(Roster& roster, Counters& counters, RelayHistograms& histograms,
                       const TrainLimits& limits, std::uint32_t store_blocks,
                       const KeyedHash::Key& hash_key)
    : roster_(roster),
      counters_(counters),
      histograms_(histograms),
      store_(store_blocks),
      turns_(roster, hash_key),
      group_(store_, limits) {}

// --- What comes into a log -----------------------------------------------------------------------

// Members without a known address get nothing; they are counted when the message is accepted.
void Dispatcher::accept(std::uint32_t sender, std::string_view payload) {
  const std::uint32_t slot = roster_.members()[sender].room;
  const Room& room = roster_.rooms()[slot];
  const std::uint32_t receivers = room.readers() - 1;
  counters_.add(Counter::kMessagesAccepted);
  counters_.add(Counter::kDroppedPendingMember, room.pending_members);
  counters_.add(Counter::kDeliveriesPlanned, receivers);
  histograms_.receivers.add(receivers);
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
  append(slot, kFromServer, payload, room.readers());
}

void Dispatcher::append(std::uint32_t slot, std::uint32_t sender, std::string_view payload,
                        std::uint32_t receivers) {
  if (receivers == 0) return;
  Room& room = roster_.rooms()[slot];
  const bool was_waiting = room.is_waiting();
  if (!push(room, sender, payload)) count_lost(sender, receivers, Counter::kDroppedQueueFull);
  if (room.is_waiting() == was_waiting) return;
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
  if (position != kNoSlot && room.is_bound(position) && stands_there(room.cursors[position])) {
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
  counters_.add(sender == kFromServer ? Counter::kNoticesDropped : reason, receivers);
}

void Dispatcher::drop_waiting(Counter reason) {
  turns_.for_each_closed([&](ClosedRoom& closed) {
    while (!closed.room.log.is_empty()) drop_oldest(closed.room, &closed.positions, reason);
  });
  for (std::uint32_t slot = roster_.oldest_room(); slot != kNoSlot;) {
    Room& room = roster_.rooms()[slot];
    if (room.is_waiting()) {
      while (!room.log.is_empty()) drop_oldest(room, nullptr, reason);
      if (!room.is_waiting()) turns_.dequeue(slot);
    }
    slot = room.newer;
  }
}

// Where in the room this member is that has said something there. It may have gone since, and its
// slot may be somebody else's: in another room, or here, but then with a cursor behind all that it
// did not say. The members of a closed room are where they were.
std::uint32_t Dispatcher::position_of(const Room& room, std::uint32_t slot,
                                      const Positions* positions) const {
  if (slot == kFromServer) return kNoSlot;
  if (positions != nullptr) {
    const auto found = positions->find(slot);
    return found == positions->end() ? kNoSlot : found->second;
  }
  if (!roster_.members().contains(slot)) return kNoSlot;
  const Member& member = roster_.members()[slot];
  return &roster_.rooms()[member.room] == &room ? member.position : kNoSlot;
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
  turns_.end_turn(work, room.is_waiting());
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
  while (passed < size && (!room.is_bound(begin) || number_at(begin) == room.log.head())) {
    begin = begin + 1 == size ? 0 : begin + 1;
    ++passed;
  }
  if (passed == size) return {};
  const std::uint64_t number = number_at(begin);
  const std::uint64_t same = room.cursors[begin];
  const std::uint32_t last = std::min(size, begin + kMaxRun);
  std::uint32_t end = begin + 1;
  while (end < last &&
         (room.cursors[end] == same || number_at(end) == number || !room.is_bound(end))) {
    ++end;
  }
  return {.begin = begin, .end = end, .number = number};
}

std::uint64_t Dispatcher::serve_run(Room& room, const Run& run, std::uint64_t max_work,
                                    const Positions* positions, Outbox& out) {
  group_.prepare(room.log, run.number, room.log.head(), out);
  const std::uint32_t work = group_.work_per_member();
  const auto affordable = static_cast<std::uint32_t>(max_work / work);
  const std::uint32_t count = std::min(run.end - run.begin, std::max(kMinSlice, affordable));
  const std::uint32_t end = run.begin + count;
  group_.send(
      room, run.begin, end,
      [&](std::uint32_t sender) { return position_of(room, sender, positions); }, out);

  auto readers = count;
  if (room.pending_members > 0) {
    readers = 0;
    for (std::uint32_t i = run.begin; i < end; ++i) {
      if (room.is_bound(i)) ++readers;
    }
  }
  const std::uint64_t next_number = run.number + group_.size();
  room.log.advance(store_, run.number, next_number, readers);
  if (room.log.first() < next_number) {
    std::fill_n(&room.cursors[run.begin], count, next_number);
  }
  room.next_position = end;
  return kWorkPerPlan + group_.size() + std::uint64_t{work} * count;
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
      if (room.is_bound(i) && room.cursors[i] <= number) ++behind;
    }
    if (push(room, entry.sender, entry.payload)) {
      room.log.advance(store_, number, number + 1, room.readers() - behind);
    } else {
      const std::uint32_t own = position_of(room, entry.sender, nullptr);
      if (own != kNoSlot && room.is_bound(own) && room.cursors[own] <= number) --behind;
      count_lost(entry.sender, behind, Counter::kDroppedQueueFull);
      room.log.begin_at(number + 1);
    }
    ++number;
  }
  if (!room.log.is_empty()) turns_.enqueue(slot);
}

}  // namespace chatd
