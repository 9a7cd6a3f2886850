#include "tests/sim/scenario.h"

#include <array>

namespace chatd::sim {
namespace {

template <class Value, std::size_t kCount>
Value pick(Dice& dice, const std::array<Value, kCount>& from) {
  return from[static_cast<std::size_t>(dice.roll(kCount))];
}

// Off, small, and as they normally are. A unit of each is a whole number of nanoseconds.
AbuseLimits some_abuse_limits(Dice& dice) {
  AbuseLimits limits = AbuseLimits::none();
  limits.limit_loopback = dice.one_in(2);
  if (dice.one_in(4)) return limits;
  limits.max_member_messages_per_s = pick<std::uint32_t>(dice, std::array{0u, 0u, 5u, 20u, 500u});
  limits.max_member_bytes_per_s =
      pick<std::uint32_t>(dice, std::array{0u, 0u, 10'000u, 100'000u, 10'000'000u});
  limits.max_address_rooms = pick<std::uint32_t>(dice, std::array{0u, 1u, 2u, 100u});
  limits.max_address_connections = pick<std::uint32_t>(dice, std::array{0u, 1u, 2u, 100u});
  limits.max_address_requests_per_s = pick<std::uint32_t>(dice, std::array{0u, 2u, 10u, 50u});
  limits.max_password_attempts_per_min =
      pick<std::uint32_t>(dice, std::array{0u, 1u, 1u, 1u, 1u, 10u});
  limits.max_room_notices_per_s = pick<std::uint32_t>(dice, std::array{0u, 1u, 5u, 50u});
  return limits;
}

Limits some_limits(Dice& dice, std::uint32_t clients, std::uint32_t rooms) {
  Limits limits;
  limits.idle_timeout_ms = pick<std::uint32_t>(dice, std::array{400u, 1000u, 3000u});
  limits.handshake_timeout_ms = pick<std::uint32_t>(dice, std::array{50u, 400u, 10'000u});
  limits.max_connections = dice.one_in(3) ? 1 + dice.roll32(3) : 2 * clients;
  limits.max_rooms = dice.one_in(3) ? 1 + rooms / 2 : rooms + 2;
  limits.max_members = dice.one_in(3) ? 1 + clients / 2 : 2 * clients;
  limits.max_room_members = dice.one_in(3) ? 2 + clients / 4 : 2 * clients;
  limits.max_notified_members = pick<std::uint32_t>(dice, std::array{3u, 8u, 128u});
  limits.roaming_same_ip = dice.one_in(2);
  limits.max_source_answers_per_s = pick<std::uint32_t>(dice, std::array{0u, 1u, 1u, 2u});
  limits.abuse = some_abuse_limits(dice);
  return limits;
}

// What rooms keep: hardly anything, a little, and as they normally do.
void set_history(Dice& dice, Limits& limits) {
  limits.history_entries = pick<std::uint32_t>(dice, std::array{8u, 64u, 1024u, 1024u});
  limits.history_bytes = pick<std::uint32_t>(dice, std::array{4096u, 65'536u, 1u << 20, 1u << 20});
}

}  // namespace

Scenario::Scenario(std::uint64_t seed_number) : seed(seed_number) {
  Dice dice(seed ^ 0x5ca1'ab1e'0000'0000u);
  shards = dice.one_in(2) ? 1 : 2 + dice.roll32(3);
  const bool is_crowd = dice.one_in(4);
  clients = is_crowd ? 60 + dice.roll32(90) : 6 + dice.roll32(30);
  rooms = is_crowd ? 1 + dice.roll32(3) : 1 + dice.roll32(8);
  has_long_lists = !is_crowd && dice.one_in(8);
  if (has_long_lists) {
    clients = 60 + dice.roll32(60);
    rooms = 60 + dice.roll32(60);
  }
  hosts = 2 + clients / (1 + dice.roll32(3));
  limits = some_limits(dice, clients, rooms);
  trains = {.max_segments = pick<std::uint32_t>(dice, std::array{1u, 4u, 64u, 64u}),
            .max_segment_bytes = pick<std::uint32_t>(dice, std::array{1232u, 1472u})};
  // A large room that is short of room for its messages, while only some members have them.
  store_blocks = dice.one_in(is_crowd ? 2 : 4) ? 2u << dice.roll(11) : kMessageStoreBlocks;
  outbox_work = pick<std::uint32_t>(dice, std::array{8u, 32u, 256u, 2048u});
  if (is_crowd) outbox_work = dice.one_in(2) ? 8 : 256;
  datagrams_per_turn = pick<std::uint32_t>(dice, std::array{4u, 64u, 512u});
  receive_buffer = pick<std::uint32_t>(dice, std::array{32u, 1024u, 4096u});
  mailbox = pick<std::uint32_t>(dice, std::array{2u, 64u});
  lanes = dice.one_in(2) ? 0 : 1 + dice.roll32(8);
  think_us = pick<std::uint32_t>(dice, std::array{5'000u, 30'000u, 120'000u});
  fault_gap_us = pick<std::uint32_t>(dice, std::array{30'000u, 100'000u, 400'000u});
  attackers_in_ten = dice.roll32(5);
  messages_in_a_flood = dice.one_in(6) ? 1500 : pick<std::uint32_t>(dice, std::array{20u, 70u});
  is_orderly = dice.one_in(4);
  has_noisy_neighbour = is_crowd && dice.one_in(2);
  if (has_noisy_neighbour) {
    rooms = 4 + dice.roll32(4);
    limits.max_rooms = rooms + 2;
    messages_in_a_flood = kLoudFlood;  // more work at a time than any turn may do
    floods_in_thousand = 100;
    outbox_work = dice.one_in(2) ? 256 : 2048;
  }
  if (is_loud()) {
    limits.abuse.max_member_messages_per_s = 0;
    limits.abuse.max_member_bytes_per_s = 0;
    receive_buffer = 4096;
  }
  sealed_in_ten = pick<std::uint32_t>(dice, std::array{0u, 3u, 5u, 9u});
  has_state_directory = dice.one_in(2);
  cipher = dice.one_in(2) ? Cipher::kAes256Gcm : Cipher::kChaCha20Poly1305;
  set_history(dice, limits);
  const auto loss = pick<std::uint32_t>(dice, std::array{0u, 0u, 50u, kMostLossIn1024});
  if (!is_orderly) loss_in_1024 = loss;
}

// Now and then they leave what may be spent as it is.
Limits Scenario::other_limits(Dice& dice) const {
  Limits others = some_limits(dice, clients, rooms).with_sizes_of(limits);
  if (dice.one_in(3)) others.abuse = limits.abuse;
  set_history(dice, others);
  if (is_loud()) {
    others.abuse.max_member_messages_per_s = 0;
    others.abuse.max_member_bytes_per_s = 0;
  }
  return others;
}

}  // namespace chatd::sim
