// Which rooms keep entries that nobody waits for (core/room/room_log.h), so that the store always
// has memory for what is said now: when less than a quarter is free, the room that has been silent
// for the longest gives up its oldest entries, one for each that comes in. So an idle room's past
// makes way for a busy room's present, and no room's past can be made to fill the store.
//
// The rooms form a list through themselves. Thread: one at a time. Nothing is allocated.
#pragma once

#include <cstdint>

#include "core/room/message_store.h"
#include "core/room/roster.h"

namespace chatd {

class History {
 public:
  History(Roster& roster, MessageStore& store) : roster_(roster), store_(store) {}

  // Something was said in this room, which keeps entries.
  void on_entry(std::uint32_t room);
  // It keeps none any more, or ends.
  void remove(std::uint32_t room);
  // Before an entry is stored: makes way for it.
  void make_way();

 private:
  // As long as so much of the store is free nothing has to give way.
  std::uint32_t reserve_blocks() const { return store_.capacity_blocks() / 4; }
  void link(std::uint32_t room);
  void unlink(std::uint32_t room);

  Roster& roster_;
  MessageStore& store_;
  std::uint32_t oldest_ = kNoSlot;
  std::uint32_t newest_ = kNoSlot;
};

}  // namespace chatd
