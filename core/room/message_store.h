// Where the entries of all rooms' logs (core/room/room_log.h) lie: one queue per room, all of
// them in one store of fixed size.
//
// A message is copied here from the receive buffer. That is one copy for a message that goes to a
// whole room, and it pays for itself: receive buffers are free again at once (and stay in the
// cache), and a room that has to wait keeps nothing but its own bytes. The store is made of small
// blocks, since most messages are small: a message takes as many as it needs, chained. Memory is
// touched only when it is used, last freed first.
//
// Thread: one at a time. Nothing is allocated after construction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "core/base/slot_pool.h"

namespace chatd {

// The sender of what the server itself says.
inline constexpr std::uint32_t kFromServer = kNoSlot;

// A room's messages in the order in which they came.
struct MessageQueue {
  std::uint32_t first = 0;  // meaningless when `count` is 0
  std::uint32_t last = 0;
  std::uint32_t count = 0;
  std::uint32_t blocks = 0;  // of the store
};

class MessageStore {
 public:
  explicit MessageStore(std::uint32_t capacity_blocks);

  // Appends the datagram that goes out for this payload (00 00, then the payload). False when there
  // is no memory left for it, or when the queue would hold more than is free: so a few queues that
  // grow without end leave something for each other and for those that come (Choudhury, Hahne,
  // "Dynamic Queue Length Thresholds", 1998). Then nothing has changed.
  bool push(MessageQueue& queue, std::uint32_t sender, std::string_view payload);

  // Removes the first message.
  void pop(MessageQueue& queue);

  // A message is named by its first block. Its datagram is size_bytes() long.
  std::uint32_t next(std::uint32_t message) const { return blocks_[message].next_message; }
  std::uint32_t sender(std::uint32_t message) const { return blocks_[message].sender; }
  std::uint32_t size_bytes(std::uint32_t message) const { return blocks_[message].size_bytes; }
  // How many readers stand at it; the log's to keep. 0 for a message that has just been pushed.
  std::uint32_t& readers(std::uint32_t message) { return blocks_[message].readers; }
  std::uint32_t readers(std::uint32_t message) const { return blocks_[message].readers; }
  // Copies the datagram to `to` and returns its end.
  char* copy_to(std::uint32_t message, char* to) const;

  std::uint32_t free_blocks() const { return free_count_; }
  // In all queues.
  std::uint32_t message_count() const { return message_count_; }

 private:
  static constexpr std::size_t kBlockBytes = 256;

  struct Header {
    std::uint32_t next_block;    // of this message, or in the list of free blocks
    std::uint32_t next_message;  // in the queue; this and the rest hold for a first block only
    std::uint32_t sender;        // member slot
    std::uint32_t size_bytes;
    std::uint32_t readers;
  };
  struct Block : Header {
    char bytes[kBlockBytes - sizeof(Header)];
  };

  static std::uint32_t blocks_for(std::size_t size_bytes);
  std::uint32_t take_block();
  void free_message(MessageQueue& queue, std::uint32_t message);

  std::unique_ptr<Block[]> blocks_;
  std::uint32_t used_once_ = 0;  // blocks from here on have never been touched
  std::uint32_t first_free_ = 0;
  std::uint32_t freed_count_ = 0;  // in the list that starts at first_free_
  std::uint32_t free_count_;
  std::uint32_t message_count_ = 0;
};

}  // namespace chatd
