// A room is a log: what is said there, and who comes and goes, are its entries, with numbers that
// grow by one from entry to entry and are never used twice. Each reader (a member whose address is
// known) has a cursor, the number of the next entry that it has to get. Whoever joins begins at the
// head of that moment, so that what was said before is not for it; whoever leaves takes its cursor
// along. So nothing that waits has to be sent before somebody comes or goes, and however many do,
// they cost the room's turn nothing.
//
// An entry is kept until every reader has passed it. For that each entry counts the readers that
// stand at it: a run of readers that moves on is two additions, whatever its length, and the oldest
// entry may go when nobody stands there. A cursor is a number that the room keeps for each member;
// one that lies before the oldest entry stands at that. So when a room is served as a whole no
// cursor has to be written.
//
// Thread: one at a time. Nothing is allocated.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/room/message_store.h"

namespace chatd {

class RoomLog {
 public:
  // The oldest entry's number, and that of the entry to come.
  std::uint64_t first() const { return first_; }
  std::uint64_t head() const { return first_ + entries_.count; }
  std::uint32_t size() const { return entries_.count; }
  bool is_empty() const { return entries_.count == 0; }

  // Where a reader with this cursor really stands.
  std::uint64_t position(std::uint64_t cursor) const { return cursor < first_ ? first_ : cursor; }
  // The entry with this number in the store; first() <= number < head(). Walks there from the
  // oldest one, which is where most readers stand.
  std::uint32_t entry(const MessageStore& store, std::uint64_t number) const;
  std::uint32_t oldest() const { return entries_.first; }

  // Appends an entry for `readers` readers, which must be all that there are. False when the store
  // has no memory for it (MessageStore::push); then nothing has changed.
  bool append(MessageStore& store, std::uint32_t sender, std::string_view payload,
              std::uint32_t readers);
  // `readers` of those who stand at `from` move on to `to`.
  void advance(MessageStore& store, std::uint64_t from, std::uint64_t to, std::uint32_t readers);
  // The oldest entry gives way: whoever stands there will not get it. There must be one.
  void drop_oldest(MessageStore& store);

  // A reader comes; its cursor is head(). A reader goes.
  void add_reader() { ++at_head_; }
  void remove_reader(MessageStore& store, std::uint64_t cursor);

  // The next entry has this number. The log must be empty.
  void begin_at(std::uint64_t number) { first_ = number; }

 private:
  void release(MessageStore& store);
  std::uint32_t& readers_at(MessageStore& store, std::uint64_t number);

  MessageQueue entries_;
  std::uint64_t first_ = 0;
  std::uint32_t at_head_ = 0;  // readers that have got everything; not kept while the log is empty
};

}  // namespace chatd
