// What a shard does when another process is to go on in its place, or it in the place of another
// (server/handover/).
#include <cstddef>
#include <utility>

#include "server/shard/shard.h"

namespace chatd {

// A duty cycle without what would take in something new, and without the rooms' turns: what comes
// meanwhile waits in the kernel, and what waits in rooms goes along.
bool Shard::quiesce() {
  const TimeMs now_ms = io_.now_ms();
  data_.stop_reading();
  const bool had_work = mail_drain_.look() || data_.has_received();
  deal_with_received(now_ms);
  const bool all_are_told =
      !data_.has_unsent() && !data_.is_send_blocked() && relay_->prepare_snapshot(outbox_);
  send(now_ms);
  loop_timer_.skip();
  return had_work || !all_are_told || data_.has_unsent();
}

void Shard::drop_unsent() {
  data_.drop_unsent(outbox_, Counter::kDroppedSendAtStop);
}

ShardState Shard::state(std::vector<int>& descriptors) {
  data_.receive_drops().update();
  log_.say(io_.now_ms(), relay_->room_events());
  log_.close();
  return {.relay = relay_->snapshot(),
          .connections = control_.states(descriptors),
          .encrypted_peers = control_.encrypted_peers(),
          .receive_drops_seen = data_.receive_drops().last_seen()};
}

tl::expected<void, std::string> Shard::restore(ShardState state, std::span<UniqueFd> connections) {
  if (auto restored = relay_->restore(state.relay); !restored) return restored;
  data_.go_on_from(state.receive_drops_seen);
  loop_timer_.skip();
  const TimeMs now_ms = io_.now_ms();
  for (std::size_t i = 0; i < connections.size(); ++i) {
    control_.restore(now_ms, std::move(connections[i]), std::move(state.connections[i]));
  }
  control_.forget_encrypted(now_ms, state.encrypted_peers);
  port_.publish();
  return {};
}

}  // namespace chatd
