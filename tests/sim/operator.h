// The server's operator: now and then kicks a member, closes a room, sets other limits and later
// the old ones again, restarts the server so that nobody notices, or lets it drain before it stops.
#pragma once

#include <cstdint>

#include "tests/sim/model.h"
#include "tests/sim/server.h"
#include "tests/sim/world.h"

namespace chatd::sim {

class Operator {
 public:
  Operator(World& world, Model& model, Server& server);

  void act();
  // With something begun at an earlier time, if that server is still there.
  void go_on(std::uint32_t act, std::uint32_t generation);

 private:
  enum class Act : std::uint8_t {
    kKick,
    kCloseRoom,
    kNewLimits,
    kOldLimits,
    kHotRestart,
    kDrain,
    kStop
  };

  Act some_act();
  void note(Act act, std::uint64_t room = 0, std::uint64_t name = 0);
  void go_on_later(std::uint64_t in_us, Act act);
  void kick();
  void close_room();
  void set_limits();
  void restart_hot();
  void drain();
  void stop();
  std::uint32_t some_room() {
    return world_.dice.roll32(static_cast<std::uint32_t>(world_.room_names.size()));
  }

  World& world_;
  Model& model_;
  Server& server_;
};

}  // namespace chatd::sim
