#include "tests/sim/simulation.h"

#include <spdlog/spdlog.h>

namespace chatd::sim {

Simulation::Simulation(std::uint64_t seed, bool print_trace)
    : world_(seed, print_trace),
      network_(world_),
      model_(world_, network_),
      server_(world_, network_, model_),
      clients_(world_, network_, model_, server_),
      faults_(world_, network_, server_),
      operator_(world_, model_, server_) {
  spdlog::set_level(spdlog::level::off);  // what the server says to its operator
}

bool Simulation::run(std::uint64_t steps) {
  while (events_ < steps && world_.ok()) {
    take_event();
    if (events_ % kCompareEvery == 0) server_.compare();
  }
  if (world_.ok()) settle();
  if (world_.ok()) come_to_rest();
  return world_.ok();
}

void Simulation::take_event() {
  const Event event = world_.events.take();
  world_.now_us = event.at_us;
  ++events_;
  handle(event);
}

void Simulation::handle(const Event& event) {
  switch (event.kind) {
    case EventKind::kDatagramAtServer:
      return server_.on_datagram(event.what);
    case EventKind::kDatagramAtClient:
      return clients_.on_datagram(event.what, event.where);
    case EventKind::kRefusalAtServer:
      return server_.on_refusal(event.what);
    case EventKind::kRefusalAtClient:
      return clients_.on_unreachable(event.where);
    case EventKind::kTurn:
      if (event.where < server_.shard_count()) server_.turn(event.where);
      return;
    case EventKind::kTimer:
      if (event.where < server_.shard_count()) server_.on_timer(event.where);
      return;
    case EventKind::kClientWakes:
      return clients_.wake(event.what);
    case EventKind::kSessionDue:
      return clients_.on_session_due(event.what);
    case EventKind::kRequestAtServer:
      return server_.on_request(event.what, event.where);
    case EventKind::kBytesAtClient:
      if (server_.on_bytes_at_client(event.what, event.where)) clients_.on_answer(event.what);
      return;
    case EventKind::kFaultBegins:
      return faults_.begin_one();
    case EventKind::kFaultEnds:
      return faults_.end(event.what, event.where);
    case EventKind::kServerStarts:
      return server_.start();
    case EventKind::kOperatorActs:
      return operator_.act();
    case EventKind::kOperatorGoesOn:
      return operator_.go_on(event.what, event.where);
  }
}

// Faults end, members stay and say nothing more: whoever has protocol v2 gets all that was said. On
// a bad network a long log takes its time, but it goes on.
void Simulation::settle() {
  constexpr std::uint64_t kLookEvery = 64;
  world_.is_settling = true;
  std::uint64_t give_up_at_us = world_.now_us + kSettleUs;
  std::uint64_t settled = 0;
  std::string missing = "faults do not end";
  while (!missing.empty() && world_.now_us < give_up_at_us && world_.ok()) {
    take_event();
    if (events_ % kLookEvery != 0 || !faults_.are_over()) continue;
    missing = clients_.why_not_settled();
    if (clients_.settled() == settled) continue;
    settled = clients_.settled();
    give_up_at_us = world_.now_us + kSettleUs;
  }
  if (!missing.empty()) world_.fail(missing);
  clients_.fall_silent();
  world_.is_settling = false;
}

// Faults end, clients say nothing more: what is under way arrives, and then every member falls
// silent for so long that it is removed.
void Simulation::come_to_rest() {
  world_.is_calm = true;
  const std::uint64_t give_up_at = events_ + kMaxEventsToRest;
  while (!world_.events.is_empty() && world_.ok()) {
    if (events_ == give_up_at) return world_.fail("it does not come to rest");
    take_event();
  }
  if (!world_.ok()) return;
  server_.check_at_rest();
  if (model_.member_count() != 0 || model_.rooms() != 0) world_.fail("somebody never timed out");
  if (world_.packets.in_use() != 0) world_.fail("datagrams were lost track of");
  server_.stop();
}

std::string Simulation::report(std::uint64_t steps) const {
  constexpr std::size_t kLines = 40;
  return world_.trace.text(kLines) + "\nseed " + std::to_string(world_.scenario.seed) + ", event " +
         std::to_string(events_) + ": " + world_.failure + "\nto see it again: ./dev sim --seed " +
         std::to_string(world_.scenario.seed) + " --steps " + std::to_string(steps) + " --trace\n";
}

}  // namespace chatd::sim
