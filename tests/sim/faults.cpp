#include "tests/sim/faults.h"

namespace chatd::sim {
namespace {

constexpr std::uint64_t kLongUs = 60'000;    // what a fault lasts, on average
constexpr std::uint64_t kFullUs = 15'000;    // a device, or a process without processor time
constexpr std::uint64_t kStuckUs = 90'000;   // a socket, a path, a list that is read
constexpr std::uint64_t kCutUs = 1'000'000;  // a host, for long
constexpr std::uint64_t kDownUs = 100'000;   // a server

// Rare ones, since much is over with them.
bool is_rare(Fault fault) {
  return fault == Fault::kStop || fault == Fault::kClockJump;
}

std::uint64_t length_of(Fault fault) {
  switch (fault) {
    case Fault::kSocketFull:
    case Fault::kStuckPath:
    case Fault::kListReaders:
      return kStuckUs;
    case Fault::kDeviceFull:
    case Fault::kPause:
    case Fault::kStop:
      return kFullUs;
    default:
      return kLongUs;
  }
}

void count(std::uint32_t& what, bool begins) {
  what += begins ? 1u : ~0u;
}

}  // namespace

Faults::Faults(World& world, Network& network, Server& server)
    : world_(world), network_(network), server_(server) {
  world_.plan(world_.about(world_.scenario.fault_gap_us), EventKind::kFaultBegins);
}

void Faults::begin_one() {
  if (world_.is_calm || world_.is_settling) return;
  world_.plan(1 + world_.about(world_.scenario.fault_gap_us), EventKind::kFaultBegins);
  const std::uint32_t first =
      world_.scenario.is_orderly ? static_cast<std::uint32_t>(Fault::kIcmpLoss) : 0;
  const auto fault = static_cast<Fault>(first + world_.dice.roll32(kMaxFaults - first));
  if (is_rare(fault) && !world_.dice.one_in(6)) return;
  if (!server_.is_up()) return;
  const bool strikes_shard = fault == Fault::kSocketFull || fault == Fault::kPause;
  const std::uint32_t whom =
      world_.dice.roll32(strikes_shard ? server_.shard_count() : world_.scenario.hosts);
  // Some hosts are cut off for so long that their clients notice.
  const bool is_long = fault == Fault::kPartition && world_.dice.one_in(4);
  const std::uint64_t for_us = world_.about(is_long ? kCutUs : length_of(fault));
  world_.note(Step::kFault, static_cast<std::uint64_t>(fault), whom, for_us);
  ++lasting_;
  set(fault, whom, true);
  world_.plan(for_us, EventKind::kFaultEnds, static_cast<std::uint32_t>(fault), whom);
}

void Faults::end(std::uint32_t fault, std::uint32_t whom) {
  --lasting_;
  world_.note(Step::kFaultOver, fault, whom);
  set(static_cast<Fault>(fault), whom, false);
}

void Faults::set(Fault fault, std::uint32_t whom, bool begins) {
  switch (fault) {
    case Fault::kLoss:
      return count(network_.losing, begins);
    case Fault::kDoubling:
      return count(network_.doubling, begins);
    case Fault::kReordering:
      return count(network_.reordering, begins);
    case Fault::kDelay:
      return count(network_.delaying, begins);
    case Fault::kIcmpLoss:
      return count(network_.losing_icmp, begins);
    case Fault::kPartition:
      return count(world_.hosts[whom].cut, begins);
    case Fault::kUnreachable:
      return count(world_.hosts[whom].unreachable, begins);
    case Fault::kDeviceFull:
      return count(world_.hosts[whom].device_full, begins);
    case Fault::kForbidden:
      return count(world_.hosts[whom].forbidden, begins);
    case Fault::kRefusing:
      return count(world_.hosts[whom].refusing, begins);
    case Fault::kSmallMtu:
      return count(world_.hosts[whom].small_mtu, begins);
    case Fault::kBlackHole:
      return count(world_.hosts[whom].shrunk, begins);
    case Fault::kNoTrains:
      return count(world_.hosts[whom].without_trains, begins);
    case Fault::kStuckPath:
      count(world_.hosts[whom].stuck, begins);
      if (world_.hosts[whom].stuck == 0) server_.machine().release_path(whom);
      if (!begins) server_.machine().drain_lanes();
      return;
    case Fault::kBusyPath:
      count(world_.hosts[whom].busy, begins);
      if (!begins) server_.machine().drain_lanes();
      return;
    case Fault::kWrongSteering:
      return count(server_.steering_wrong, begins);
    case Fault::kBrokenConnections:
      return count(server_.breaking_connections, begins);
    case Fault::kNoDescriptors:
      return count(server_.machine().out_of_descriptors, begins);
    case Fault::kNoMemory:
      return count(server_.machine().out_of_memory, begins);
    case Fault::kListReaders:
      return count(server_.slow_list_readers, begins);
    case Fault::kDribble:
      return count(server_.machine().dribbling, begins);
    default:
      set_shard(fault, whom, begins);
  }
}

// The server may have been stopped and started since: its shards are others, and well.
void Faults::set_shard(Fault fault, std::uint32_t whom, bool begins) {
  switch (fault) {
    case Fault::kClockStall:
      world_.seen.saw(Sight::kClockStall);
      if (begins) return server_.machine().clock().stall(world_.now_us);
      server_.machine().clock().go_on();
      return server_.wake_all();
    case Fault::kClockJump:
      if (!begins) return;
      world_.seen.saw(Sight::kClockJump);
      server_.machine().clock().jump(world_.dice.roll(2 * world_.limits.idle_timeout_ms));
      return server_.wake_all();
    case Fault::kSocketFull:
      count(network_.sockets_full, begins);
      if (begins)
        return server_.machine().fill_socket(whom,
                                             world_.dice.roll32(world_.dice.one_in(2) ? 8 : 100));
      if (server_.is_up()) server_.machine().drain_socket(whom);
      return;
    case Fault::kStop:  // at its end; some servers have a full socket by then
      if (!begins) return stop_server();
      if (world_.dice.one_in(2)) return;
      for (std::uint32_t i = 0; i < server_.shard_count(); ++i) {
        server_.machine().fill_socket(i, world_.dice.roll32(10));
      }
      return;
    case Fault::kPause:
      world_.seen.saw(Sight::kServerPause);
      if (begins) return server_.pause(whom);
      if (server_.is_up()) server_.go_on(whom);
      return;
    default:
      return;
  }
}

void Faults::stop_server() {
  if (!server_.is_up()) return;
  world_.seen.saw(Sight::kServerStop);
  server_.stop();
  world_.plan(world_.about(kDownUs), EventKind::kServerStarts);
}

}  // namespace chatd::sim
