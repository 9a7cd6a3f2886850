// Greets a shard's new connections with the rooms of all shards (core/control/greeting.h).
// Thread: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/control/greeting.h"
#include "core/control/peer_shards.h"

namespace chatd {

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
