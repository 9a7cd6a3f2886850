// The kinds of what may go wrong with the network and the server's machine.
#pragma once

#include <cstdint>
#include <string_view>

namespace chatd::sim {

enum class Fault : std::uint8_t {
  // The network, and steering, for what is handed over may be overtaken; not where all is orderly.
  kWrongSteering,
  kLoss,
  kDoubling,
  kReordering,
  kDelay,
  kIcmpLoss,
  // Between the server and one host.
  kPartition,
  kUnreachable,
  kDeviceFull,
  kForbidden,
  kRefusing,
  kSmallMtu,
  kNoTrains,
  kBlackHole,  // the path has become small, and nobody says so
  kStuckPath,  // a neighbour that does not answer: what goes there stays in the socket's buffer
  kBusyPath,   // EAGAIN for this host alone, as while a security association is negotiated
  // The server's machine.
  kSocketFull,
  kPause,
  kClockStall,
  kClockJump,
  kBrokenConnections,
  kNoDescriptors,  // for new connections
  kNoMemory,       // to receive
  kListReaders,    // many ask for lists, and read them slowly
  kDribble,        // calls take a part of what they could, or are interrupted
  kStop,
  kCount,
};

std::string_view fault_name(Fault fault);

}  // namespace chatd::sim
