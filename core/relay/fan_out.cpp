#include "core/relay/fan_out.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <span>

#include "core/limits.h"

namespace chatd {
namespace {

constexpr std::uint64_t bit(std::uint32_t index) {
  return std::uint64_t{1} << index;
}

// Bits first..last-1.
constexpr std::uint64_t bits(std::uint32_t first, std::uint32_t last) {
  const std::uint64_t below_last = last == 64 ? ~std::uint64_t{0} : bit(last) - 1;
  return below_last & ~(bit(first) - 1);
}

}  // namespace

FanOut::FanOut(Roster& roster, Counters& counters, Measures& measures, const TrainLimits& limits,
               std::uint32_t store_blocks)
    : roster_(roster),
      counters_(counters),
      measures_(measures),
      limits_(limits),
      store_(store_blocks) {}

// Members without a known address get nothing; they are counted when the message is accepted, and
// nothing changes that before it is sent.
std::uint32_t FanOut::deliveries_per_message(const Room& room) const {
  return static_cast<std::uint32_t>(room.members.size()) - 1 - room.pending_members;
}

void FanOut::accept(std::uint32_t sender, std::string_view payload) {
  const std::uint32_t slot = roster_.members()[sender].room;
  Room& room = roster_.rooms()[slot];
  const std::uint32_t deliveries = deliveries_per_message(room);
  counters_.add(Counter::kMessagesAccepted);
  counters_.add(Counter::kDroppedPendingMember, room.pending_members);
  counters_.add(Counter::kDeliveriesPlanned, deliveries);
  measures_.receivers.add(deliveries);
  if (deliveries == 0) return;

  const bool was_waiting = room.waiting.count > 0;
  if (has_too_much(room, deliveries)) drop_oldest(room);
  while (!store_.push(room.waiting, sender, payload)) {
    if (room.waiting.count == room.progress.most_sent()) {  // nothing here could give way
      counters_.add(Counter::kDroppedQueueFull, deliveries);
      if (was_waiting && room.waiting.count == 0) step_out(slot);
      return;
    }
    drop_oldest(room);
  }
  if (!was_waiting) line_up(slot);
}

void FanOut::refuse(std::uint32_t sender) {
  const Room& room = roster_.room_of(roster_.members()[sender]);
  counters_.add(Counter::kMessagesAccepted);
  counters_.add(Counter::kMessagesOverLimit);
  counters_.add(Counter::kDroppedOverLimit, room.members.size() - 1);
}

// By messages, and by what they come to: all of it must go out at once when somebody joins.
bool FanOut::has_too_much(const Room& room, std::uint32_t deliveries) {
  const std::uint32_t count = room.waiting.count;
  if (count == kMaxWaitingMessages) return true;
  return count > 2 * kMaxPlannedMessages &&
         std::uint64_t{count} * deliveries >= kMaxWaitingDeliveries;
}

// What some members have already got goes to the others, too.
void FanOut::drop_oldest(Room& room) {
  store_.remove(room.waiting, room.progress.most_sent());
  counters_.add(Counter::kDroppedQueueFull, deliveries_per_message(room));
}

void FanOut::line_up(std::uint32_t slot) {
  Room& room = roster_.rooms()[slot];
  room.next_waiting = kNoSlot;
  room.previous_waiting = last_waiting_;
  if (last_waiting_ == kNoSlot) {
    first_waiting_ = slot;
  } else {
    roster_.rooms()[last_waiting_].next_waiting = slot;
  }
  last_waiting_ = slot;
}

void FanOut::step_out(std::uint32_t slot) {
  Room& room = roster_.rooms()[slot];
  if (room.previous_waiting == kNoSlot) {
    first_waiting_ = room.next_waiting;
  } else {
    roster_.rooms()[room.previous_waiting].next_waiting = room.next_waiting;
  }
  if (room.next_waiting == kNoSlot) {
    last_waiting_ = room.previous_waiting;
  } else {
    roster_.rooms()[room.next_waiting].previous_waiting = room.previous_waiting;
  }
}

void FanOut::take_turns(Outbox& out) {
  while (has_waiting() && !out.is_full()) {
    const std::uint32_t slot = first_waiting_;
    take_turn(slot, kMaxTurnWork, out);
    step_out(slot);
    if (roster_.rooms()[slot].waiting.count > 0) line_up(slot);
  }
}

void FanOut::settle(std::uint32_t slot, Outbox& out) {
  const Room& room = roster_.rooms()[slot];
  if (room.waiting.count == 0) return;
  while (room.waiting.count > 0) {
    take_turn(slot, std::numeric_limits<std::uint32_t>::max(), out);
  }
  step_out(slot);
}

// Sends what waits to those who are next, as many as `max_work` allows.
void FanOut::take_turn(std::uint32_t slot, std::uint32_t max_work, Outbox& out) {
  Room& room = roster_.rooms()[slot];
  plan_group(room);
  lay_out(out);

  const auto room_size = static_cast<std::uint32_t>(room.members.size());
  const Progress::Span next = room.progress.next(room_size);
  const std::uint32_t work = plan_.train_count * Outbox::kWorkPerTrain + group_size_;
  const std::uint32_t count =
      std::min(next.end - next.begin, std::max(Progress::kMinSlice, max_work / work));
  find_speakers(next.begin, next.begin + count);
  send_to(room, next.begin, next.begin + count, out);
  store_.pop(room.waiting, room.progress.advance(room_size, count, group_size_));
}

void FanOut::plan_group(const Room& room) {
  group_size_ = std::min(room.waiting.count, kMaxPlannedMessages);
  std::uint32_t message = room.waiting.first;
  for (std::uint32_t i = 0; i < group_size_; ++i, message = store_.next(message)) {
    messages_[i] = message;
    shapes_[i] = {.sender = store_.sender(message), .size_bytes = store_.size_bytes(message)};
  }
  plan_trains(std::span(shapes_).first(group_size_), limits_, plan_);
}

// The group's bytes one after the other, in the plan's order, so that a whole train is one piece.
void FanOut::lay_out(Outbox& out) {
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

// Those among the members at first..last-1 who have messages in the group, by position.
void FanOut::find_speakers(std::uint32_t first, std::uint32_t last) {
  speaker_count_ = 0;
  const auto begin = speakers_.begin();
  for (std::uint32_t i = 0; i < group_size_; ++i) {
    const std::uint32_t slot = shapes_[plan_.order[i]].sender;
    const std::uint32_t position = roster_.members()[slot].position;
    if (position < first || position >= last) continue;
    const auto known = std::find_if(begin, begin + speaker_count_, [position](const Speaker& one) {
      return one.position == position;
    });
    if (known != begin + speaker_count_) {
      known->own_words |= bit(i);
    } else {
      speakers_[speaker_count_++] = {.position = position, .own_words = bit(i)};
    }
  }
  std::sort(begin, begin + speaker_count_,
            [](const Speaker& a, const Speaker& b) { return a.position < b.position; });
}

void FanOut::send_to(const Room& room, std::uint32_t first, std::uint32_t last, Outbox& out) {
  if (last - first > speaker_count_) {
    out.open(Outbox::Kind::kMessage);
    for (std::uint32_t i = 0; i < plan_.train_count; ++i) {
      const TrainPlan::Train& train = plan_.trains[i];
      const std::uint32_t begin = offsets_[train.first];
      const std::uint32_t end = offsets_[train.first + train.count];
      out.open_train(shapes_[plan_.order[train.first]].size_bytes);
      out.add_piece({bytes_ + begin, end - begin}, train.count);
    }
    std::uint32_t position = first;
    for (std::uint32_t i = 0; i < speaker_count_; ++i) {
      add_bound(room, position, speakers_[i].position, out);
      position = speakers_[i].position + 1;
    }
    add_bound(room, position, last, out);
  }
  for (std::uint32_t i = 0; i < speaker_count_; ++i) send_without(room, speakers_[i], out);
}

// The same trains without the speaker's own words.
void FanOut::send_without(const Room& room, const Speaker& speaker, Outbox& out) {
  const std::uint64_t others_words = bits(0, group_size_) & ~speaker.own_words;
  if (others_words == 0) return;
  out.open(Outbox::Kind::kMessage);
  for (std::uint32_t i = 0; i < plan_.train_count; ++i) {
    const TrainPlan::Train& train = plan_.trains[i];
    std::uint64_t left = others_words & bits(train.first, train.first + train.count);
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
  out.add(room.endpoints[speaker.position]);
}

// Those at first..last-1 whose address is known.
std::uint32_t FanOut::add_bound(const Room& room, std::uint32_t first, std::uint32_t last,
                                Outbox& out) {
  const auto endpoints = std::span(room.endpoints).subspan(first, last - first);
  if (room.pending_members == 0) {
    out.add(endpoints);
    return 0;
  }
  std::uint32_t pending = 0;
  for (const Endpoint& endpoint : endpoints) {
    if (endpoint.port == 0) {
      ++pending;
    } else {
      out.add(endpoint);
    }
  }
  return pending;
}

std::uint32_t FanOut::add_others(const Room& room, std::uint32_t position, Outbox& out) {
  const auto room_size = static_cast<std::uint32_t>(room.members.size());
  return add_bound(room, 0, position, out) + add_bound(room, position + 1, room_size, out);
}

std::uint32_t FanOut::add_all(const Room& room, Outbox& out) {
  return add_bound(room, 0, static_cast<std::uint32_t>(room.members.size()), out);
}

}  // namespace chatd
