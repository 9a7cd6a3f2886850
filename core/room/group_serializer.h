// From a few entries of a room's log to protocol v1's datagrams in the outbox: the last step of the
// dispatcher (core/room/dispatcher.h).
//
// A group is what one run of members gets in one turn: up to 64 messages, or one notice. It is
// planned as trains (core/room/train_planner.h), its bytes are written once, in the plan's order,
// so that a whole train is one piece, and whoever said nothing in it gets the same trains. Who did
// gets the same without its own messages: then a train is a few pieces of the same bytes.
//
// Use: prepare(), and then the send functions, as often as need be. Thread: one at a time. Nothing
// is allocated.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/base/endpoint.h"
#include "core/room/message_store.h"
#include "core/room/outbox.h"
#include "core/room/room.h"
#include "core/room/train_planner.h"

namespace chatd {

class GroupSerializer {
 public:
  GroupSerializer(const MessageStore& store, const TrainLimits& limits)
      : store_(store), limits_(limits) {}

  // Entries from `number` to before `end`, as many as fit a plan, or one notice: what people said
  // before and after a notice is heard before and after it. Writes their bytes into the outbox's
  // memory.
  void prepare(const RoomLog& log, std::uint64_t number, std::uint64_t end, Outbox& out);

  // Entries in the group.
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
  void plan(const RoomLog& log, std::uint64_t number, std::uint64_t end);
  void serialize(Outbox& out);

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
  std::uint32_t size_ = 0;
  TrainPlan plan_;
  char* bytes_ = nullptr;
  std::array<std::uint32_t, kMaxPlannedMessages + 1> offsets_;  // of the n-th in the plan's order
  std::array<Sender, kMaxPlannedMessages> senders_;
  std::uint32_t sender_count_ = 0;
};

}  // namespace chatd
