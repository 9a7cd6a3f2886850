#include "tests/sim/operator.h"

#include <cstddef>

namespace chatd::sim {
namespace {

constexpr std::uint64_t kOtherLimitsUs = 200'000;
constexpr std::uint64_t kDrainUs = 60'000;
constexpr std::uint64_t kStoppedUs = 100'000;
constexpr std::uint64_t kBusyUs = 1'000;

}  // namespace

Operator::Operator(World& world, Model& model, Server& server)
    : world_(world), model_(model), server_(server) {
  world_.plan(world_.about(2 * world_.scenario.fault_gap_us), EventKind::kOperatorActs);
}

void Operator::act() {
  if (world_.is_calm || world_.is_settling) return;
  world_.plan(1 + world_.about(2 * world_.scenario.fault_gap_us), EventKind::kOperatorActs);
  if (!server_.is_up()) return;
  switch (some_act()) {
    case Act::kKick:
      return kick();
    case Act::kCloseRoom:
      return close_room();
    case Act::kNewLimits:
      return set_limits();
    case Act::kHotRestart:
      return restart_hot();
    default:
      return drain();
  }
}

Operator::Act Operator::some_act() {
  const std::uint32_t roll = world_.dice.roll32(40);
  if (roll < 16) return Act::kKick;
  if (roll < 22) return Act::kCloseRoom;
  if (roll < 31) return Act::kNewLimits;
  return roll < 39 ? Act::kHotRestart : Act::kDrain;
}

void Operator::note(Act act, std::uint64_t room, std::uint64_t name) {
  world_.note(Step::kOperator, static_cast<std::uint64_t>(act), room, name);
}

void Operator::go_on_later(std::uint64_t in_us, Act act) {
  world_.plan(world_.about(in_us), EventKind::kOperatorGoesOn, static_cast<std::uint32_t>(act),
              server_.generation());
}

void Operator::go_on(std::uint32_t act, std::uint32_t generation) {
  if (!server_.is_up() || server_.generation() != generation) return;
  switch (static_cast<Act>(act)) {
    case Act::kOldLimits:
      world_.seen.saw(Sight::kOldLimits);
      note(Act::kOldLimits);
      return server_.set_limits(world_.scenario.limits);
    case Act::kHotRestart:
      return restart_hot();
    default:
      return stop();
  }
}

// Most of them are there when it is asked for; some may be gone when it comes to it.
void Operator::kick() {
  const std::uint32_t room = some_room();
  const ModelRoom& there = model_.members().rooms[room];
  std::uint32_t name = world_.dice.roll32(world_.scenario.clients);
  if (!there.members.empty() && !world_.dice.one_in(4)) {
    const std::size_t one = world_.dice.roll32(static_cast<std::uint32_t>(there.members.size()));
    name = model_.members()[there.members[one]].name;
  }
  note(Act::kKick, room, name);
  server_.kick(room, name);
}

void Operator::close_room() {
  const std::uint32_t room = some_room();
  note(Act::kCloseRoom, room);
  server_.close_room(room);
}

void Operator::set_limits() {
  world_.seen.saw(Sight::kNewLimits);
  note(Act::kNewLimits);
  server_.set_limits(world_.scenario.other_limits(world_.dice));
  go_on_later(kOtherLimitsUs, Act::kOldLimits);
}

// Nobody restarts a server in this way that is about to stop.
void Operator::restart_hot() {
  if (model_.is_draining()) return;
  if (!server_.restart_hot()) return go_on_later(kBusyUs, Act::kHotRestart);
  world_.seen.saw(Sight::kHotRestart);
  note(Act::kHotRestart);
}

void Operator::drain() {
  if (model_.is_draining()) return;
  world_.seen.saw(Sight::kDrain);
  note(Act::kDrain);
  server_.start_drain();
  go_on_later(kDrainUs, Act::kStop);
}

void Operator::stop() {
  note(Act::kStop);
  server_.stop();
  world_.plan(world_.about(kStoppedUs), EventKind::kServerStarts);
}

}  // namespace chatd::sim
