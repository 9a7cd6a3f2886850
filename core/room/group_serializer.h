// From a few entries of a room's log to protocol v1's datagrams in the outbox: the last step of the
// dispatcher (core/room/dispatcher.h).
//
// A group is what one run of members gets in one turn: up to 64 messages, or one notice. It is
// planned as trains (core/room/train_planner.h), its bytes are written once, in the plan's order,
// so that a whole train is one piece, and whoever said nothing in it gets the same trains. Who did
// gets the same without its own messages: then a train is a few pieces of the same bytes.
//
// What a member with protocol v1 has said goes out byte for byte. What one with protocol v2 has
// said, and who comes and goes, is put into the JSON that clients with protocol v1 know, here and
// not before: for many a room nobody needs it.
//
// Use: prepare(), and then the send functions, as often as need be. Thread: one at a time. Nothing
// is allocated.
#pragma once

#include <absl/functional/function_ref.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "core/base/endpoint.h"
#include "core/base/json_writer.h"
#include "core/room/message_store.h"
#include "core/room/outbox.h"
#include "core/room/room.h"
#include "core/room/train_planner.h"

namespace chatd {

class GroupSerializer {
 public:
  GroupSerializer(const MessageStore& store, const TrainLimits& limits);

  // The name of the member that has said an entry.
  using NameOf = absl::FunctionRef<std::string_view(std::uint32_t entry)>;

  // Entries from `number` to before `end`, as many as fit a plan, or one notice: what people said
  // before and after a notice is heard before and after it. Writes their bytes into the outbox's
  // memory.
  void prepare(const RoomLog& log, std::uint64_t number, std::uint64_t end, NameOf name_of,
               Outbox& out);

  // Entries in the group, also those that are not for protocol v1.
  std::uint32_t entry_count() const { return entry_count_; }
  // Messages to send.
  std::uint32_t size() const { return size_; }
  // In the outbox's units, for each member that gets it.
  std::uint32_t work_per_member() const {
    return plan_.train_count * Outbox::kWorkPerTrain + size_;
  }
  // Which messages are this member's.
  MessageSet messages_of(std::uint32_t member) const;

  // To the members of `room` at positions first..last-1 whose address is known. `position_of` says
  // where in the room a member is that has a message in the group (kNoSlot: nowhere).
  template <class PositionOf>
  void send(const Room& room, std::uint32_t first, std::uint32_t last, PositionOf position_of,
            Outbox& out) {
    if (size_ == 0) return;  // none of it is for protocol v1
    sender_count_ = 0;
    for (std::uint32_t i = 0; i < size_; ++i) {
      const std::uint32_t position = position_of(sender(i));
      if (position >= first && position < last && room.is_bound(position)) add_sender(position, i);
    }
    send_to_range(room, first, last, out);
  }
  // To one, without its own messages.
  void send(MessageSet own_messages, const Endpoint& to, Outbox& out);

 private:
  void plan(const RoomLog& log, std::uint64_t number, std::uint64_t end, NameOf name_of);
  bool add(std::uint32_t entry, NameOf name_of);
  std::string_view write_json(std::uint32_t entry, NameOf name_of);
  void serialize(Outbox& out);
  char* copy(std::uint32_t index, char* to) const;

  // A member that has messages of its own in the group.
  struct Sender {
    std::uint32_t position;  // in the room
    MessageSet own_messages;
  };

  const MessageShape& shape(std::uint32_t index) const { return shapes_[plan_.order[index]]; }
  std::uint32_t sender(std::uint32_t index) const { return shape(index).sender; }
  void add_sender(std::uint32_t position, std::uint32_t index);
  void send_to_range(const Room& room, std::uint32_t first, std::uint32_t last, Outbox& out);
  static void add_bound(const Room& room, std::uint32_t first, std::uint32_t last, Outbox& out);
  void open_whole(Outbox& out);

  const MessageStore& store_;
  const TrainLimits limits_;

  std::array<MessageShape, kMaxPlannedMessages> shapes_;
  std::array<std::uint32_t, kMaxPlannedMessages> messages_;  // in the store
  // What follows 00 00: in the store, or in written_; nothing: in the store, in several pieces.
  std::array<std::string_view, kMaxPlannedMessages> contents_;
  std::uint32_t size_ = 0;
  std::uint32_t entry_count_ = 0;
  JsonWriter writer_;
  std::unique_ptr<char[]> written_;
  std::size_t written_bytes_ = 0;
  TrainPlan plan_;
  char* bytes_ = nullptr;
  std::array<std::uint32_t, kMaxPlannedMessages + 1> offsets_;  // of the n-th in the plan's order
  std::array<Sender, kMaxPlannedMessages> senders_;
  std::uint32_t sender_count_ = 0;
};

}  // namespace chatd
