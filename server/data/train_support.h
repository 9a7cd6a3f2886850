// What trains (UDP_SEGMENT) this machine and its network take.
#pragma once

#include <cstdint>

#include "core/room/train_planner.h"

namespace chatd {

// `family` is the socket's, `mtu_bytes` what every path to a member takes. No trains when they are
// not wanted or the kernel does not know them, which is logged.
TrainLimits train_limits(int udp_fd, int family, bool wanted, std::uint32_t mtu_bytes);

}  // namespace chatd
