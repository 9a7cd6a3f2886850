#include "core/room/room_log.h"

namespace chatd {

std::uint32_t RoomLog::entry(const MessageStore& store, std::uint64_t number) const {
  const bool is_waiting = number >= first_;
  std::uint32_t entry = is_waiting ? first_entry_ : entries_.first;
  for (std::uint64_t at = is_waiting ? first_ : oldest_; at < number; ++at) {
    entry = store.next(entry);
  }
  return entry;
}

std::uint32_t& RoomLog::readers_at(MessageStore& store, std::uint64_t number) {
  return number == head() ? at_head_ : store.readers(entry(store, number));
}

// While nothing waits all readers stand at the head, and nobody has counted them.
bool RoomLog::append(MessageStore& store, const NewEntry& entry, std::uint32_t readers) {
  const bool was_empty = is_empty();
  const std::uint32_t at_head = was_empty ? readers : at_head_;
  if (!store.push(entries_, entry)) return false;
  if (was_empty) first_entry_ = entries_.last;
  store.readers(entries_.last) = at_head;
  at_head_ = 0;
  release(store);
  return true;
}

void RoomLog::advance(MessageStore& store, std::uint64_t from, std::uint64_t to,
                      std::uint32_t readers) {
  readers_at(store, from) -= readers;
  readers_at(store, to) += readers;
  release(store);
}

void RoomLog::drop_first(MessageStore& store) {
  const std::uint32_t readers = store.readers(first_entry_);
  store.readers(first_entry_) = 0;
  readers_at(store, first_ + 1) += readers;
  release(store);
}

void RoomLog::remove_reader(MessageStore& store, std::uint64_t cursor) {
  if (is_empty()) return;
  --readers_at(store, position(cursor));
  release(store);
}

void RoomLog::drop_kept(MessageStore& store) {
  store.pop(entries_);
  store.on_dropped();
  ++oldest_;
}

// What nobody has to get any more does not wait.
void RoomLog::release(MessageStore& store) {
  while (!is_empty() && store.readers(first_entry_) == 0) {
    first_entry_ = store.next(first_entry_);
    ++first_;
    store.on_kept();
  }
  trim(store);
}

void RoomLog::trim(MessageStore& store) {
  const auto is_too_much = [this] {
    if (is_held_ && kept() <= kMaxWaitingMessages) return false;
    return kept() > keep_.entries || entries_.blocks > keep_.blocks;
  };
  while (kept() > 0 && is_too_much()) drop_kept(store);
}

}  // namespace chatd
