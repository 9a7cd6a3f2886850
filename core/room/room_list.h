// The answer to a list request, {"rooms": {NAME: {…}, …}, "total": N}, oldest room first, as a
// frame that nobody copies: text that is shared by all who have asked for it, and for each of them
// a reader that knows how far it has come.
//
// The text lies in chunks, one for each group of rooms (core/room/room_groups.h), which do not
// change once they are written: lists of different moments share those in which nothing has
// changed. The chunks of a shard make a part. Rooms of several shards are put into their common
// order while the list is read, so that a list is nowhere in memory as a whole. One shard's list is
// read in the same way, so that nothing depends on their number.
//
// Thread: chunks, parts and lists do not change and may be read on any; a reader is one thread's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace chatd {

// A few rooms, neighbours in the order of creation.
struct ListChunk {
  struct Entry {
    std::uint64_t creation_order;  // rooms are listed in this order
    std::uint64_t created;         // the roster's version when the room was made
    std::uint32_t end_bytes;       // in text; it begins where the one before it ends
  };
  std::vector<Entry> entries;
  std::string text;     // ,"NAME":{…},"NAME":{…}
  bool is_cut = false;  // something was left out, lest the whole list become too long

  std::size_t memory_bytes() const {
    return sizeof *this + text.capacity() + entries.capacity() * sizeof(Entry);
  }
};

// All rooms of a shard.
struct ListPart {
  std::uint64_t version = 0;  // of the roster: each room is shown as it was then, or later
  std::vector<std::shared_ptr<const ListChunk>> chunks;
  std::size_t last_entries = 0;  // so many of the last chunk's entries belong to it
  std::uint64_t rooms = 0;
  std::size_t text_bytes = 0;

  std::size_t entries_of(std::size_t chunk) const {
    return chunk + 1 == chunks.size() ? last_entries : chunks[chunk]->entries.size();
  }
};

class RoomList {
 public:
  using Parts = std::vector<std::shared_ptr<const ListPart>>;

  // `number` grows from list to list of a shard.
  RoomList(Parts parts, std::uint64_t number);
  // What is left of one that another process has begun to send (server/handover/).
  explicit RoomList(std::string rest);

  // Of the frame, header included.
  std::size_t size_bytes() const { return size_bytes_; }
  const Parts& parts() const { return parts_; }
  std::uint64_t number() const { return number_; }

 private:
  friend class ListReader;

  std::string before_;  // the rooms
  Parts parts_;
  std::string after_;
  std::size_t size_bytes_;
  std::uint64_t number_ = 0;
};

class ListReader {
 public:
  explicit ListReader(std::shared_ptr<const RoomList> list);

  const RoomList& list() const { return *list_; }
  const std::shared_ptr<const RoomList>& shared() const { return list_; }
  std::size_t left_bytes() const { return left_bytes_; }
  std::size_t offset_bytes() const { return list_->size_bytes() - left_bytes_; }

  // Copies the next bytes to `to`, which has room for so many, and goes on behind them; returns how
  // many there were. Fewer are the last.
  std::size_t read(char* to, std::size_t capacity);
  // The same without a copy.
  void skip(std::size_t count);
  // All that is left.
  std::string read_all();

 private:
  struct Position {
    std::size_t chunk = 0;
    std::size_t entry = 0;
  };
  enum class Stage : std::uint8_t { kBefore, kRooms, kAfter, kDone };

  void find_piece();
  std::string_view next_rooms();
  bool is_at_end(std::size_t part) const;
  std::uint64_t creation_order_at(std::size_t part) const;

  std::shared_ptr<const RoomList> list_;
  std::vector<Position> positions_;  // by part
  std::string_view piece_;           // of the list, at which the reader is
  Stage stage_ = Stage::kBefore;
  bool is_first_room_ = true;
  std::size_t left_bytes_;
};

}  // namespace chatd
