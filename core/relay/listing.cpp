#include "core/relay/listing.h"

#include <algorithm>
#include <string_view>

#include "core/limits.h"
#include "core/wire/frame.h"
#include "core/wire/json_writer.h"

namespace chatd {
namespace {

constexpr std::string_view kHead = R"({"rooms":{)";
constexpr std::size_t kMaxTailBytes = 32;  // }, "total": and twenty digits, }

// A room whose entry is too long for a greeting is passed over, for a while: a greeting must not
// cost a walk through all rooms.
constexpr std::size_t kMaxMisses = 16;
// "N":{"members":[],"count":1,"password_required":false}, and nothing shorter.
constexpr std::size_t kShortestEntryBytes = 53;
constexpr std::size_t kMaxCandidates = kMaxGreetingBytes / kShortestEntryBytes + kMaxMisses;

// Names of a room with a password are not for strangers.
std::size_t listed_members(const Room& room) {
  return room.password.is_required() ? 0 : std::min(room.members.size(), kMaxListedMembers);
}

// "NAME":{…}, with so many of the members' names.
std::string room_entry(const Roster& roster, const Room& room, std::size_t names) {
  JsonWriter json;
  json.begin_object();
  json.key(room.name);
  json.begin_object();
  json.key("members");
  json.begin_array();
  for (std::size_t i = 0; i < names; ++i) {
    json.value(std::string_view(roster.members()[room.members[i]].username));
  }
  json.end_array();
  json.member("count", std::uint64_t{room.members.size()});
  json.member("password_required", room.password.is_required());
  json.end_object();
  json.end_object();
  const std::string text = json.take();
  return text.substr(1, text.size() - 2);  // without the braces
}

std::string tail(std::uint64_t total) {
  return R"(},"total":)" + std::to_string(total) + "}";
}

void append_entry(std::string& text, std::string_view entry) {
  if (text.size() > kHead.size()) text += ',';
  text += entry;
}

// The entries of all parts with the part they are from, oldest room first.
template <class Part>
auto in_order(std::span<const std::shared_ptr<const Part>> parts) {
  struct Placed {
    const Part* part;
    const typename Part::Entry* entry;
  };
  std::vector<Placed> placed;
  for (const auto& part : parts) {
    for (const auto& entry : part->entries) placed.push_back({part.get(), &entry});
  }
  std::stable_sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) {
    return a.entry->sequence < b.entry->sequence;
  });
  return placed;
}

}  // namespace

void write_part(const Roster& roster, ListPart& part) {
  part.version = roster.version();
  part.entries.reserve(roster.rooms().size());
  for (std::uint32_t slot = roster.oldest_room(); slot != kNoSlot;) {
    const Room& room = roster.rooms()[slot];
    const std::string entry = room_entry(roster, room, listed_members(room));
    if (!part.text.empty()) part.text += ',';
    part.entries.push_back({room.sequence, part.text.size(), entry.size()});
    part.text += entry;
    slot = room.newer;
  }
}

void write_part(const Roster& roster, GreetingPart& part) {
  part.version = roster.version();
  part.total = roster.rooms().size();
  std::uint32_t slot = roster.oldest_room();
  while (slot != kNoSlot && part.entries.size() < kMaxCandidates) {
    const Room& room = roster.rooms()[slot];
    part.entries.push_back({.sequence = room.sequence,
                            .with_names = room_entry(roster, room, listed_members(room)),
                            .without_names = room_entry(roster, room, 0)});
    slot = room.newer;
  }
}

std::string merge_parts(std::span<const std::shared_ptr<const ListPart>> parts) {
  std::string text(kHead);
  std::size_t size_bytes = text.size();
  for (const auto& part : parts) size_bytes += part->text.size();
  const auto placed = in_order(parts);
  text.reserve(size_bytes + parts.size() + kMaxTailBytes);
  for (const auto& [part, entry] : placed) {
    append_entry(text, std::string_view(part->text).substr(entry->begin_bytes, entry->size_bytes));
  }
  text += tail(placed.size());
  return text;
}

std::string merge_parts(std::span<const std::shared_ptr<const GreetingPart>> parts) {
  constexpr std::size_t kBudgetBytes = kMaxGreetingBytes - kFrameHeaderBytes - kMaxTailBytes;
  constexpr std::size_t kCommaAndSlackBytes = 2;
  std::string text(kHead);
  const auto fits = [&text](const std::string& entry) {
    return text.size() + entry.size() + kCommaAndSlackBytes <= kBudgetBytes;
  };
  std::size_t misses = 0;
  for (const auto& [part, entry] : in_order(parts)) {
    if (fits(entry->with_names)) {
      append_entry(text, entry->with_names);
    } else if (fits(entry->without_names)) {
      append_entry(text, entry->without_names);
    } else if (++misses == kMaxMisses) {
      break;
    }
  }
  std::uint64_t total = 0;
  for (const auto& part : parts) total += part->total;
  text += tail(total);
  return text;
}

}  // namespace chatd
