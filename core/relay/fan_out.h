// Fan-out: from a message that was accepted to the datagrams that go out for it.
//
// A message is put into its room's queue. Rooms with something in their queue take turns, and a
// turn sends what has gathered there, transposed: per member, all these messages together, in as
// few trains as possible. Everyone who said nothing in between gets the same trains; those who did
// get the same without their own words.
//
// Nothing waits for more to come: with nothing else to do a room has its turn at once. But where
// messages arrive faster than they can be sent, they gather while their room waits, and trains
// become longer and sending cheaper: the busier, the more efficient. And since a turn's work is
// bounded, and a room that has more joins the end of the line, a flood into one room takes its
// share of the server and no more (deficit round robin in its simplest form: Shreedhar, Varghese,
// "Efficient Fair Queueing using Deficit Round Robin", 1995).
//
// A turn may end in the middle of a large room: then the next one goes on with the next members,
// who also get what has been said meanwhile (core/fanout/progress.h). So that each message reaches
// exactly those who were in the room when it was accepted, settle() sends all that waits there
// before members come, go or become reachable.
//
// Thread: one at a time. Nothing is allocated for a message.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/fanout/message_store.h"
#include "core/fanout/train_planner.h"
#include "core/relay/counters.h"
#include "core/relay/measures.h"
#include "core/relay/outbox.h"
#include "core/relay/roster.h"

namespace chatd {

class FanOut {
 public:
  FanOut(Roster& roster, Counters& counters, Measures& measures, const TrainLimits& limits,
         std::uint32_t store_blocks);

  // Takes a message from a member for everyone else in its room. When the room's queue is full, its
  // oldest message is dropped, and counted.
  void accept(std::uint32_t sender, std::string_view payload);

  // Takes a message that goes to nobody: its sender is over its rate. For the ledger.
  void refuse(std::uint32_t sender);

  // Rooms take their turns until `out` is full or nothing waits.
  void take_turns(Outbox& out);
  bool has_waiting() const { return first_waiting_ != kNoSlot; }
  std::uint32_t waiting_messages() const { return store_.message_count(); }

  // Everything that waits in this room goes out now, whether `out` is full or not.
  void settle(std::uint32_t room, Outbox& out);

  // Opens no fan-out but adds everyone in the room with a known address, except the member at
  // `position`, to the one that is open. Returns how many addresses were not known.
  static std::uint32_t add_others(const Room& room, std::uint32_t position, Outbox& out);
  // The same for everyone.
  static std::uint32_t add_all(const Room& room, Outbox& out);

 private:
  // A member that has messages of its own in the group.
  struct Speaker {
    std::uint32_t position;   // in the room
    std::uint64_t own_words;  // bits, in the plan's order
  };

  void line_up(std::uint32_t room);
  void step_out(std::uint32_t room);
  void take_turn(std::uint32_t room, std::uint32_t max_work, Outbox& out);
  static bool has_too_much(const Room& room, std::uint32_t deliveries);
  void drop_oldest(Room& room);
  std::uint32_t deliveries_per_message(const Room& room) const;

  void plan_group(const Room& room);
  void lay_out(Outbox& out);
  void find_speakers(std::uint32_t first, std::uint32_t last);
  void send_to(const Room& room, std::uint32_t first, std::uint32_t last, Outbox& out);
  static std::uint32_t add_bound(const Room& room, std::uint32_t first, std::uint32_t last,
                                 Outbox& out);
  void send_without(const Room& room, const Speaker& speaker, Outbox& out);

  Roster& roster_;
  Counters& counters_;
  Measures& measures_;
  const TrainLimits limits_;
  MessageStore store_;

  // Rooms with messages, in the order of their turns: a list through Room::next_waiting.
  std::uint32_t first_waiting_ = kNoSlot;
  std::uint32_t last_waiting_ = kNoSlot;

  // The group that a turn sends.
  std::array<MessageShape, kMaxPlannedMessages> shapes_;
  std::array<std::uint32_t, kMaxPlannedMessages> messages_;  // in the store
  std::uint32_t group_size_ = 0;
  TrainPlan plan_;
  char* bytes_ = nullptr;
  std::array<std::uint32_t, kMaxPlannedMessages + 1> offsets_;  // of the n-th in the plan's order
  std::array<Speaker, kMaxPlannedMessages> speakers_;           // by position
  std::uint32_t speaker_count_ = 0;
};

}  // namespace chatd
