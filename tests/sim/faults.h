// What goes wrong with the network, the server's machine and its clock: from time to time a fault
// begins, strikes somebody, and is over again.
#pragma once

#include <cstdint>

#include "tests/sim/fault.h"
#include "tests/sim/network.h"
#include "tests/sim/server.h"
#include "tests/sim/world.h"

namespace chatd::sim {

class Faults {
 public:
  Faults(World& world, Network& network, Server& server);

  void begin_one();
  void end(std::uint32_t fault, std::uint32_t whom);
  bool are_over() const { return lasting_ == 0; }

 private:
  static constexpr std::uint32_t kMaxFaults = static_cast<std::uint32_t>(Fault::kCount);

  void set(Fault fault, std::uint32_t whom, bool begins);
  void set_shard(Fault fault, std::uint32_t whom, bool begins);
  void stop_server();

  World& world_;
  Network& network_;
  Server& server_;
  std::uint32_t lasting_ = 0;
};

}  // namespace chatd::sim
