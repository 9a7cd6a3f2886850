#include "core/room/history.h"

namespace chatd {

void History::on_entry(std::uint32_t slot) {
  if (slot == newest_) return;
  unlink(slot);
  link(slot);
}

void History::remove(std::uint32_t slot) {
  unlink(slot);
}

void History::make_way() {
  while (store_.free_blocks() < reserve_blocks() && oldest_ != kNoSlot) {
    RoomLog& log = roster_.rooms()[oldest_].log;
    if (log.kept() > 0) return log.drop_kept(store_);
    unlink(oldest_);
  }
}

void History::link(std::uint32_t slot) {
  Room& room = roster_.rooms()[slot];
  room.older_talk = newest_;
  room.newer_talk = kNoSlot;
  (newest_ == kNoSlot ? oldest_ : roster_.rooms()[newest_].newer_talk) = slot;
  newest_ = slot;
}

// A room that is in no list has no neighbours, and is not the oldest.
void History::unlink(std::uint32_t slot) {
  Room& room = roster_.rooms()[slot];
  if (oldest_ != slot && room.older_talk == kNoSlot) return;
  (room.older_talk == kNoSlot ? oldest_ : roster_.rooms()[room.older_talk].newer_talk) =
      room.newer_talk;
  (room.newer_talk == kNoSlot ? newest_ : roster_.rooms()[room.newer_talk].older_talk) =
      room.older_talk;
  room.older_talk = room.newer_talk = kNoSlot;
}

}  // namespace chatd
