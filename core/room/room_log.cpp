#include "core/room/room_log.h"

namespace chatd {

std::uint32_t RoomLog::entry(const MessageStore& store, std::uint64_t number) const {
  std::uint32_t entry = entries_.first;
  for (std::uint64_t at = first_; at < number; ++at) entry = store.next(entry);
  return entry;
}

std::uint32_t& RoomLog::readers_at(MessageStore& store, std::uint64_t number) {
  return number == head() ? at_head_ : store.readers(entry(store, number));
}

// In an empty log all readers stand at the head, and nobody has counted them.
bool RoomLog::append(MessageStore& store, std::uint32_t sender, std::string_view payload,
                     std::uint32_t readers) {
  const std::uint32_t at_head = is_empty() ? readers : at_head_;
  if (!store.push(entries_, sender, payload)) return false;
  store.readers(entries_.last) = at_head;
  at_head_ = 0;
  return true;
}

void RoomLog::advance(MessageStore& store, std::uint64_t from, std::uint64_t to,
                      std::uint32_t readers) {
  readers_at(store, from) -= readers;
  readers_at(store, to) += readers;
  release(store);
}

void RoomLog::drop_oldest(MessageStore& store) {
  const std::uint32_t readers = store.readers(entries_.first);
  store.pop(entries_);
  ++first_;
  readers_at(store, first_) += readers;
  release(store);
}

void RoomLog::remove_reader(MessageStore& store, std::uint64_t cursor) {
  if (is_empty()) return;
  --readers_at(store, position(cursor));
  release(store);
}

// Lets go what nobody has to get.
void RoomLog::release(MessageStore& store) {
  while (!is_empty() && store.readers(entries_.first) == 0) {
    store.pop(entries_);
    ++first_;
  }
}

}  // namespace chatd
