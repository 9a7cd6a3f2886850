// The frame that a new connection gets before it asks anything: the oldest rooms, as many as fit
// into kMaxGreetingBytes, and how many there are in all.
//
// Each shard keeps its part of it (GreetingWriter), from its own roster, and publishes it with its
// figures (core/control/peer_shards.h): so whoever greets (Greeter) has all parts at hand, and asks
// no other shard, which may be busy. What is told about one room is written again only when that
// has changed. Thread: a part does not change and may be read on any; the rest is one thread's.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/room/roster.h"

namespace chatd {

struct PeerShards;

// The rooms of a shard that may find a place in a greeting, the oldest ones.
struct GreetingPart {
  struct Entry {
    std::uint64_t creation_order;
    std::string with_names;  // empty: too long for any greeting
    std::string without_names;
  };
  std::vector<std::shared_ptr<const Entry>> entries;
  std::uint32_t total = 0;  // rooms of the shard
};

// The payload: of all parts as many rooms as fit, oldest first.
std::string merge_parts(std::span<const std::shared_ptr<const GreetingPart>> parts);

// A shard's own part.
class GreetingWriter {
 public:
  explicit GreetingWriter(const Roster& roster) : roster_(roster) {}

  // As of now.
  const std::shared_ptr<const GreetingPart>& part();

 private:
  struct Known {
    std::uint32_t room;
    std::uint64_t changed;  // RoomGroups::Stamps
  };

  bool is_current() const;
  void write();

  const Roster& roster_;
  std::uint64_t version_ = 0;  // of the roster, as it was looked at last
  std::vector<Known> known_;   // by entry
  std::shared_ptr<const GreetingPart> part_ = std::make_shared<const GreetingPart>();
};

// Greets a shard's new connections with the rooms of all shards.
class Greeter {
 public:
  Greeter(const Roster& roster, std::uint8_t shard, std::uint32_t shard_count)
      : own_(roster), shard_(shard), parts_(shard_count) {}

  // What this shard publishes.
  const std::shared_ptr<const GreetingPart>& part() { return own_.part(); }

  // Appends the frame.
  void greet(const PeerShards& peers, std::string& frames);

 private:
  GreetingWriter own_;
  std::uint8_t shard_;
  std::vector<std::shared_ptr<const GreetingPart>> parts_;  // by shard, of which frame_ is made
  std::string frame_;
};

}  // namespace chatd
