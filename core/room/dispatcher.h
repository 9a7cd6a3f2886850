// The dispatcher: from an entry in a room's log to the datagrams that go out for it.
//
// A message that was accepted, and a notice of the server's, become an entry of their room's log
// (core/room/room_log.h). Rooms with entries that somebody has still to get take turns
// (core/room/turn_order.h), and a turn sends what has gathered, transposed: per member, all these
// messages together, in as few trains as possible. Everyone who said nothing in between gets the
// same trains; those who did get the same without their own messages.
//
// Nothing that is said waits for more to come: with nothing else to do a room has its turn at once.
// (Who has come and gone waits a moment in a large room of members with protocol v2.) But where
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

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/base/timer_wheel.h"
#include "core/room/bundle_sender.h"
#include "core/room/group_serializer.h"
#include "core/room/history.h"
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
  Dispatcher(const Limits& limits, Roster& roster, Counters& counters, RelayHistograms& histograms,
             const TrainLimits& trains, std::uint32_t store_blocks, const KeyedHash::Key& hash_key,
             TimeMs now_ms);

  // Takes a message from a member for everyone else in its room: a payload of protocol v1, or what
  // one with protocol v2 says. When too much waits in the room, its oldest entry is dropped, and
  // counted.
  void accept(TimeMs now_ms, std::uint32_t sender, std::string_view payload);
  // False: there is no memory for it, and nobody gets it.
  bool accept(TimeMs now_ms, std::uint32_t sender, const v2::Say& say);
  // Takes a message that goes to nobody: its sender is over its rate. For the ledger.
  void refuse(std::uint32_t sender);
  // Takes a payload of protocol v1 from the server itself, for everyone who is in the room now.
  void notify(std::uint32_t room, std::string_view payload);
  // The same for who has come or gone; members with protocol v1 are told only if that is wanted.
  void notify(TimeMs now_ms, std::uint32_t room, const v2::Entry& entry, bool is_for_v1);

  // Rooms take their turns until `out` is full or nothing waits.
  void serve(Outbox& out);
  bool has_waiting() const { return !turns_.is_empty(); }
  // Only for members that have gone, one by one or with their room, until `out` is full (false) or
  // all of them have got everything.
  bool serve_leavers(Outbox& out);
  // Somebody who has gone is still to be told so.
  bool owes_farewells() const { return leavers_ > 0 || turns_.closed_rooms() > 0; }
  // Everything that waits is dropped under this reason, but for farewells.
  void drop_waiting(Counter reason);
  std::uint32_t waiting_messages() const { return store_.entry_count() - store_.kept_count(); }

  // Rooms and members come and go (Membership tells).
  void open_room(std::uint32_t room);
  // What is said in this room is kept a while from here on, as long as the limits say now: it has
  // a member with protocol v2, or its maker wants late ones to read what was said before.
  void keep_entries(std::uint32_t room);
  // The limits have changed: for all rooms of which the same is true.
  void keep_entries_anew();
  // A member with protocol v1 goes, and is about to be taken out of the roster. It gets what was
  // said before, and then `farewell`, if that is not empty.
  void remove_reader(std::uint32_t member, std::string farewell, Outbox& out);
  // The same for one with protocol v2: it is told at once.
  void remove_v2_reader(std::uint32_t member, const v2::Closed& closed, Outbox& out);
  // Ends a room, with its members: takes it out of the roster. Everyone in it is told.
  void close_room(std::uint32_t room);

  // --- For one member with protocol v2 (dispatcher_v2.cpp) --------------------------------------

  // It is here from now on.
  void bind_v2(std::uint32_t member, const Endpoint& endpoint);
  // It says what it has. False: that cannot be.
  bool take_have(TimeMs now_ms, std::uint32_t member, const v2::Have& have);
  // It should be told how long it may put off the next one: that has changed by half.
  bool has_new_have_interval(std::uint32_t member) const;
  // Sends what it wants and misses, as far as one answer goes.
  void send_missing(TimeMs now_ms, std::uint32_t member, const v2::Have& have, Outbox& out);
  // It has answered a probe. False: none that is open.
  bool take_probe_response(std::uint32_t member, const v2::PathResponse& response);
  // Where the log ends, as a frame for it.
  v2::Head head_for(std::uint32_t member) const;
  // The same, for sending: it is told so.
  v2::Head tell_head(std::uint32_t member);
  // A datagram with these frames.
  void send_frames(std::uint32_t member, std::string_view frames, Outbox& out);
  template <class Frame>
  void send_frame(std::uint32_t member, const Endpoint& to, const Frame& frame, Outbox& out) {
    Session& session = roster_.v2_session_of(roster_.members()[member]);
    frame_sender().send_frame(Outbox::Kind::kAnswer, frame, session, to, out);
  }
  // Rooms that have fallen silent: who has not said that it has everything is told where the log
  // ends. And rooms that have waited for more to come and go have their turn. Call it when
  // next_deadline() comes; if it has passed already after that, `out` is full.
  void send_heads(TimeMs now_ms, Outbox& out);
  std::optional<TimeMs> next_deadline() const { return silence_.next_deadline(); }

  // For a hand-over to another relay; the roster has the members and their cursors already.
  std::vector<EntrySnapshot> snapshot(const Room& room) const;
  void restore(std::uint32_t room, const RoomSnapshot& snapshot);

 private:
  // After so long a silence it is said where a log ends, and after twice as long again, and so on;
  // then a member has to ask.
  static constexpr std::uint32_t kFirstHeadDelayMs = 200;
  static constexpr std::uint32_t kMaxHeads = 5;
  // For one whose path loses nothing, in a room where HAVEs are rare: who has everything does not
  // say so, and each more would be one for everybody.
  static constexpr std::uint32_t kFewHeads = 1;

  // What it costs to plan a group for a run of members, however few they are, in the outbox's units
  // of work: otherwise many short runs in one room would make a turn long.
  static constexpr std::uint32_t kWorkPerPlan = 8;

  // A turn of a room sends so many probes at most: they are large.
  static constexpr std::uint32_t kMaxProbesPerTurn = 32;

  // Members at neighbouring positions who all stand at the same entry; none: empty.
  struct Run {
    std::uint32_t begin;
    std::uint32_t end;
    std::uint64_t number;
  };

  // The member positions of a room that has ended; nothing while it is open.
  using Closed = const ClosedRoom*;

  NewEntry said_by(std::uint32_t sender, const v2::Entry& entry) const;
  bool accept(TimeMs now_ms, const NewEntry& entry);
  bool append(TimeMs now_ms, std::uint32_t slot, const NewEntry& entry, std::uint32_t receivers);
  bool push(std::uint32_t slot, const NewEntry& entry);
  static bool has_too_much(const Room& room);
  std::uint32_t position_of(const Room& room, std::uint32_t member, Closed closed) const;
  std::string_view name_of(const Room& room, std::uint32_t entry, Closed closed);
  void drop_first(Room& room, Closed closed, Counter reason);
  void drop_all_waiting(Room& room, Closed closed, Counter reason);
  void count_lost(std::uint32_t sender, std::uint64_t receivers, Counter reason);
  void update_turn(std::uint32_t slot, bool was_waiting);

  void serve_next_room(Outbox& out);
  std::uint64_t serve_entries(Room& room, Closed closed, Outbox& out);
  std::uint64_t serve_v1(Room& room, Closed closed, std::uint64_t max_work, Outbox& out);
  std::uint64_t serve_run(Room& room, const Run& run, std::uint64_t max_work, Closed closed,
                          Outbox& out);
  Run next_run(const Room& room) const;

  // Members with protocol v2 (dispatcher_v2.cpp).
  void hold_for_v2(Room& room) { room.log.hold(store_, room.v2_behind > 0); }
  void hold_turn(TimeMs now_ms, std::uint32_t slot);
  void release_turn(std::uint32_t slot);
  std::uint64_t serve_v2(Room& room, std::uint64_t max_work, Outbox& out);
  static std::uint32_t next_v2_behind(const Room& room);
  std::uint64_t serve_v2_member(Room& room, std::uint32_t position, Outbox& out);
  void send_head(std::uint32_t member, Outbox& out);
  std::uint32_t send_range(Room& room, std::uint32_t position, v2::Range range,
                           std::uint32_t max_bytes, Outbox& out);
  BundleSender& frame_sender() { return bundles_.front().sender; }
  void forget_bundles();
  std::uint8_t largest_bundle_to(const Endpoint& endpoint) const;
  std::uint64_t probe_larger(Room& room, std::uint32_t position, Outbox& out);
  void probe_again(TimeMs now_ms, Room& room, std::uint32_t position, Outbox& out);
  void send_probe(Room& room, std::uint32_t position, std::uint8_t size, Outbox& out);
  void send_gap(Room& room, std::uint32_t position, v2::Range numbers, Outbox& out);
  void send_heads_of(TimeMs now_ms, std::uint32_t slot, Outbox& out);
  static std::uint32_t max_heads(const Room& room, const Session& session);

  EntrySnapshot snapshot(std::uint32_t entry) const;
  void restore(std::uint32_t room, std::uint64_t number, const EntrySnapshot& entry);

  // Who has gone (dispatcher_leavers.cpp).
  void drop_first_leaver(Room& room, Outbox& out);
  std::uint64_t serve_leavers_of(Room& room, Closed closed, std::uint64_t max_work, Outbox& out);
  std::uint64_t serve_leaver(Room& room, Closed closed, Outbox& out);
  void send_farewell(Room& room, Outbox& out);
  void serve_closed_room(ClosedRoom& closed, Outbox& out);
  std::uint64_t send_farewells(ClosedRoom& closed, std::uint64_t max_work, Outbox& out);
  void send_farewell(ClosedRoom& closed, std::uint32_t position, Outbox& out);
  void send_farewell(const Endpoint& to, std::string_view farewell, Outbox& out);

  const Limits& limits_;
  Roster& roster_;
  Counters& counters_;
  RelayHistograms& histograms_;
  MessageStore store_;
  TurnOrder turns_;
  GroupSerializer group_;  // that a turn sends
  // The same for members with protocol v2: one for each of kBundleSizes, and what it holds in this
  // turn.
  struct Bundles {
    BundleSender sender;
    std::uint64_t number = 0;  // 0: nothing
    std::uint64_t head = 0;
  };
  std::array<Bundles, kBundleSizes.size()> bundles_;
  std::uint8_t largest_v6_;        // of them, that may be sent over IPv6
  std::uint32_t probes_left_ = 0;  // in this turn
  History history_;
  TimerWheel silence_;         // of rooms in which members with protocol v2 may have missed the end
  std::uint32_t leavers_ = 0;  // in all rooms
  std::array<char, kMaxNameBytes> departed_name_{};
};

}  // namespace chatd
