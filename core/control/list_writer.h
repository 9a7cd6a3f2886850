// Writes a shard's part of the room list, in bounded pieces: of all groups of rooms only those that
// have changed, a few at a time (a sweep), so that neither a long list nor many changes hold up
// anything else.
//
// Rooms go on changing while a sweep is under way. What it brings shows each room as it was when
// the sweep began or later, and no room that was made since: so everybody finds what they had made
// before they asked, and no name is there twice. Thread: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/room/room_groups.h"
#include "core/room/room_list.h"
#include "core/room/roster.h"

namespace chatd {

class ListWriter {
 public:
  // A part has at most so many bytes of text. Beyond that names of members are left out, and then
  // rooms; its number of rooms tells of them all the same.
  ListWriter(Roster& roster, std::size_t max_text_bytes);

  // As of the last sweep.
  const std::shared_ptr<const ListPart>& part() const { return part_; }

  void begin();
  bool is_sweeping() const { return is_sweeping_; }
  // Writes a piece. True: the sweep is done, and part() is as of begin() or later.
  bool go_on();

 private:
  std::size_t write(std::uint32_t group);
  void write_cut_ones_again();
  void assemble();

  Roster& roster_;
  std::size_t max_text_bytes_;
  std::shared_ptr<const ListPart> part_ = std::make_shared<const ListPart>();
  bool is_sweeping_ = false;
  std::uint64_t version_ = 0;  // of the roster when the sweep began
  std::vector<std::uint32_t> to_write_;
  std::size_t next_ = 0;        // of them
  std::size_t text_bytes_ = 0;  // of all chunks
  bool has_cut_ = false;        // there are chunks that are cut
};

}  // namespace chatd
