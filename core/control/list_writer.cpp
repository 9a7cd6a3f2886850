#include "core/control/list_writer.h"

#include <algorithm>
#include <utility>

#include "core/control/list_entry.h"

namespace chatd {
namespace {

// A piece: a fraction of a millisecond.
constexpr std::size_t kPieceBytes = 64 * 1024;
constexpr std::size_t kPieceGroups = 16;

std::size_t text_bytes(const std::shared_ptr<const ListChunk>& chunk) {
  return chunk ? chunk->text.size() : 0;
}

// So much of the text that `used_bytes` of it and the chunk fit into `max_bytes`. Names are left
// out while there is still room for rooms without them.
std::shared_ptr<const ListChunk> write_chunk(const Roster& roster, const RoomGroups::Group& group,
                                             std::size_t used_bytes, std::size_t max_bytes) {
  auto chunk = std::make_shared<ListChunk>();
  chunk->entries.reserve(group.rooms);
  for (const bool with_names : {true, false}) {
    JsonWriter json;
    json.begin_object();
    chunk->entries.clear();
    std::uint32_t slot = group.first_room;
    for (std::uint32_t i = 0; i < group.rooms; ++i) {
      const Room& room = roster.rooms()[slot];
      write_room(json, roster, room, with_names ? listed_members(room) : 0);
      chunk->entries.push_back({.creation_order = room.creation_order,
                                .created = roster.groups().stamps(slot).created,
                                .end_bytes = static_cast<std::uint32_t>(json.size_bytes())});
      slot = room.newer;
    }
    if (used_bytes + json.size_bytes() > (with_names ? max_bytes / 4 * 3 : max_bytes)) {
      chunk->is_cut = true;
      continue;
    }
    chunk->text = json.take();
    chunk->text.front() = ',';  // was the object's brace: so each entry begins with its comma
    return chunk;
  }
  for (ListChunk::Entry& entry : chunk->entries) entry.end_bytes = 0;
  return chunk;
}

}  // namespace

ListWriter::ListWriter(Roster& roster, std::size_t max_text_bytes)
    : roster_(roster), max_text_bytes_(max_text_bytes) {}

void ListWriter::begin() {
  is_sweeping_ = true;
  version_ = roster_.version();
  to_write_ = roster_.groups().take_changed();
  next_ = 0;
  if (has_cut_ && text_bytes_ < max_text_bytes_ / 2) write_cut_ones_again();
}

bool ListWriter::go_on() {
  std::size_t written_bytes = 0;
  for (std::size_t i = 0; i < kPieceGroups && written_bytes < kPieceBytes; ++i) {
    if (next_ == to_write_.size()) {
      assemble();
      is_sweeping_ = false;
      return true;
    }
    written_bytes += write(to_write_[next_++]);
  }
  return false;
}

// There is room again for what was left out.
void ListWriter::write_cut_ones_again() {
  RoomGroups& groups = roster_.groups();
  has_cut_ = false;
  for (std::uint32_t slot = groups.oldest(); slot != kNoSlot; slot = groups[slot].newer) {
    RoomGroups::Group& group = groups[slot];
    if (!group.chunk || !group.chunk->is_cut || std::exchange(group.has_changed, true)) continue;
    to_write_.push_back(slot);
  }
}

// The size of what was written.
std::size_t ListWriter::write(std::uint32_t slot) {
  RoomGroups& groups = roster_.groups();
  // Gone, or written with a neighbour.
  if (!groups.contains(slot) || !groups[slot].has_changed) return 0;
  slot = groups.merge_if_small(slot);
  RoomGroups::Group& group = groups[slot];
  text_bytes_ -= std::min(text_bytes_, text_bytes(group.chunk));
  group.chunk = write_chunk(roster_, group, text_bytes_, max_text_bytes_);
  group.has_changed = false;
  text_bytes_ += text_bytes(group.chunk);
  if (group.chunk->is_cut) has_cut_ = true;
  return text_bytes(group.chunk);
}

// Rooms that were made since the sweep began are the newest ones, at the end of the last chunks.
void ListWriter::assemble() {
  const RoomGroups& groups = roster_.groups();
  auto part = std::make_shared<ListPart>();
  part->version = version_;
  part->chunks.reserve(groups.size());
  text_bytes_ = 0;
  for (std::uint32_t slot = groups.oldest(); slot != kNoSlot; slot = groups[slot].newer) {
    const auto& chunk = groups[slot].chunk;
    if (!chunk || chunk->entries.front().created > version_) break;
    part->chunks.push_back(chunk);
    part->rooms += chunk->entries.size();
    text_bytes_ += chunk->text.size();
  }
  part->text_bytes = text_bytes_;
  if (!part->chunks.empty()) {
    const ListChunk& last = *part->chunks.back();
    const auto end = std::partition_point(
        last.entries.begin(), last.entries.end(),
        [this](const ListChunk::Entry& entry) { return entry.created <= version_; });
    part->last_entries = static_cast<std::size_t>(end - last.entries.begin());
    part->rooms -= last.entries.size() - part->last_entries;
    part->text_bytes -= last.text.size() - last.entries[part->last_entries - 1].end_bytes;
  }
  part_ = std::move(part);
}

}  // namespace chatd
