// Where the entries of all rooms' logs (core/room/room_log.h) lie: one queue per room, all of
// them in one store of fixed size.
//
// An entry is kept as protocol v2 sends it (core/wire/v2/frames.h), so that it can be put into
// bundles as it is; what protocol v1 sends for it is made of its bytes
// (core/room/group_serializer.h).
//
// A message is copied here from the receive buffer. That is one copy for a message that goes to a
// whole room, and it pays for itself: receive buffers are free again at once (and stay in the
// cache), and a room that has to wait keeps nothing but its own bytes. The store is made of small
// blocks, since most messages are small: an entry takes as many as it needs, chained. Memory is
// touched only when it is used, last freed first.
//
// Thread: one at a time. Nothing is allocated after construction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "core/base/slot_pool.h"
#include "core/wire/v2/frames.h"

namespace chatd {

// The sender of what the server itself says.
inline constexpr std::uint32_t kFromServer = kNoSlot;

// A room's entries in the order in which they came.
struct MessageQueue {
  std::uint32_t first = 0;  // meaningless when `count` is 0
  std::uint32_t last = 0;
  std::uint32_t count = 0;
  std::uint32_t blocks = 0;  // of the store
};

// An entry to be stored.
struct NewEntry {
  std::uint32_t sender = kFromServer;  // its slot
  v2::Entry entry;
  bool is_for_v1 = true;  // members with protocol v1 get it as well
};

class MessageStore {
 public:
  static constexpr std::size_t kBlockBytes = 256;

  explicit MessageStore(std::uint32_t capacity_blocks);

  // Appends an entry. False when there is no memory left for it, or when the queue would hold more
  // than is free: so a few queues that grow without end leave something for each other and for
  // those that come (Choudhury, Hahne, "Dynamic Queue Length Thresholds", 1998). Then nothing has
  // changed.
  bool push(MessageQueue& queue, const NewEntry& entry);

  // Removes the first entry.
  void pop(MessageQueue& queue);

  // An entry is named by its first block.
  std::uint32_t next(std::uint32_t entry) const { return blocks_[entry].next_entry; }
  std::uint32_t sender(std::uint32_t entry) const { return blocks_[entry].sender; }
  v2::EntryKind kind(std::uint32_t entry) const { return blocks_[entry].kind; }
  v2::MemberId member(std::uint32_t entry) const { return blocks_[entry].member; }
  v2::ContentType content_type(std::uint32_t entry) const { return blocks_[entry].content_type; }
  bool is_for_v1(std::uint32_t entry) const { return blocks_[entry].is_for_v1; }
  // How many readers stand at it; the log's to keep. 0 for an entry that has just been pushed.
  std::uint32_t& readers(std::uint32_t entry) { return blocks_[entry].readers; }
  std::uint32_t readers(std::uint32_t entry) const { return blocks_[entry].readers; }

  // The whole of it, as protocol v2 sends it.
  std::uint32_t size_bytes(std::uint32_t entry) const { return blocks_[entry].size_bytes; }
  // Copies it to `to` and returns its end.
  char* copy_to(std::uint32_t entry, char* to) const { return copy_from(entry, 0, to); }
  // What was said, without the head.
  std::uint32_t content_bytes(std::uint32_t entry) const {
    return blocks_[entry].size_bytes - blocks_[entry].head_bytes;
  }
  // In one piece, as it lies there; nothing if it is in more than one.
  std::string_view content(std::uint32_t entry) const {
    const Block& block = blocks_[entry];
    if (block.size_bytes > sizeof block.bytes) return {};
    return {block.bytes + block.head_bytes, std::size_t{block.size_bytes} - block.head_bytes};
  }
  char* copy_content_to(std::uint32_t entry, char* to) const {
    return copy_from(entry, blocks_[entry].head_bytes, to);
  }

  std::uint32_t free_blocks() const { return free_count_; }
  std::uint32_t capacity_blocks() const { return capacity_; }
  // In all queues.
  std::uint32_t entry_count() const { return entry_count_; }
  // Among them: those that nobody waits for (RoomLog tells).
  std::uint32_t kept_count() const { return kept_count_; }
  void on_kept() { ++kept_count_; }
  void on_dropped() { --kept_count_; }

 private:
  struct Header {
    std::uint32_t next_block;  // of this entry, or in the list of free blocks
    std::uint32_t next_entry;  // in the queue; this and the rest hold for a first block only
    std::uint32_t sender;      // member slot
    std::uint32_t size_bytes;
    std::uint32_t readers;
    v2::MemberId member;
    v2::EntryKind kind;
    v2::ContentType content_type;
    std::uint8_t head_bytes;
    bool is_for_v1;
  };
  struct Block : Header {
    char bytes[kBlockBytes - sizeof(Header)];
  };

  static std::uint32_t blocks_for(std::size_t size_bytes);
  std::uint32_t take_block();
  void write(Block& first, std::size_t head_bytes, std::string_view content);
  void free_entry(MessageQueue& queue, std::uint32_t entry);
  // From `offset` on, which is within the first block. Most entries have no other.
  char* copy_from(std::uint32_t entry, std::size_t offset, char* to) const {
    const Block& block = blocks_[entry];
    if (block.size_bytes > sizeof block.bytes) return copy_long(entry, offset, to);
    const std::size_t size_bytes = block.size_bytes - offset;
    std::memcpy(to, block.bytes + offset, size_bytes);
    return to + size_bytes;
  }
  char* copy_long(std::uint32_t entry, std::size_t offset, char* to) const;

  std::unique_ptr<Block[]> blocks_;
  std::uint32_t capacity_;
  std::uint32_t used_once_ = 0;  // blocks from here on have never been touched
  std::uint32_t first_free_ = 0;
  std::uint32_t freed_count_ = 0;  // in the list that starts at first_free_
  std::uint32_t free_count_;
  std::uint32_t entry_count_ = 0;
  std::uint32_t kept_count_ = 0;
};

}  // namespace chatd
