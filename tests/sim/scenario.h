// What a seed stands for: how large the world is, how the server is configured, and how badly
// things go. Small limits are common, because behaviour is found at limits.
#pragma once

#include <cstdint>

#include "core/base/limits.h"
#include "core/crypto/packet_key.h"
#include "core/room/train_planner.h"
#include "tests/unit/core/model/seeds.h"

namespace chatd::sim {

using test::Dice;

struct Scenario {
  explicit Scenario(std::uint64_t seed_number);

  // Others that an operator may set while the server runs. Sizes stay.
  Limits other_limits(Dice& dice) const;

  std::uint64_t seed;

  // The server.
  std::uint32_t shards = 1;
  Limits limits;
  TrainLimits trains;
  Cipher cipher = Cipher::kChaCha20Poly1305;  // where the processor has the other one, too
  std::uint32_t store_blocks = kMessageStoreBlocks;
  std::uint32_t outbox_work = 2048;  // in a turn
  std::uint32_t datagrams_per_turn = 512;
  std::uint32_t receive_buffer = 1024;  // datagrams
  std::uint32_t lanes = 0;              // sockets beside the shared one
  std::uint32_t mailbox = 64;           // datagrams that came to the wrong shard

  // The world.
  std::uint32_t hosts = 8;
  std::uint32_t clients = 16;
  std::uint32_t rooms = 4;
  bool has_long_lists = false;           // many rooms with long names
  std::uint32_t think_us = 50'000;       // between two things that a client does, on average
  std::uint32_t fault_gap_us = 100'000;  // between two faults, on average
  std::uint32_t loss_in_1024 = 0;        // of datagrams, at all times
  std::uint32_t attackers_in_ten = 2;
  std::uint32_t sealed_in_ten = 0;   // clients with protocol v2
  bool has_state_directory = false;  // what it keeps outlives the server's process
  std::uint32_t messages_in_a_flood = 100;
  std::uint32_t floods_in_thousand = 10;  // of what a flooder does
  // Most are in the first room, and only there it is loud; the others are small and quiet.
  bool has_noisy_neighbour = false;
  // Nothing but the turns of rooms stands between a flood and the members: they shall be tried.
  bool is_loud() const { return messages_in_a_flood >= kLoudFlood; }
  // The network neither loses nor doubles nor reorders datagrams: order can be judged end to end.
  bool is_orderly = false;

  static constexpr std::uint64_t kHeartbeatsPerTimeout = 3;
  // What protocol v2 is for, at most: 29 %.
  static constexpr std::uint32_t kMostLossIn1024 = 297;
  static constexpr std::uint32_t kLoudFlood = 250;
};

}  // namespace chatd::sim
