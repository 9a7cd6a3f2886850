// The dispatcher: from an entry in a room's log to the datagrams that go out for it.
//
// A message that was accepted, and a notice of the server's, become an entry of their room's log
// (core/room/room_log.h). Rooms with entries that somebody has still to get take turns
// (core/room/turn_order.h), and a turn sends what has gathered, transposed: per member, all these
// messages together, in as few trains as possible. Everyone who said nothing in between gets the
// same trains; those who did get the same without their own messages.
//
// Nothing waits for more to come: with nothing else to do a room has its turn at once. But where
// messages arrive faster than they can be sent, they gather while their room waits, and trains
// become longer and sending cheaper: the busier, the more efficient. A turn's work is bounded, so a
// flood into one room takes its share of the server and no more.
//
// A turn may end in the middle of a large room. The next one goes on with the members behind, who
// then get what has been said meanwhile as well, as a lift goes on from where it is. Who joins or
// is bound in between has a cursor of its own. Who leaves is out of the roster at once, and what it
// has still to get goes out to it in the room's turns, then its farewell if it gets one; the same
// holds for all members of a room that ends. So nothing is sent ahead of its turn, but before a
// hand-over what those who have gone have still to get.
//
// Thread: one at a time. Nothing is allocated for a message.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/room/group_serializer.h"
#include "core/room/message_store.h"
#include "core/room/outbox.h"
#include "core/room/roster.h"
#include "core/room/snapshot.h"
#include "core/room/train_planner.h"
#include "core/room/turn_order.h"
#include "core/stats/counters.h"
#include "core/stats/histograms.h"

namespace chatd {

class Dispatcher {
 public:
  Dispatcher(Roster& roster, Counters& counters, RelayHistograms& histograms,
             const TrainLimits& limits, std::uint32_t store_blocks, const KeyedHash::Key& hash_key);

  // Takes a message from a member for everyone else in its room. When too much waits in the room,
  // its oldest entry is dropped, and counted.
  void accept(std::uint32_t sender, std::string_view payload);
  // Takes a message that goes to nobody: its sender is over its rate. For the ledger.
  void refuse(std::uint32_t sender);
  // Takes a notice for everyone who is in the room now.
  void notify(std::uint32_t room, std::string_view payload);

  // Rooms take their turns until `out` is full or nothing waits.
  void serve(Outbox& out);
  bool has_waiting() const { return !turns_.is_empty(); }
  // Only for members that have gone, one by one or with their room, until `out` is full (false) or
  // all of them have got everything.
  bool serve_leavers(Outbox& out);
  // Everything that waits is dropped under this reason, but for farewells.
  void drop_waiting(Counter reason);
  std::uint32_t waiting_messages() const { return store_.message_count(); }

  // Rooms and members come and go (Membership tells).
  void open_room(std::uint32_t room) { turns_.add_room(room); }
  // A member goes, and is about to be taken out of the roster. It gets what was said before, and
  // then `farewell`, if that is not empty.
  void remove_reader(std::uint32_t member, std::string farewell, Outbox& out);
  // Ends a room, with its members: takes it out of the roster. Everyone in it is told.
  void close_room(std::uint32_t room);

  // For a hand-over to another relay; the roster has the members and their cursors already.
  std::vector<EntrySnapshot> snapshot(const Room& room) const;
  void restore(std::uint32_t room, const RoomSnapshot& snapshot);

 private:
  // What it costs to plan a group for a run of members, however few they are, in the outbox's units
  // of work: otherwise many short runs in one room would make a turn long.
  static constexpr std::uint32_t kWorkPerPlan = 8;

  // Members at neighbouring positions who all stand at the same entry; none: empty.
  struct Run {
    std::uint32_t begin;
    std::uint32_t end;
    std::uint64_t number;
  };

  void append(std::uint32_t slot, std::uint32_t sender, std::string_view payload,
              std::uint32_t receivers);
  bool push(Room& room, std::uint32_t sender, std::string_view payload);
  static bool has_too_much(const Room& room);
  std::uint32_t position_of(const Room& room, std::uint32_t member,
                            const Positions* positions) const;
  void drop_oldest(Room& room, const Positions* positions, Counter reason);
  void count_lost(std::uint32_t sender, std::uint64_t receivers, Counter reason);

  void serve_next_room(Outbox& out);
  std::uint64_t serve_entries(Room& room, const Positions* positions, Outbox& out);
  std::uint64_t serve_run(Room& room, const Run& run, std::uint64_t max_work,
                          const Positions* positions, Outbox& out);
  Run next_run(const Room& room) const;

  // Who has gone (dispatcher_leavers.cpp).
  void drop_first_leaver(Room& room, Outbox& out);
  std::uint64_t serve_leavers_of(Room& room, std::uint64_t max_work, Outbox& out);
  std::uint64_t serve_leaver(Room& room, Outbox& out);
  void send_farewell(Room& room, Outbox& out);
  void serve_closed_room(ClosedRoom& closed, Outbox& out);
  std::uint64_t send_farewells(ClosedRoom& closed, std::uint64_t max_work, Outbox& out);
  void send_farewell(const Endpoint& to, std::string_view farewell, Outbox& out);

  Roster& roster_;
  Counters& counters_;
  RelayHistograms& histograms_;
  MessageStore store_;
  TurnOrder turns_;
  GroupSerializer group_;      // that a turn sends
  std::uint32_t leavers_ = 0;  // in all rooms
};

}  // namespace chatd
