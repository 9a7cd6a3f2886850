#include "tests/sim/fault.h"

namespace chatd::sim {

std::string_view fault_name(Fault fault) {
  switch (fault) {
    case Fault::kWrongSteering:
      return "wrong steering";
    case Fault::kLoss:
      return "loss";
    case Fault::kDoubling:
      return "doubling";
    case Fault::kReordering:
      return "reordering";
    case Fault::kDelay:
      return "delay";
    case Fault::kIcmpLoss:
      return "icmp loss";
    case Fault::kPartition:
      return "partition";
    case Fault::kUnreachable:
      return "unreachable";
    case Fault::kDeviceFull:
      return "device full";
    case Fault::kForbidden:
      return "forbidden";
    case Fault::kRefusing:
      return "refusing";
    case Fault::kSmallMtu:
      return "small mtu";
    case Fault::kBlackHole:
      return "black hole";
    case Fault::kNoTrains:
      return "no trains";
    case Fault::kStuckPath:
      return "stuck path";
    case Fault::kBusyPath:
      return "busy path";
    case Fault::kSocketFull:
      return "socket full";
    case Fault::kPause:
      return "pause";
    case Fault::kClockStall:
      return "clock stall";
    case Fault::kClockJump:
      return "clock jump";
    case Fault::kBrokenConnections:
      return "broken connections";
    case Fault::kNoDescriptors:
      return "no descriptors";
    case Fault::kNoMemory:
      return "no memory";
    case Fault::kListReaders:
      return "list readers";
    case Fault::kDribble:
      return "dribble";
    case Fault::kStop:
      return "stop";
    case Fault::kCount:
      break;
  }
  return "?";
}

}  // namespace chatd::sim
