#include "core/room/message_store.h"

#include <algorithm>

namespace chatd {

MessageStore::MessageStore(std::uint32_t capacity_blocks)
    : blocks_(std::make_unique_for_overwrite<Block[]>(capacity_blocks)),
      capacity_(capacity_blocks),
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

bool MessageStore::push(MessageQueue& queue, const NewEntry& what) {
  static_assert(v2::kMaxEntryHeadBytes <= sizeof Block::bytes);
  const v2::Entry& entry = what.entry;
  const std::size_t head_bytes = v2::entry_head_bytes(entry);
  const std::size_t size_bytes = head_bytes + entry.bytes.size();
  const std::uint32_t needed_blocks = blocks_for(size_bytes);
  if (queue.blocks + needed_blocks > free_count_) return false;
  queue.blocks += needed_blocks;

  const std::uint32_t first = take_block();
  Block& block = blocks_[first];
  block.sender = what.sender;
  block.size_bytes = static_cast<std::uint32_t>(size_bytes);
  block.readers = 0;
  block.member = entry.member;
  block.kind = entry.kind;
  block.content_type = entry.content_type;
  block.head_bytes = static_cast<std::uint8_t>(head_bytes);
  block.is_for_v1 = what.is_for_v1;
  v2::write_entry_head(entry, block.bytes);
  write(block, head_bytes, entry.bytes);

  if (queue.count++ == 0) {
    queue.first = first;
  } else {
    blocks_[queue.last].next_entry = first;
  }
  queue.last = first;
  ++entry_count_;
  return true;
}

// The content, behind the head and in as many further blocks as it needs.
void MessageStore::write(Block& first, std::size_t head_bytes, std::string_view content) {
  Block* block = &first;
  char* to = block->bytes + head_bytes;
  for (;;) {
    const auto room = static_cast<std::size_t>(std::end(block->bytes) - to);
    const std::string_view part = content.substr(0, room);
    std::copy(part.begin(), part.end(), to);
    content.remove_prefix(part.size());
    if (content.empty()) return;
    const std::uint32_t next = take_block();
    block->next_block = next;
    block = &blocks_[next];
    to = block->bytes;
  }
}

char* MessageStore::copy_long(std::uint32_t entry, std::size_t offset, char* to) const {
  std::size_t left = blocks_[entry].size_bytes - offset;
  for (std::uint32_t block = entry;; block = blocks_[block].next_block) {
    const std::size_t part = std::min(left, sizeof Block::bytes - offset);
    to = std::copy_n(blocks_[block].bytes + offset, part, to);
    left -= part;
    offset = 0;
    if (left == 0) return to;
  }
}

void MessageStore::free_entry(MessageQueue& queue, std::uint32_t entry) {
  const std::uint32_t count = blocks_for(blocks_[entry].size_bytes);
  queue.blocks -= count;
  std::uint32_t block = entry;
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
  const std::uint32_t entry = queue.first;
  queue.first = blocks_[entry].next_entry;
  --queue.count;
  --entry_count_;
  free_entry(queue, entry);
}

}  // namespace chatd
