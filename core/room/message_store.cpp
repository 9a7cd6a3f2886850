#include "core/room/message_store.h"

#include <algorithm>

#include "core/wire/v1/datagram.h"

namespace chatd {

MessageStore::MessageStore(std::uint32_t capacity_blocks)
    : blocks_(std::make_unique_for_overwrite<Block[]>(capacity_blocks)),
      free_count_(capacity_blocks) {}

std::uint32_t MessageStore::blocks_for(std::size_t size_bytes) {
  return static_cast<std::uint32_t>((size_bytes + sizeof Block::bytes - 1) / sizeof Block::bytes);
}

std::uint32_t MessageStore::take_block() {
  --free_count_;
  if (freed_count_ == 0) return used_once_++;
  --freed_count_;
  const std::uint32_t block = first_free_;
  first_free_ = blocks_[block].next_block;
  return block;
}

bool MessageStore::push(MessageQueue& queue, std::uint32_t sender, std::string_view payload) {
  const std::size_t size_bytes = kServerPrefix.size() + payload.size();
  const std::uint32_t needed_blocks = blocks_for(size_bytes);
  if (queue.blocks + needed_blocks > free_count_) return false;
  queue.blocks += needed_blocks;

  const std::uint32_t message = take_block();
  Block* block = &blocks_[message];
  block->sender = sender;
  block->size_bytes = static_cast<std::uint32_t>(size_bytes);
  block->readers = 0;
  char* to = std::copy(kServerPrefix.begin(), kServerPrefix.end(), block->bytes);
  for (;;) {
    const auto room = static_cast<std::size_t>(std::end(block->bytes) - to);
    const std::string_view part = payload.substr(0, room);
    std::copy(part.begin(), part.end(), to);
    payload.remove_prefix(part.size());
    if (payload.empty()) break;
    const std::uint32_t next = take_block();
    block->next_block = next;
    block = &blocks_[next];
    to = block->bytes;
  }

  if (queue.count++ == 0) {
    queue.first = message;
  } else {
    blocks_[queue.last].next_message = message;
  }
  queue.last = message;
  ++message_count_;
  return true;
}

char* MessageStore::copy_to(std::uint32_t message, char* to) const {
  std::size_t left = blocks_[message].size_bytes;
  for (std::uint32_t block = message;; block = blocks_[block].next_block) {
    const std::size_t part = std::min(left, sizeof Block::bytes);
    to = std::copy_n(blocks_[block].bytes, part, to);
    left -= part;
    if (left == 0) return to;
  }
}

void MessageStore::free_message(MessageQueue& queue, std::uint32_t message) {
  const std::uint32_t count = blocks_for(blocks_[message].size_bytes);
  queue.blocks -= count;
  std::uint32_t block = message;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t next = blocks_[block].next_block;
    blocks_[block].next_block = first_free_;
    first_free_ = block;
    block = next;
  }
  freed_count_ += count;
  free_count_ += count;
}

void MessageStore::pop(MessageQueue& queue) {
  const std::uint32_t message = queue.first;
  queue.first = blocks_[message].next_message;
  --queue.count;
  --message_count_;
  free_message(queue, message);
}

}  // namespace chatd
