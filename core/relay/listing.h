// The room list: {"rooms": {NAME: {"members": […], "count": N, "password_required": bool}, …},
// "total": N}, oldest room first.
//
// Each shard writes its part, from its own roster; whoever answers a client merges the parts of all
// shards. A part does not change once it is written, so it may be read on other threads. One shard
// merges its only part in the same way, so that nothing depends on their number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/relay/roster.h"

namespace chatd {

// All rooms of a shard, for an answer to a list request.
struct ListPart {
  struct Entry {
    std::uint64_t sequence;  // rooms are listed in this order
    std::size_t begin_bytes;
    std::size_t size_bytes;
  };
  std::uint64_t version = 0;   // of the roster that it lists
  std::vector<Entry> entries;  // in text
  std::string text;            // "NAME":{…},"NAME":{…}
};

// The rooms of a shard that may find a place in a greeting, the oldest ones.
struct GreetingPart {
  struct Entry {
    std::uint64_t sequence;
    std::string with_names;
    std::string without_names;
  };
  std::uint64_t version = 0;
  std::vector<Entry> entries;
  std::uint32_t total = 0;  // rooms of the shard
};

void write_part(const Roster& roster, ListPart& part);
void write_part(const Roster& roster, GreetingPart& part);

// The payload of a list answer: all rooms.
std::string merge_parts(std::span<const std::shared_ptr<const ListPart>> parts);
// The payload of a greeting: as many rooms as fit into a frame of kMaxGreetingBytes; "total" tells
// the rest.
std::string merge_parts(std::span<const std::shared_ptr<const GreetingPart>> parts);

}  // namespace chatd
