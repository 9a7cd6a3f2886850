// A room's log as the model knows it: what each number stands for, for members with protocol v2.
//
// Where the protocol leaves an order open (several members fall silent in one call of the relay),
// a few numbers stand for a few entries, and who is told first settles which is which, for
// everybody else as well.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/time.h"
#include "core/wire/v2/frames.h"
#include "tests/sim/packets.h"

namespace chatd::sim {

struct LogEntry {
  v2::EntryKind kind = v2::EntryKind::kSaid;
  v2::MemberId member = v2::kServerId;
  std::uint64_t client_number = 0;
  v2::ContentType content_type = v2::ContentType::kText;
  std::size_t size_bytes = 0;
  std::size_t hash = 0;          // of its bytes
  std::uint32_t open_order = 0;  // 0: it is this one; else one of those of this open order

  static std::size_t hash_of(std::string_view bytes) {
    const std::hash<std::string_view> hash_bytes;
    return hash_bytes(bytes);
  }
  static LogEntry of(const v2::Entry& entry) {
    return {.kind = entry.kind,
            .member = entry.member,
            .client_number = entry.client_number,
            .content_type = entry.content_type,
            .size_bytes = entry.bytes.size(),
            .hash = hash_of(entry.bytes)};
  }
  bool is_same(const LogEntry& other) const {
    return kind == other.kind && member == other.member && client_number == other.client_number &&
           content_type == other.content_type && size_bytes == other.size_bytes &&
           hash == other.hash;
  }
};

class RoomLogModel {
 public:
  // The first entry that counts gets this number.
  explicit RoomLogModel(std::uint64_t first) : first_(first) {}

  // The number of the entry to come. Where the room has ended it may be less.
  std::uint64_t head() const { return first_ + entries_.size(); }
  // Below it nothing is open.
  std::uint64_t certain_head() const { return certain_head_.value_or(head()); }

  std::uint64_t append(const LogEntry& entry) {
    entries_.push_back(entry);
    return head() - 1;
  }
  // All of these, in any order.
  void append_in_any_order(std::vector<LogEntry> entries) {
    const std::size_t count = entries.size();
    open_orders_.push_back(std::move(entries));
    LogEntry open;
    open.open_order = static_cast<std::uint32_t>(open_orders_.size());
    entries_.resize(entries_.size() + count, open);
  }
  // Perhaps not all of them: the room has ended while they came. Nothing follows.
  void append_some(std::vector<LogEntry> entries) {
    certain_head_ = head();
    append_in_any_order(std::move(entries));
  }
  // What the number stands for; nothing while that is open, or where there is none.
  const LogEntry* find(std::uint64_t number) const {
    if (number < first_ || number >= head()) return nullptr;
    const LogEntry& entry = entries_[static_cast<std::size_t>(number - first_)];
    return entry.open_order == 0 ? &entry : nullptr;
  }
  // The number of what a member has said under this number of its own, most lately; 0: nothing.
  std::uint64_t find_said(v2::MemberId member, std::uint64_t client_number) const {
    for (std::uint64_t i = head(); i-- > first_;) {
      const LogEntry& entry = entries_[static_cast<std::size_t>(i - first_)];
      if (entry.member == member && entry.client_number == client_number) return i;
    }
    return 0;
  }
  // Whether somebody may be told that this number stands for this.
  bool is(std::uint64_t number, const LogEntry& told) {
    if (number < first_ || number >= head()) return false;
    LogEntry& entry = entries_[static_cast<std::size_t>(number - first_)];
    if (entry.open_order == 0) return entry.is_same(told);
    auto& open = open_orders_[entry.open_order - 1];
    const auto found = std::find_if(open.begin(), open.end(),
                                    [&](const LogEntry& one) { return one.is_same(told); });
    if (found == open.end()) return false;
    entry = *found;
    open.erase(found);
    return true;
  }

  // Where another relay has taken over: silence counts afresh.
  void on_hot_restart(std::uint32_t keep_entries, std::uint32_t keep_bytes) {
    keep(keep_entries, keep_bytes);
    last_entry_ms = 0;
  }
  TimeMs last_entry_ms = 0;

  // What the room keeps, at most.
  void keep(std::uint32_t entries, std::uint32_t bytes) {
    keep_entries_ = std::min(keep_entries_, entries);
    keep_bytes_ = std::min(keep_bytes_, bytes);
  }
  // Whether a room that keeps what it should may have lost the entry with this number: so much has
  // come after it. (A block of the store has 256 bytes, some of which are not the entry's.)
  bool may_be_gone(std::uint64_t number) const {
    if (number < first_ || head() - number > keep_entries_) return true;
    std::size_t kept_bytes = 0;
    for (std::uint64_t i = number; i < head() && kept_bytes <= keep_bytes_; ++i) {
      constexpr std::size_t kBlockBytes = 256;
      constexpr std::size_t kUsedBytes = 200;
      const LogEntry& entry = entries_[static_cast<std::size_t>(i - first_)];
      kept_bytes += (entry.size_bytes / kUsedBytes + 2) * kBlockBytes;
    }
    return kept_bytes > keep_bytes_;
  }

 private:
  std::uint64_t first_;
  std::vector<LogEntry> entries_;
  std::vector<std::vector<LogEntry>> open_orders_;
  std::optional<std::uint64_t> certain_head_;
  // Once they are known, which they are before the first entry.
  std::uint32_t keep_entries_ = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t keep_bytes_ = std::numeric_limits<std::uint32_t>::max();
};

}  // namespace chatd::sim
