// What a shard does when another process is to go on in its place, or it in the place of another
// (server/handover/).
#include <cstddef>
#include <utility>

#include "server/process/clock.h"
#include "server/shard.h"

namespace chatd {

// A duty cycle without what would take in something new, and without the rooms' turns: what comes
// meanwhile waits in the kernel, and what waits in rooms goes along.
bool Shard::settle() {
  const TimeMs now_ms = monotonic_now_ms();
  udp_is_readable_ = udp_has_errors_ = false;
  receive_again_at_ms_.reset();
  const bool had_work = inbox_.look() || receiver_.has_next() || errors_.has_refused();
  handle_refusals(now_ms);
  inbox_.open_letters(now_ms, outbox_);
  send(now_ms);
  inbox_.receive_strays(now_ms, outbox_);
  receive(now_ms);
  const bool all_are_told = !has_unsent_ && !is_stuck() && relay_.prepare_snapshot(outbox_);
  send(now_ms);
  meter_.skip();
  return had_work || !all_are_told || has_unsent_;
}

void Shard::drop_unsent() {
  sender_.abandon(outbox_, Counter::kDroppedSendAtStop);
  outbox_.clear();
  has_unsent_ = false;
  full_until_ms_.reset();
  put_off_until_ms_.reset();
}

ShardState Shard::state(std::vector<int>& descriptors) {
  receive_drops_.update();
  log_.say(monotonic_now_ms(), relay_.room_events());
  log_.close();
  return {.relay = relay_.snapshot(),
          .connections = control_.states(descriptors),
          .receive_drops_seen = receive_drops_.last_seen()};
}

tl::expected<void, std::string> Shard::restore(ShardState state, std::span<UniqueFd> connections) {
  if (auto restored = relay_.restore(state.relay); !restored) return restored;
  receive_drops_.go_on_from(state.receive_drops_seen);
  errors_.go_on();
  meter_.skip();
  const TimeMs now_ms = monotonic_now_ms();
  for (std::size_t i = 0; i < connections.size(); ++i) {
    control_.restore(now_ms, std::move(connections[i]), std::move(state.connections[i]));
  }
  line_.publish();
  return {};
}

}  // namespace chatd
