// The rooms of all shards, as one shard tells them to its connections: as a list when asked
// (ListPart) or in the greeting (GreetingPart).
//
// A list must be true at the time it is asked for: who has created a room and then asks finds it.
// So a part of another shard is used as long as that shard's published roster version has not
// moved, and asked for by letter when it has. The asker's connection waits meanwhile; its shard
// does not. Thread: one at a time.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/relay/listing.h"
#include "core/relay/roster.h"
#include "core/shards/letter.h"
#include "core/shards/neighbours.h"
#include "core/wire/frame.h"

namespace chatd {

template <class Part>
class RoomDirectory {
 public:
  // `state` is that of the frames that it writes.
  RoomDirectory(const Roster& roster, std::uint8_t shard, std::uint32_t shard_count,
                FrameState state)
      : roster_(roster), shard_(shard), state_(state), parts_(shard_count) {
    for (auto& part : parts_) part = std::make_shared<const Part>();
  }

  // Appends the frame to `reply`; or asks other shards first (false): then it follows as a reply to
  // `asker`.
  bool ask(const ConnectionId& asker, std::string& reply, Neighbours& neighbours) {
    std::size_t missing = 0;
    for (std::size_t shard = 0; shard < parts_.size(); ++shard) {
      if (shard == index_of_own() ||
          parts_[shard]->version == neighbours.figures[shard].roster_version) {
        continue;
      }
      neighbours.post(static_cast<std::uint8_t>(shard),
                      PartWanted<Part>{.from = shard_, .question = next_question_});
      ++missing;
    }
    if (missing == 0) {
      append(reply);
      return true;
    }
    questions_[next_question_++] = {.asker = asker, .missing = missing};
    return false;
  }

  // Of the answer that was given last.
  std::size_t size_bytes() const { return merged_.size(); }

  // Another shard asks for ours.
  void on_letter(const PartWanted<Part>& wanted, Neighbours& neighbours) {
    refresh_own();
    neighbours.post(wanted.from, PartLetter<Part>{.from = shard_,
                                                  .question = wanted.question,
                                                  .part = parts_[index_of_own()]});
  }

  // What we asked for has come.
  void on_letter(PartLetter<Part>&& letter, Neighbours& neighbours) {
    auto& part = parts_[letter.from];
    if (part->version != letter.part->version) {
      part = std::move(letter.part);
      is_merged_ = false;
    }
    const auto question = questions_.find(letter.question);
    if (--question->second.missing > 0) return;
    std::string frames;
    append(frames);
    neighbours.replies.push_back({question->second.asker, std::move(frames)});
    questions_.erase(question);
  }

 private:
  struct Question {
    ConnectionId asker;
    std::size_t missing;  // parts
  };

  std::size_t index_of_own() const { return parts_.size() == 1 ? 0 : shard_; }

  void refresh_own() {
    auto& own = parts_[index_of_own()];
    if (own->version == roster_.version()) return;
    auto fresh = std::make_shared<Part>();
    write_part(roster_, *fresh);
    own = std::move(fresh);
    is_merged_ = false;
  }

  void append(std::string& reply) {
    refresh_own();
    if (!std::exchange(is_merged_, true)) merged_ = merge_parts(parts_);
    append_frame(reply, Operation::kList, state_, "", merged_);
  }

  const Roster& roster_;
  std::uint8_t shard_;
  FrameState state_;
  std::vector<std::shared_ptr<const Part>> parts_;  // by shard, as last heard
  bool is_merged_ = false;
  std::string merged_;  // of the parts
  std::uint64_t next_question_ = 0;
  absl::flat_hash_map<std::uint64_t, Question> questions_;
};

}  // namespace chatd
