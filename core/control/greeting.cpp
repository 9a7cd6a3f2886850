#include "core/control/greeting.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/base/limits.h"
#include "core/control/list_entry.h"
#include "core/control/peer_shards.h"
#include "core/wire/v1/frame.h"

namespace chatd {
namespace {

constexpr std::string_view kHead = R"({"rooms":{)";
constexpr std::size_t kMaxTailBytes = 32;  // }, "total": and twenty digits, }
constexpr std::size_t kCommaAndSlackBytes = 2;
constexpr std::size_t kBudgetBytes = kMaxGreetingBytes - kFrameHeaderBytes - kMaxTailBytes;

// A room whose entry is too long for a greeting is passed over, for a while: a greeting must not
// cost a walk through all rooms.
constexpr std::size_t kMaxMisses = 16;
// "N":{"members":[],"count":1,"password_required":false}, and nothing shorter.
constexpr std::size_t kShortestEntryBytes = 53;
constexpr std::size_t kMaxTriedRooms = kMaxGreetingBytes / kShortestEntryBytes + kMaxMisses;

std::string room_entry(const Roster& roster, const Room& room, std::size_t names) {
  JsonWriter json;
  json.begin_object();
  write_room(json, roster, room, names);
  json.end_object();
  const std::string text = json.take();
  return text.substr(1, text.size() - 2);  // without the braces
}

// Long names need not be written to know that they do not fit.
bool may_fit_with_names(const Roster& roster, const Room& room) {
  std::size_t size_bytes = room.name.size();
  for (std::size_t i = 0; i < listed_members(room); ++i) {
    size_bytes += roster.members()[room.members[i]].username.size();
  }
  return size_bytes <= kBudgetBytes;
}

std::shared_ptr<const GreetingPart::Entry> write_entry(const Roster& roster, const Room& room) {
  auto entry = std::make_shared<GreetingPart::Entry>();
  entry->creation_order = room.creation_order;
  if (may_fit_with_names(roster, room)) {
    entry->with_names = room_entry(roster, room, listed_members(room));
  }
  entry->without_names = room_entry(roster, room, 0);
  return entry;
}

}  // namespace

const std::shared_ptr<const GreetingPart>& GreetingWriter::part() {
  if (version_ == roster_.version()) return part_;
  version_ = roster_.version();
  if (!is_current()) write();
  return part_;
}

// Most of what happens, happens in other rooms.
bool GreetingWriter::is_current() const {
  return part_->total == roster_.rooms().size() &&
         std::all_of(known_.begin(), known_.end(), [this](const Known& known) {
           return roster_.groups().stamps(known.room).changed == known.changed;
         });
}

void GreetingWriter::write() {
  auto part = std::make_shared<GreetingPart>();
  part->total = roster_.rooms().size();
  std::uint32_t room = roster_.oldest_room();
  for (std::size_t i = 0; room != kNoSlot && i < kMaxTriedRooms; ++i) {
    const Known now{.room = room, .changed = roster_.groups().stamps(room).changed};
    if (i == known_.size()) known_.push_back({});
    const bool is_known = known_[i].room == now.room && known_[i].changed == now.changed;
    part->entries.push_back(is_known ? part_->entries[i]
                                     : write_entry(roster_, roster_.rooms()[room]));
    known_[i] = now;
    room = roster_.rooms()[room].newer;
  }
  known_.resize(part->entries.size());
  part_ = std::move(part);
}

std::string merge_parts(std::span<const std::shared_ptr<const GreetingPart>> parts) {
  std::vector<const GreetingPart::Entry*> entries;
  std::uint64_t total = 0;
  for (const auto& part : parts) {
    for (const auto& entry : part->entries) entries.push_back(entry.get());
    total += part->total;
  }
  std::stable_sort(entries.begin(), entries.end(), [](const auto* a, const auto* b) {
    return a->creation_order < b->creation_order;
  });

  std::string text(kHead);
  const auto append_if_it_fits = [&text](const std::string& entry) {
    if (entry.empty() || text.size() + entry.size() + kCommaAndSlackBytes > kBudgetBytes) {
      return false;
    }
    if (text.size() > kHead.size()) text += ',';
    text += entry;
    return true;
  };
  std::size_t misses = 0;
  for (const auto* const entry : entries) {
    if (append_if_it_fits(entry->with_names) || append_if_it_fits(entry->without_names)) continue;
    if (++misses == kMaxMisses) break;
  }
  text += R"(},"total":)" + std::to_string(total) + "}";
  return text;
}

void Greeter::greet(const PeerShards& peers, std::string& frames) {
  bool is_current = !frame_.empty();
  for (std::size_t shard = 0; shard < parts_.size(); ++shard) {
    const bool is_own = parts_.size() == 1 || shard == shard_;
    const auto& part = is_own ? own_.part() : peers.figures[shard].greeting;
    if (parts_[shard] == part) continue;
    parts_[shard] = part;
    is_current = false;
  }
  if (!is_current) {
    frame_.clear();
    append_frame(frame_, Operation::kList, FrameState::kRequest, "", merge_parts(parts_));
  }
  frames += frame_;
}

}  // namespace chatd
