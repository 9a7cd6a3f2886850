// What an operator asks for, and what must come of it.
#include <memory>
#include <string>

#include "tests/model/relay_world.h"
#include "tests/model/require.h"

namespace chatd::test {
namespace {

void check_counters_go_on(const Counters& now, const Counters& before) {
  for (std::size_t i = 0; i < kCounterCount; ++i) {
    const auto counter = static_cast<Counter>(i);
    // What the new relay's store has no room for gives way, as ever.
    const bool may_grow =
        counter == Counter::kDroppedQueueFull || counter == Counter::kNoticesDropped;
    require(now[counter] == before[counter] || (may_grow && now[counter] > before[counter]),
            "counters go on");
  }
}

}  // namespace

void RelayWorld::kick(std::string_view room, std::string_view username) {
  const ModelMember* const member = model_.find(room, username);
  const std::uint8_t shard = map_.of_room(room);
  Departure why;
  if (member != nullptr) why = {.kind = Departure::Kind::kKick, .token = member->token};
  begin_call(shard);
  const std::uint64_t kicked = count(shard, Counter::kMembersKicked);
  const bool is_done = relay(shard).kick(now_ms_, room, username, shards_[shard].out);
  require(is_done == (member != nullptr), "who is there can be kicked, and nobody else");
  require(count(shard, Counter::kMembersKicked) == kicked + (is_done ? 1 : 0), "it is counted");
  end_call(shard, why);
}

void RelayWorld::close_room(std::string_view room) {
  const bool is_there = model_.size_of(room) > 0;
  const std::uint8_t shard = map_.of_room(room);
  begin_call(shard);
  require(relay(shard).close_room(room) == is_there,
          "a room that is there can be closed, and no other");
  end_call(shard, {.kind = Departure::Kind::kClose, .room = std::string(room)});
}

void RelayWorld::set_limits(const Limits& limits) {
  was_ever_limited_ = was_ever_limited();
  config_.limits = limits;
  model_.set_limits(limits);
  for (std::uint8_t shard = 0; shard < shard_count_; ++shard) {
    begin_call(shard);
    relay(shard).set_limits(limits);
    end_call(shard);
  }
}

void RelayWorld::start_drain() {
  model_.start_drain();
  for (std::uint8_t shard = 0; shard < shard_count_; ++shard) {
    begin_call(shard);
    relay(shard).start_drain();
    require(relay(shard).is_draining(), "a relay drains when it is told to");
    end_call(shard);
  }
}

// What waits in rooms goes along. A drain ends with the relay: who is asked to stop has no
// successor, and one starts afresh here.
void RelayWorld::restart_hot() {
  carry_all_letters();
  for (std::uint8_t shard = 0; shard < shard_count_; ++shard) {
    for (int turn = 0; !relay(shard).prepare_snapshot(shards_[shard].out); ++turn) {
      require(turn < kMaxTurns, "who has gone gets what is left for it");
      send(shard);
    }
    send(shard);
  }
  ++generation_;
  model_.end_drain();
  last_answer_ms_.clear();  // who was answered is forgotten
  for (std::uint8_t shard = 0; shard < shard_count_; ++shard) {
    const RelaySnapshot snapshot = relay(shard).snapshot();
    const auto deadline_ms = relay(shard).next_deadline();
    begin_call(shard);
    // The relay's place in the deque stays; it refers to parts of itself, so it is made anew there.
    std::destroy_at(&shards_[shard].relay);
    std::construct_at(&shards_[shard].relay, config_of(shard), now_ms_);
    require(relay(shard).restore(snapshot).has_value(), "a relay's own snapshot is sound");
    require(relay(shard).next_deadline().has_value() == deadline_ms.has_value(),
            "the silent go as they would have gone");
    check_counters_go_on(relay(shard).counters(), snapshot.counters);
    end_call(shard);
  }
}

}  // namespace chatd::test
