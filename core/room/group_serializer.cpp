#include "core/room/group_serializer.h"

#include <bit>
#include <span>

namespace chatd {
namespace {

// Messages first..last-1.
constexpr MessageSet range(std::uint32_t first, std::uint32_t last) {
  const MessageSet below_last = last == 64 ? ~MessageSet{0} : bit(last) - 1;
  return below_last & ~(bit(first) - 1);
}

}  // namespace

void GroupSerializer::prepare(const RoomLog& log, std::uint64_t number, std::uint64_t end,
                              Outbox& out) {
  plan(log, number, end);
  serialize(out);
}

void GroupSerializer::plan(const RoomLog& log, std::uint64_t number, std::uint64_t end) {
  const auto most =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(end - number, kMaxPlannedMessages));
  std::uint32_t message = log.entry(store_, number);
  for (size_ = 0; size_ < most; message = store_.next(message)) {
    const std::uint32_t sender = store_.sender(message);
    if (size_ > 0 && (sender == kFromServer || shapes_[0].sender == kFromServer)) break;
    messages_[size_] = message;
    shapes_[size_++] = {.sender = sender, .size_bytes = store_.size_bytes(message)};
  }
  plan_trains(std::span(shapes_).first(size_), limits_, plan_);
}

void GroupSerializer::serialize(Outbox& out) {
  std::uint32_t size_bytes = 0;
  for (std::uint32_t i = 0; i < size_; ++i) size_bytes += shapes_[i].size_bytes;
  bytes_ = out.allocate(size_bytes);
  char* end = bytes_;
  for (std::uint32_t i = 0; i < size_; ++i) {
    offsets_[i] = static_cast<std::uint32_t>(end - bytes_);
    end = store_.copy_to(messages_[plan_.order[i]], end);
  }
  offsets_[size_] = size_bytes;
}

MessageSet GroupSerializer::messages_of(std::uint32_t member) const {
  MessageSet messages = 0;
  for (std::uint32_t i = 0; i < size_; ++i) {
    if (sender(i) == member) messages |= bit(i);
  }
  return messages;
}

void GroupSerializer::add_sender(std::uint32_t position, std::uint32_t index) {
  const auto begin = senders_.begin();
  const auto known = std::find_if(begin, begin + sender_count_, [position](const Sender& one) {
    return one.position == position;
  });
  if (known != begin + sender_count_) {
    known->own_messages |= bit(index);
  } else {
    senders_[sender_count_++] = {.position = position, .own_messages = bit(index)};
  }
}

// The whole group to all but its senders, and to each of them the rest.
void GroupSerializer::send_to_range(const Room& room, std::uint32_t first, std::uint32_t last,
                                    Outbox& out) {
  std::sort(senders_.begin(), senders_.begin() + sender_count_,
            [](const Sender& a, const Sender& b) { return a.position < b.position; });
  const auto senders = std::span(senders_).first(sender_count_);
  if (last - first > sender_count_) {
    open_whole(out);
    std::uint32_t position = first;
    for (const Sender& sender : senders) {
      add_bound(room, position, sender.position, out);
      position = sender.position + 1;
    }
    add_bound(room, position, last, out);
  }
  for (const Sender& sender : senders) {
    send(sender.own_messages, room.endpoints[sender.position], out);
  }
}

void GroupSerializer::add_bound(const Room& room, std::uint32_t first, std::uint32_t last,
                                Outbox& out) {
  const auto endpoints = std::span(room.endpoints).subspan(first, last - first);
  if (room.pending_members == 0) return out.add(endpoints);
  for (const Endpoint& endpoint : endpoints) {
    if (endpoint.port != 0) out.add(endpoint);
  }
}

// Destinations follow.
void GroupSerializer::open_whole(Outbox& out) {
  out.open(shapes_[0].sender == kFromServer ? Outbox::Kind::kNotice : Outbox::Kind::kMessage);
  for (std::uint32_t i = 0; i < plan_.train_count; ++i) {
    const TrainPlan::Train& train = plan_.trains[i];
    const std::uint32_t begin = offsets_[train.first];
    const std::uint32_t end = offsets_[train.first + train.count];
    out.open_train(shape(train.first).size_bytes);
    out.add_piece({bytes_ + begin, end - begin}, train.count);
  }
}

void GroupSerializer::send(MessageSet own_messages, const Endpoint& to, Outbox& out) {
  if (own_messages == 0) {
    open_whole(out);
    return out.add(to);
  }
  const MessageSet others_messages = range(0, size_) & ~own_messages;
  if (others_messages == 0) return;
  out.open(Outbox::Kind::kMessage);
  for (std::uint32_t i = 0; i < plan_.train_count; ++i) {
    const TrainPlan::Train& train = plan_.trains[i];
    MessageSet left = others_messages & range(train.first, train.first + train.count);
    if (left == 0) continue;
    out.open_train(shape(static_cast<std::uint32_t>(std::countr_zero(left))).size_bytes);
    while (left != 0) {  // a piece: neighbours that all stay
      const auto begin = static_cast<std::uint32_t>(std::countr_zero(left));
      const auto count = static_cast<std::uint32_t>(std::countr_one(left >> begin));
      out.add_piece({bytes_ + offsets_[begin], offsets_[begin + count] - offsets_[begin]}, count);
      left &= ~range(begin, begin + count);
    }
  }
  out.add(to);
}

}  // namespace chatd
