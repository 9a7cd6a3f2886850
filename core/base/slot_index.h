// A flat hash table that finds slots by a key which the slot's own value holds: rooms by name,
// members by room and username. The table stores four bytes an entry (Abseil's flat_hash_set) and
// asks `KeyOf` for a slot's key, so that no name is stored twice. `Key` needs == and
// hash_with(KeyedHash).
//
// The table grows only when it is told to (make_room): a datagram may bind a member, and must
// neither allocate nor wait.
//
// An entry's key must not change while it is in the table. Thread: one at a time.
#pragma once

#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "core/base/keyed_hash.h"

namespace chatd {

template <class Key, class KeyOf>
class SlotIndex {
 public:
  // For at most `capacity` slots, until make_room() says otherwise.
  SlotIndex(std::uint32_t capacity, KeyedHash hash, KeyOf key_of)
      : slots_(0, Hash{hash, key_of}, Equal{key_of}) {
    reserve(capacity);
  }

  // From now on for at least `count` slots. Twice as many at a time, so that it is rarely needed.
  void make_room(std::uint32_t count) {
    if (count > capacity_) reserve(std::max(count, 2 * capacity_));
  }

  std::optional<std::uint32_t> find(const Key& key) const {
    const auto found = slots_.find(key);
    if (found == slots_.end()) return std::nullopt;
    return *found;
  }

  // False when another slot has the key already.
  bool insert(std::uint32_t slot) { return slots_.insert(slot).second; }
  void erase(std::uint32_t slot) { slots_.erase(slot); }
  std::size_t size() const { return slots_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    KeyedHash hash;
    KeyOf key_of;
    std::size_t operator()(const Key& key) const { return key.hash_with(hash); }
    std::size_t operator()(std::uint32_t slot) const { return key_of(slot).hash_with(hash); }
  };
  struct Equal {
    using is_transparent = void;
    KeyOf key_of;
    bool operator()(std::uint32_t a, std::uint32_t b) const {
      return a == b || key_of(a) == key_of(b);
    }
    bool operator()(std::uint32_t slot, const Key& key) const { return key_of(slot) == key; }
    bool operator()(const Key& key, std::uint32_t slot) const { return key_of(slot) == key; }
  };

  static constexpr std::size_t kSmallestReserve = 28;  // makes 31 places

  // Erased entries leave marks that fill the table as entries do. Abseil clears them in place, and
  // does not grow instead, when the table has more than 16 places and is filled to less than 25/32;
  // it is full at 7/8. Hence an eighth more than the capacity.
  void reserve(std::uint32_t capacity) {
    capacity_ = capacity;
    slots_.reserve(std::max(std::size_t{capacity} + capacity / 8 + 1, kSmallestReserve));
  }

  std::uint32_t capacity_ = 0;
  absl::flat_hash_set<std::uint32_t, Hash, Equal> slots_;
};

}  // namespace chatd
