// A room is a log: what is said there, and who comes and goes, are its entries, with numbers that
// grow by one from entry to entry and are never used twice.
//
// It has two kinds of readers. A member with protocol v1 whose address is known has a cursor, the
// number of the next entry that it has to get, and what it misses is lost. Whoever joins begins at
// the head of that moment, so that what was said before is not for it; whoever leaves takes its
// cursor along. So nothing that waits has to be sent before somebody comes or goes, and however
// many do, they cost the room's turn nothing. An entry waits until every such reader has passed it.
// For that each entry counts the readers that stand at it: a run of readers that moves on is two
// additions, whatever its length, and the oldest entry need not wait when nobody stands there. A
// cursor is a number that the room keeps for each member; one that lies before the oldest waiting
// entry stands at that. So when a room is served as a whole no cursor has to be written.
//
// Members with protocol v2 can ask again, and late ones for what was said before they came. For
// them entries that nobody waits for are kept a while, if the room does (KeepLimits): the oldest
// gives way. So the log's entries are, from the oldest on, those that are kept and those that wait.
// As long as some of them have not been sent what there is (hold), as much is kept as may wait for
// the others: keeping little of the past must not lose what was said a moment ago.
//
// Thread: one at a time. Nothing is allocated.
#pragma once

#include <cstdint>

#include "core/base/limits.h"
#include "core/room/message_store.h"

namespace chatd {

// A room's log begins with this epoch, and goes on in it for as long as the room lives.
inline constexpr std::uint64_t kFirstLogEpoch = 1;

// How much of what nobody waits for any more a log keeps. None: it goes at once.
struct KeepLimits {
  std::uint32_t entries = 0;
  std::uint32_t blocks = 0;  // of the store, waiting entries included
};

class RoomLog {
 public:
  // The numbers of the oldest entry that is there, of the oldest that waits, and of the entry to
  // come.
  std::uint64_t oldest() const { return oldest_; }
  std::uint64_t first() const { return first_; }
  std::uint64_t head() const { return oldest_ + entries_.count; }
  // Entries that wait.
  std::uint32_t size() const { return static_cast<std::uint32_t>(head() - first_); }
  bool is_empty() const { return first_ == head(); }
  // Entries that do not.
  std::uint32_t kept() const { return static_cast<std::uint32_t>(first_ - oldest_); }

  // Where a reader with this cursor really stands.
  std::uint64_t position(std::uint64_t cursor) const { return cursor < first_ ? first_ : cursor; }
  // The entry with this number in the store; oldest() <= number < head(). Walks there from the
  // oldest one that waits, which is where most readers stand, or from the oldest.
  std::uint32_t entry(const MessageStore& store, std::uint64_t number) const;
  std::uint32_t first_entry() const { return first_entry_; }
  std::uint32_t oldest_entry() const { return entries_.first; }
  // The newest one; there must be one.
  std::uint32_t last_entry() const { return entries_.last; }
  // Whether entries are kept for which nobody waits.
  bool keeps() const { return keep_.entries > 0; }

  // Appends an entry for `readers` readers, which must be all that there are. False when the store
  // has no memory for it (MessageStore::push); then nothing has changed.
  bool append(MessageStore& store, const NewEntry& entry, std::uint32_t readers);
  // `readers` of those who stand at `from` move on to `to`.
  void advance(MessageStore& store, std::uint64_t from, std::uint64_t to, std::uint32_t readers);
  // The oldest entry that waits gives way: whoever stands there will not get it. There must be one.
  void drop_first(MessageStore& store);

  // A reader comes; its cursor is head(). A reader goes.
  void add_reader() { ++at_head_; }
  void remove_reader(MessageStore& store, std::uint64_t cursor);

  void set_keep_limits(MessageStore& store, const KeepLimits& limits) {
    keep_ = limits;
    trim(store);
  }
  // Whether somebody has still to be sent something that does not wait.
  void hold(MessageStore& store, bool is_held) {
    is_held_ = is_held;
    if (!is_held) trim(store);
  }
  // The oldest entry goes. There must be one that is kept.
  void drop_kept(MessageStore& store);

  // The next entry has this number. The log must hold nothing.
  void begin_at(std::uint64_t number) { oldest_ = first_ = number; }

 private:
  void release(MessageStore& store);
  void trim(MessageStore& store);
  std::uint32_t& readers_at(MessageStore& store, std::uint64_t number);

  MessageQueue entries_;
  KeepLimits keep_;
  bool is_held_ = false;
  std::uint64_t oldest_ = 1;
  std::uint64_t first_ = 1;
  std::uint32_t first_entry_ = 0;  // the store's, of `first_`; meaningless if nothing waits
  std::uint32_t at_head_ = 0;      // readers that have got everything; not kept while nothing waits
};

}  // namespace chatd
