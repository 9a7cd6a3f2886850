#include "core/room/room_list.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "core/wire/v1/frame.h"

namespace chatd {
namespace {

constexpr std::string_view kHead = R"({"rooms":{)";

std::size_t begin_of(const ListChunk& chunk, std::size_t entry) {
  return entry == 0 ? 0 : chunk.entries[entry - 1].end_bytes;
}

}  // namespace

RoomList::RoomList(Parts parts, std::uint64_t number) : parts_(std::move(parts)), number_(number) {
  std::size_t text_bytes = 0;
  std::uint64_t rooms = 0;
  for (const auto& part : parts_) {
    text_bytes += part->text_bytes;
    rooms += part->rooms;
  }
  if (text_bytes > 0) --text_bytes;  // no comma before the first one
  after_ = R"(},"total":)" + std::to_string(rooms) + "}";
  append_frame_header(before_, static_cast<std::uint8_t>(Operation::kList), FrameState::kCompleted,
                      0, kHead.size() + text_bytes + after_.size());
  before_ += kHead;
  size_bytes_ = before_.size() + text_bytes + after_.size();
}

RoomList::RoomList(std::string rest) : before_(std::move(rest)), size_bytes_(before_.size()) {}

ListReader::ListReader(std::shared_ptr<const RoomList> list)
    : list_(std::move(list)),
      positions_(list_->parts_.size()),
      piece_(list_->before_),
      left_bytes_(list_->size_bytes_) {}

std::size_t ListReader::read(char* to, std::size_t capacity) {
  std::size_t copied = 0;
  while (copied < capacity && left_bytes_ > 0) {
    if (piece_.empty()) find_piece();
    const std::size_t count = std::min(piece_.size(), capacity - copied);
    std::memcpy(to + copied, piece_.data(), count);
    piece_.remove_prefix(count);
    left_bytes_ -= count;
    copied += count;
  }
  return copied;
}

void ListReader::skip(std::size_t count) {
  while (count > 0 && left_bytes_ > 0) {
    if (piece_.empty()) find_piece();
    const std::size_t passed = std::min(piece_.size(), count);
    piece_.remove_prefix(passed);
    left_bytes_ -= passed;
    count -= passed;
  }
}

std::string ListReader::read_all() {
  std::string text(left_bytes_, '\0');
  read(text.data(), text.size());
  return text;
}

void ListReader::find_piece() {
  if (stage_ == Stage::kBefore) stage_ = Stage::kRooms;
  if (stage_ == Stage::kRooms) {
    piece_ = next_rooms();
    if (!piece_.empty()) return;
    stage_ = Stage::kAfter;
    piece_ = list_->after_;
    return;
  }
  stage_ = Stage::kDone;
}

bool ListReader::is_at_end(std::size_t part) const {
  return positions_[part].chunk == list_->parts_[part]->chunks.size();
}

std::uint64_t ListReader::creation_order_at(std::size_t part) const {
  const Position& at = positions_[part];
  return list_->parts_[part]->chunks[at.chunk]->entries[at.entry].creation_order;
}

// The oldest rooms that have not been read: those of one part's chunk that come before all others.
// Nothing when all have been read.
std::string_view ListReader::next_rooms() {
  constexpr std::uint64_t kNone = std::numeric_limits<std::uint64_t>::max();
  for (;;) {
    std::size_t first = positions_.size();
    std::uint64_t lowest = kNone;
    std::uint64_t others = kNone;
    for (std::size_t part = 0; part < positions_.size(); ++part) {
      if (is_at_end(part)) continue;
      const std::uint64_t creation_order = creation_order_at(part);
      if (first == positions_.size() || creation_order < lowest) {
        others = lowest;
        lowest = creation_order;
        first = part;
      } else {
        others = std::min(others, creation_order);
      }
    }
    if (first == positions_.size()) return {};

    Position& at = positions_[first];
    const ListPart& part = *list_->parts_[first];
    const ListChunk& chunk = *part.chunks[at.chunk];
    const std::size_t begin_bytes = begin_of(chunk, at.entry);
    const std::size_t end = part.entries_of(at.chunk);
    do {
      ++at.entry;
    } while (at.entry < end && chunk.entries[at.entry].creation_order < others);
    const std::size_t end_bytes = begin_of(chunk, at.entry);
    if (at.entry == end) at = {.chunk = at.chunk + 1, .entry = 0};

    std::string_view text(chunk.text.data() + begin_bytes, end_bytes - begin_bytes);
    if (text.empty()) continue;  // left out of a list that is too long
    if (std::exchange(is_first_room_, false)) text.remove_prefix(1);
    return text;
  }
}

}  // namespace chatd
