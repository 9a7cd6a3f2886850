// What an operator asks of a shard: somebody is to go, limits are others, nobody is let in any
// more, another relay is to go on.
#include "core/room/snapshot.h"
#include "tests/sim/shard.h"

namespace chatd::sim {

void Shard::on_order(const Order& order) {
  orders_.push_back(order);
  wake();
}

void Shard::obey(TimeMs now_ms) {
  for (; !orders_.empty() && !out_.is_full(); orders_.pop_front()) {
    const Order& order = orders_.front();
    const std::string& room = world_.room_names[order.room];
    audit_.begin(shard_, out_);
    const bool should_be_done = order.name ? model_.on_kick(now_ms, shard_, order.room, *order.name)
                                           : model_.on_close_room(shard_, order.room);
    const bool is_done = order.name
                             ? relay_->kick(now_ms, room, world_.client_names[*order.name], out_)
                             : relay_->close_room(room);
    if (is_done != should_be_done) world_.fail("an operator's order has not the right outcome");
    audit_.end(*relay_, out_);
  }
}

void Shard::set_limits(const Limits& limits) {
  audit_.begin(shard_, out_);
  relay_->set_limits(limits);
  audit_.end(*relay_, out_);
  wake();
}

void Shard::start_drain() {
  audit_.begin(shard_, out_);
  relay_->start_drain();
  audit_.end(*relay_, out_);
  if (!relay_->is_draining()) world_.fail("a shard does not drain");
  wake();
}

bool Shard::settle() {
  if (is_paused_) return false;
  const TimeMs now_ms = clock_.now_ms(world_.now_us);
  drain_messages(now_ms);
  write_lists(now_ms);
  if (!has_unsent_) {
    audit_.begin(shard_, out_);
    is_prepared_ = relay_->prepare_snapshot(out_);
    audit_.end(*relay_, out_);
  }
  send(now_ms);
  return !is_stuck();
}

bool Shard::is_settled() const {
  return messages_.empty() && !relay_->has_lists_to_write(clock_.now_ms(world_.now_us)) &&
         !has_unsent_ && out_.is_empty() && is_prepared_;
}

// The old one is gone before the new one comes, as with processes.
void Shard::hand_over_to_another_relay(const RandomStream::Seed& seed) {
  const RelaySnapshot snapshot = relay_->snapshot();
  RelayConfig config = config_;
  config.limits = world_.limits;
  config.seed = seed;
  relay_.emplace(config, clock_.now_ms(world_.now_us));
  const auto restored = relay_->restore(snapshot);
  if (!restored) world_.fail("a relay cannot go on where another has ended: " + restored.error());
  wake();
}

}  // namespace chatd::sim
