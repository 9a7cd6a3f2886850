// A pool of at most `capacity` values at stable addresses, named by their index (slot).
//
// The memory is reserved once, so that growth never moves a value and an operator's limit costs
// address space, not resident memory: a page is touched when the first slot on it is used. Freed
// slots are used again, last freed first. Thread: one at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace chatd {

inline constexpr std::uint32_t kNoSlot = 0xffff'ffff;

template <class T>
class SlotPool {
 public:
  explicit SlotPool(std::uint32_t capacity) : capacity_(capacity) { slots_.reserve(capacity); }

  // Nothing when all slots are in use.
  std::optional<std::uint32_t> insert(T value) {
    if (first_free_ != kNoSlot) {
      const std::uint32_t slot = first_free_;
      first_free_ = slots_[slot].next_free;
      slots_[slot].value = std::move(value);
      slots_[slot].next_free = kInUse;
      ++size_;
      return slot;
    }
    if (slots_.size() == capacity_) return std::nullopt;
    slots_.push_back({std::move(value), kInUse});
    ++size_;
    return static_cast<std::uint32_t>(slots_.size() - 1);
  }

  // The slot that insert() takes next, while there is one.
  std::uint32_t next_slot() const {
    return first_free_ != kNoSlot ? first_free_ : static_cast<std::uint32_t>(slots_.size());
  }

  // Fills a pool from the first slot on, with slots that are given: those between stay free. False
  // when the slot has been in use, or lies behind the last one.
  bool insert_at(std::uint32_t slot, T value) {
    if (slot < slots_.size() || slot >= capacity_) return false;
    while (slots_.size() < slot) {
      slots_.push_back({T{}, first_free_});
      first_free_ = static_cast<std::uint32_t>(slots_.size() - 1);
    }
    slots_.push_back({std::move(value), kInUse});
    ++size_;
    return true;
  }

  // `slot` must be in use.
  void erase(std::uint32_t slot) {
    slots_[slot].value = T{};  // gives back what the value holds
    slots_[slot].next_free = first_free_;
    first_free_ = slot;
    --size_;
  }

  bool contains(std::uint32_t slot) const {
    return slot < slots_.size() && slots_[slot].next_free == kInUse;
  }
  // Nothing when the slot is not in use.
  T* find(std::uint32_t slot) { return contains(slot) ? &slots_[slot].value : nullptr; }
  const T* find(std::uint32_t slot) const { return contains(slot) ? &slots_[slot].value : nullptr; }

  T& operator[](std::uint32_t slot) { return slots_[slot].value; }
  const T& operator[](std::uint32_t slot) const { return slots_[slot].value; }

  std::uint32_t size() const { return size_; }
  // Slots from here on have never been in use: where a walk over all ends.
  std::uint32_t slot_end() const { return static_cast<std::uint32_t>(slots_.size()); }

 private:
  static constexpr std::uint32_t kInUse = 0xffff'fffe;

  struct Slot {
    T value;
    std::uint32_t next_free;
  };

  std::uint32_t capacity_;
  std::uint32_t size_ = 0;
  std::uint32_t first_free_ = kNoSlot;
  std::vector<Slot> slots_;
};

}  // namespace chatd
