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
// Who has said something and has gone so that not even the log knows its name any more.
constexpr std::string_view kUnknownName = "(gone)";

// An IPv6 socket cuts everything into pieces of the MTU that it is told (server/os/open_sockets.h).
std::uint8_t largest_within(std::uint32_t bytes) {
  const auto end = std::upper_bound(kBundleSizes.begin() + 1, kBundleSizes.end(), bytes);
  return static_cast<std::uint8_t>(end - kBundleSizes.begin() - 1);
}

constexpr std::uint32_t kMaxRun = kMaxTurnWork / (Outbox::kWorkPerTrain + 1);

}  // namespace

Dispatcher::Dispatcher(const Limits& limits, Roster& roster, Counters& counters,
                       RelayHistograms& histograms, const TrainLimits& trains,
                       std::uint32_t store_blocks, const KeyedHash::Key& hash_key, TimeMs now_ms)
    : limits_(limits),
      roster_(roster),
      counters_(counters),
      histograms_(histograms),
      store_(store_blocks),
      turns_(roster, hash_key),
      group_(store_, trains),
      bundles_{Bundles{{store_, trains, kBundleSizes[0]}},
               Bundles{{store_, trains, kBundleSizes[1]}},
               Bundles{{store_, trains, kBundleSizes[2]}}},
      largest_v6_(largest_within(trains.max_segment_bytes)),
      history_(roster, store_),
      silence_(limits.max_rooms, now_ms) {}

// --- What comes into a log -----------------------------------------------------------------------

NewEntry Dispatcher::said_by(std::uint32_t sender, const v2::Entry& entry) const {
  NewEntry said{.sender = sender, .entry = entry};
  said.entry.member = roster_.members()[sender].id;
  said.is_for_v1 = entry.content_type != v2::ContentType::kSealed;
  return said;
}

void Dispatcher::accept(TimeMs now_ms, std::uint32_t sender, std::string_view payload) {
  accept(now_ms, said_by(sender, {.content_type = v2::ContentType::kV1Payload, .bytes = payload}));
}

bool Dispatcher::accept(TimeMs now_ms, std::uint32_t sender, const v2::Say& say) {
  return accept(now_ms, said_by(sender, {.client_number = say.client_number,
                                         .content_type = say.content_type,
                                         .bytes = say.bytes}));
}

// Members with protocol v1 and without a known address get nothing; they are counted when the
// message is accepted. Those with protocol v2 get it in the end.
bool Dispatcher::accept(TimeMs now_ms, const NewEntry& entry) {
  const Member& sender = roster_.members()[entry.sender];
  const Room& room = roster_.rooms()[sender.room];
  const bool is_from_v2 = room.is_v2(sender.position);
  const std::uint32_t v2_receivers = room.size() - room.first_v2 - (is_from_v2 ? 1 : 0);
  const std::uint32_t v1_receivers = room.readers() - (is_from_v2 ? 0 : 1);
  const std::uint32_t receivers = v2_receivers + (entry.is_for_v1 ? v1_receivers : 0);
  counters_.add(Counter::kMessagesAccepted);
  counters_.add(Counter::kDroppedPendingMember, room.pending_members);
  if (!entry.is_for_v1) counters_.add(Counter::kDroppedNotForV1, v1_receivers);
  counters_.add(Counter::kDeliveriesPlanned, receivers);
  counters_.add(Counter::kDeliveriesLogged, v2_receivers);
  histograms_.receivers.add(receivers);
  return append(now_ms, sender.room, entry, v1_receivers);
}

void Dispatcher::refuse(std::uint32_t sender) {
  const Room& room = roster_.room_of(roster_.members()[sender]);
  counters_.add(Counter::kMessagesAccepted);
  counters_.add(Counter::kMessagesOverLimit);
  counters_.add(Counter::kDroppedOverLimit, room.members.size() - 1);
}

void Dispatcher::notify(std::uint32_t slot, std::string_view payload) {
  notify(roster_.rooms()[slot].last_entry_at_ms, slot,
         {.content_type = v2::ContentType::kV1Payload, .bytes = payload}, true);
}

void Dispatcher::notify(TimeMs now_ms, std::uint32_t slot, const v2::Entry& entry, bool is_for_v1) {
  const Room& room = roster_.rooms()[slot];
  if (is_for_v1) counters_.add(Counter::kNoticesDropped, room.pending_members);
  append(now_ms, slot, {.sender = kFromServer, .entry = entry, .is_for_v1 = is_for_v1},
         is_for_v1 ? room.readers() : 0);
}

// What nobody gets, now or later, is not stored. What finds no memory has its number all the same:
// so members with protocol v2 are told that something is gone. False: so it was.
bool Dispatcher::append(TimeMs now_ms, std::uint32_t slot, const NewEntry& entry,
                        std::uint32_t v1_receivers) {
  Room& room = roster_.rooms()[slot];
  if (v1_receivers == 0 && !room.log.keeps()) return true;
  const bool was_waiting = room.is_waiting();
  room.v2_behind = room.v2_readers();
  if (room.v2_behind > 0) hold_for_v2(room);
  const bool is_stored = push(slot, entry);
  if (!is_stored) {
    if (entry.is_for_v1) count_lost(entry.sender, v1_receivers, Counter::kDroppedQueueFull);
    room.log.begin_at(room.log.head() + 1);
  }
  room.last_entry_at_ms = now_ms;
  if (room.has_v2()) silence_.arm_by(slot, now_ms + kFirstHeadDelayMs);
  room.is_held = false;
  if (!was_waiting && entry.entry.kind != v2::EntryKind::kSaid) hold_turn(now_ms, slot);
  update_turn(slot, was_waiting);
  return is_stored;
}

// Something has changed in a room that was, or was not, in line for a turn.
void Dispatcher::update_turn(std::uint32_t slot, bool was_waiting) {
  if (roster_.rooms()[slot].is_waiting() == was_waiting) return;
  if (was_waiting) {
    turns_.dequeue(slot);
  } else {
    turns_.enqueue(slot);
  }
}

// The oldest entries give way, until there is room for it or nothing is left that could. More go
// than come, so that a room that has become larger comes below its bound again. In a log in which
// nothing waits any more, those stand who have still to get a farewell, too.
bool Dispatcher::push(std::uint32_t slot, const NewEntry& entry) {
  Room& room = roster_.rooms()[slot];
  for (int i = 0; i < 2 && has_too_much(room); ++i) {
    drop_first(room, nullptr, Counter::kDroppedQueueFull);
  }
  history_.make_way();
  while (!room.log.append(store_, entry, room.readers() + room.leavers.size())) {
    if (room.log.kept() > 0) {
      room.log.drop_kept(store_);
    } else if (!room.log.is_empty()) {
      drop_first(room, nullptr, Counter::kDroppedQueueFull);
    } else {
      return false;
    }
  }
  if (room.log.keeps()) history_.on_entry(slot);
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
// got it: its sender, and those who had gone before it was said. Members with protocol v2 may ask
// for it.
void Dispatcher::drop_first(Room& room, Closed closed, Counter reason) {
  const std::uint32_t entry = room.log.first_entry();
  const std::uint32_t sender = store_.sender(entry);
  const auto stands_there = [&](std::uint64_t cursor) {
    return room.log.position(cursor) == room.log.first();
  };
  std::uint32_t receivers = store_.readers(entry);
  const std::uint32_t position = position_of(room, sender, closed);
  if (position != kNoSlot && !room.is_v2(position) && room.is_bound(position) &&
      stands_there(room.cursors[position])) {
    --receivers;
  }
  for (const Leaver& leaver : room.leavers.all()) {
    const bool is_for_it = leaver.end > room.log.first() && leaver.member != sender;
    if (stands_there(leaver.cursor) && !is_for_it) --receivers;
  }
  if (store_.is_for_v1(entry)) count_lost(sender, receivers, reason);
  room.log.drop_first(store_);
}

void Dispatcher::count_lost(std::uint32_t sender, std::uint64_t receivers, Counter reason) {
  counters_.add(sender == kFromServer ? Counter::kNoticesDropped : reason, receivers);
}

void Dispatcher::drop_waiting(Counter reason) {
  turns_.for_each_closed(
      [&](ClosedRoom& closed) { drop_all_waiting(closed.room, &closed, reason); });
  for (std::uint32_t slot = roster_.oldest_room(); slot != kNoSlot;) {
    Room& room = roster_.rooms()[slot];
    const bool was_waiting = room.is_waiting();
    drop_all_waiting(room, nullptr, reason);
    update_turn(slot, was_waiting);
    slot = room.newer;
  }
}

void Dispatcher::drop_all_waiting(Room& room, Closed closed, Counter reason) {
  while (!room.log.is_empty()) drop_first(room, closed, reason);
  if (room.v2_behind == 0) return;
  for (std::uint32_t i = room.first_v2; i < room.size(); ++i) room.cursors[i] = room.log.head();
  room.v2_behind = 0;
  hold_for_v2(room);
}

void Dispatcher::open_room(std::uint32_t slot) {
  turns_.add_room(slot);
  Room& room = roster_.rooms()[slot];
  if (room.history_entries > 0) keep_entries(slot);
}

// Where in the room this member is that has said something there. It may have gone since, and its
// slot may be somebody else's: in another room, or here, but then with a cursor behind all that it
// did not say. The members of a closed room are where they were.
std::uint32_t Dispatcher::position_of(const Room& room, std::uint32_t slot, Closed closed) const {
  if (slot == kFromServer) return kNoSlot;
  if (closed != nullptr) {
    const auto found = closed->positions.find(slot);
    return found == closed->positions.end() ? kNoSlot : found->second;
  }
  if (!roster_.members().contains(slot)) return kNoSlot;
  const Member& member = roster_.members()[slot];
  return &roster_.rooms()[member.room] == &room ? member.position : kNoSlot;
}

// Who has said an entry that waits. Whoever has gone since has left its name in the log.
std::string_view Dispatcher::name_of(const Room& room, std::uint32_t entry, Closed closed) {
  const v2::MemberId id = store_.member(entry);
  const std::uint32_t slot = store_.sender(entry);
  if (closed != nullptr) {
    const std::uint32_t position = position_of(room, slot, closed);
    if (position != kNoSlot && closed->ids[position] == id) return closed->usernames[position];
  } else if (const Member* const member = roster_.members().find(slot)) {
    if (&roster_.rooms()[member->room] == &room && member->id == id) return member->username;
  }
  for (std::uint32_t later = entry; later != room.log.last_entry();) {
    later = store_.next(later);
    if (store_.kind(later) == v2::EntryKind::kLeft && store_.member(later) == id) {
      const char* const end = store_.copy_content_to(later, departed_name_.data());
      return {departed_name_.data(), static_cast<std::size_t>(end - departed_name_.data())};
    }
  }
  return kUnknownName;
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
// whole turn from those who are there, nor do members with one protocol from those with the other.
std::uint64_t Dispatcher::serve_entries(Room& room, Closed closed, Outbox& out) {
  std::uint64_t work = serve_leavers_of(room, closed, kMaxTurnWork / 2, out);
  if (room.v2_behind > 0) {
    if (work < kMaxTurnWork) work += serve_v1(room, closed, (kMaxTurnWork - work) / 2, out);
    if (work < kMaxTurnWork) work += serve_v2(room, kMaxTurnWork - work, out);
  }
  if (work < kMaxTurnWork) work += serve_v1(room, closed, kMaxTurnWork - work, out);
  if (work < kMaxTurnWork) work += serve_leavers_of(room, closed, kMaxTurnWork - work, out);
  return work;
}

std::uint64_t Dispatcher::serve_v1(Room& room, Closed closed, std::uint64_t max_work, Outbox& out) {
  std::uint64_t work = 0;
  while (!room.log.is_empty() && work < max_work && !out.is_full()) {
    const Run run = next_run(room);
    if (run.begin == run.end) break;
    work += serve_run(room, run, max_work - work, closed, out);
  }
  if (room.log.is_empty()) room.next_position = 0;
  return work;
}

// From where the last turn has ended; members who have got everything, or cannot be reached, are
// passed over. An empty one: only those who have gone have still to get something.
Dispatcher::Run Dispatcher::next_run(const Room& room) const {
  const std::uint32_t size = room.first_v2;
  std::uint32_t begin = room.next_position < size ? room.next_position : 0;
  if (room.leavers.is_empty() && store_.readers(room.log.first_entry()) == room.readers()) {
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
                                    Closed closed, Outbox& out) {
  const auto name = [&](std::uint32_t entry) { return name_of(room, entry, closed); };
  group_.prepare(room.log, run.number, room.log.head(), name, out);
  const std::uint32_t work = group_.work_per_member();
  const auto affordable = static_cast<std::uint32_t>(max_work / std::max(work, 1u));
  const std::uint32_t count = std::min(run.end - run.begin, std::max(kMinSlice, affordable));
  const std::uint32_t end = run.begin + count;
  group_.send(
      room, run.begin, end, [&](std::uint32_t sender) { return position_of(room, sender, closed); },
      out);

  auto readers = count;
  if (room.pending_members > 0) {
    readers = 0;
    for (std::uint32_t i = run.begin; i < end; ++i) {
      if (room.is_bound(i)) ++readers;
    }
  }
  const std::uint64_t next_number = run.number + group_.entry_count();
  room.log.advance(store_, run.number, next_number, readers);
  if (room.log.first() < next_number) {
    std::fill_n(&room.cursors[run.begin], count, next_number);
  }
  room.next_position = end;
  return kWorkPerPlan + group_.entry_count() + std::uint64_t{work} * count;
}

// --- Hand-over -----------------------------------------------------------------------------------

std::vector<EntrySnapshot> Dispatcher::snapshot(const Room& room) const {
  std::vector<EntrySnapshot> entries;
  entries.reserve(room.log.head() - room.log.oldest());
  std::uint32_t entry = room.log.oldest_entry();
  for (std::uint64_t number = room.log.oldest(); number < room.log.head(); ++number) {
    entries.push_back(snapshot(entry));
    entry = store_.next(entry);
  }
  return entries;
}

EntrySnapshot Dispatcher::snapshot(std::uint32_t entry) const {
  std::string bytes(store_.size_bytes(entry), '\0');
  store_.copy_to(entry, bytes.data());
  v2::ByteReader reader(bytes);
  v2::Entry read;
  v2::read_entry(reader, read);
  return {.sender = store_.sender(entry),
          .payload = std::string(read.bytes),
          .kind = read.kind,
          .member = read.member,
          .client_number = read.client_number,
          .content_type = read.content_type,
          .is_for_v1 = store_.is_for_v1(entry)};
}

// Entry by entry, as if it were said here again; readers who have it already move on at once. What
// this relay's store does not take gives way as ever.
void Dispatcher::restore(std::uint32_t slot, const RoomSnapshot& snapshot) {
  open_room(slot);
  Room& room = roster_.rooms()[slot];
  room.log.begin_at(snapshot.first_entry);
  if (room.has_v2() || snapshot.keeps_entries) keep_entries(slot);
  // What members with protocol v2 have still to be sent is held from the first entry on.
  const std::uint64_t head = snapshot.first_entry + snapshot.entries.size();
  for (std::uint32_t i = room.first_v2; i < room.size(); ++i) {
    if (room.is_bound(i) && room.cursors[i] < head) ++room.v2_behind;
  }
  hold_for_v2(room);
  std::uint64_t number = snapshot.first_entry;
  for (const EntrySnapshot& entry : snapshot.entries) restore(slot, number++, entry);
  if (room.is_waiting()) turns_.enqueue(slot);
}

void Dispatcher::restore(std::uint32_t slot, std::uint64_t number, const EntrySnapshot& entry) {
  Room& room = roster_.rooms()[slot];
  const auto has_to_get = [&](std::uint32_t position) {
    return !room.is_v2(position) && room.is_bound(position) && room.cursors[position] <= number;
  };
  std::uint32_t behind = 0;
  for (std::uint32_t i = 0; i < room.first_v2; ++i) {
    if (has_to_get(i)) ++behind;
  }
  const std::uint32_t own = position_of(room, entry.sender, nullptr);
  const bool is_of_older_program = own != kNoSlot && entry.member == v2::kServerId;
  const NewEntry stored{
      .sender = entry.sender,
      .entry = {.kind = entry.kind,
                .member =
                    is_of_older_program ? roster_.members()[room.members[own]].id : entry.member,
                .client_number = entry.client_number,
                .content_type = entry.content_type,
                .bytes = entry.payload},
      .is_for_v1 = entry.is_for_v1};
  if (push(slot, stored)) {
    if (!room.log.is_empty()) {
      room.log.advance(store_, number, number + 1, room.readers() - behind);
    }
    return;
  }
  if (own != kNoSlot && has_to_get(own)) --behind;
  if (entry.is_for_v1) count_lost(entry.sender, behind, Counter::kDroppedQueueFull);
  room.log.begin_at(number + 1);
}

}  // namespace chatd
