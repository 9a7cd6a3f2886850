// What one chatd hands over to the next: any bytes are refused with a reason, or are written again
// as they were read, and whoever takes them over has a sound roster or says why not.
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/relay/relay.h"
#include "server/handover/state_codec.h"
#include "tests/fuzz/targets.h"
#include "tests/model/roster_check.h"

namespace chatd::fuzz {
namespace {

// Few enough that an input can have one too many of each.
RelayConfig small_config(const ServerState& state, std::size_t shard) {
  RelayConfig config;
  config.limits.max_rooms = 6;
  config.limits.max_members = 12;
  config.limits.max_room_members = 5;
  config.limits.max_connections = 4;
  config.shard = static_cast<std::uint8_t>(shard);
  config.shards = ShardMap(static_cast<std::uint32_t>(state.shards.size()), state.map_key);
  config.message_store_blocks = 16;
  return config;
}

void take_over(const ServerState& state, std::size_t shard) {
  constexpr TimeMs kNowMs = 1000;
  Relay relay(small_config(state, shard), kNowMs);
  const auto restored = relay.restore(state.shards[shard].relay);
  if (!restored) return require(!restored.error().empty(), "a refusal has a reason");
  test::check_roster(relay.roster());
  Relay next(small_config(state, shard), kNowMs);
  require(next.restore(relay.snapshot()).has_value(), "what was taken over can be handed over");
  test::check_roster(next.roster());
  require(next.roster().members().size() == relay.roster().members().size(), "nobody is lost");
}

}  // namespace

void fuzz_handover(std::string_view input) {
  const auto state = decode_state(input);
  if (!state) return require(!state.error().empty(), "a refusal has a reason");
  const std::string bytes = encode_state(*state);
  const auto again = decode_state(bytes);
  require(again.has_value() && encode_state(*again) == bytes, "it is written as it was read");
  take_over(*state, 0);
  take_over(*state, state->shards.size() - 1);
}

}  // namespace chatd::fuzz
