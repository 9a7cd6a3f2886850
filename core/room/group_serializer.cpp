#include "core/room/group_serializer.h"

#include <bit>
#include <cstring>
#include <span>

#include "core/wire/v1/datagram.h"
#include "core/wire/v1/notice.h"

namespace chatd {
namespace {

// For what has to be written anew: some texts of the largest size and a name, each of whose bytes
// may have to be escaped.
constexpr std::size_t kWrittenBytes = 64 * 1024;
constexpr std::size_t kMaxJsonBytes = 16 * 1024;

// Messages first..last-1.
constexpr MessageSet range(std::uint32_t first, std::uint32_t last) {
  const MessageSet below_last = last == 64 ? ~MessageSet{0} : bit(last) - 1;
  return below_last & ~(bit(first) - 1);
}

}  // namespace

GroupSerializer::GroupSerializer(const MessageStore& store, const TrainLimits& limits)
    : store_(store),
      limits_(limits),
      written_(std::make_unique_for_overwrite<char[]>(kWrittenBytes)) {
  // So that its memory has grown before the first message.
  write_message(writer_, "", std::string(kMaxJsonBytes, ' '));
}

void GroupSerializer::prepare(const RoomLog& log, std::uint64_t number, std::uint64_t end,
                              NameOf name_of, Outbox& out) {
  plan(log, number, end, name_of);
  serialize(out);
}

// False: it is for another group.
inline bool GroupSerializer::add(std::uint32_t entry, NameOf name_of) {
  const std::uint32_t sender = store_.sender(entry);
  if (size_ > 0 && (sender == kFromServer || shapes_[0].sender == kFromServer)) return false;
  std::uint32_t size_bytes = store_.content_bytes(entry);
  if (store_.content_type(entry) == v2::ContentType::kV1Payload) {
    contents_[size_] = store_.content(entry);
  } else {
    const std::string_view json = write_json(entry, name_of);
    if (json.empty()) return false;
    contents_[size_] = json;
    size_bytes = static_cast<std::uint32_t>(json.size());
  }
  messages_[size_] = entry;
  shapes_[size_++] = {.sender = sender,
                      .size_bytes = static_cast<std::uint32_t>(kServerPrefix.size()) + size_bytes};
  return true;
}

void GroupSerializer::plan(const RoomLog& log, std::uint64_t number, std::uint64_t end,
                           NameOf name_of) {
  size_ = entry_count_ = 0;
  written_bytes_ = 0;
  std::uint32_t entry = log.entry(store_, number);
  for (; number < end && size_ < kMaxPlannedMessages; ++number, ++entry_count_) {
    if (store_.is_for_v1(entry) && !add(entry, name_of)) break;
    entry = store_.next(entry);
  }
  plan_trains(std::span(shapes_).first(size_), limits_, plan_);
}

// Empty: there is no memory left for it in this group.
std::string_view GroupSerializer::write_json(std::uint32_t entry, NameOf name_of) {
  std::array<char, v2::kMaxSayBytes> content;
  const std::string_view text(
      content.data(),
      static_cast<std::size_t>(store_.copy_content_to(entry, content.data()) - content.data()));
  writer_.clear();
  switch (store_.kind(entry)) {
    case v2::EntryKind::kSaid:
      write_message(writer_, name_of(entry), text);
      break;
    case v2::EntryKind::kJoined:
      write_joined_notice(writer_, text);
      break;
    case v2::EntryKind::kLeft:
      write_left_notice(writer_, text);
      break;
  }
  const std::string_view json = writer_.text();
  if (json.size() > kWrittenBytes - written_bytes_) return {};
  char* const to = written_.get() + written_bytes_;
  std::copy(json.begin(), json.end(), to);
  written_bytes_ += json.size();
  return {to, json.size()};
}

// The datagram for a message.
inline char* GroupSerializer::copy(std::uint32_t index, char* to) const {
  std::memcpy(to, kServerPrefix.data(), kServerPrefix.size());
  to += kServerPrefix.size();
  const std::string_view content = contents_[index];
  if (content.data() == nullptr) return store_.copy_content_to(messages_[index], to);
  std::memcpy(to, content.data(), content.size());
  return to + content.size();
}

void GroupSerializer::serialize(Outbox& out) {
  std::uint32_t size_bytes = 0;
  for (std::uint32_t i = 0; i < size_; ++i) size_bytes += shapes_[i].size_bytes;
  bytes_ = out.allocate(size_bytes);
  char* end = bytes_;
  for (std::uint32_t i = 0; i < size_; ++i) {
    offsets_[i] = static_cast<std::uint32_t>(end - bytes_);
    end = copy(plan_.order[i], end);
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
  if (size_ == 0) return;
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
