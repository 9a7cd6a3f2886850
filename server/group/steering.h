// Gives the kernel the steering program, and sees for itself that it works: whether a kernel runs
// such a program, in which order it counts sockets, and from which byte on the program sees a
// datagram, is found out by sending some, not by asking its version.
#pragma once

#include <span>
#include <string>
#include <tl/expected.hpp>

#include "server/group/steering_program.h"
#include "server/os/unique_fd.h"

namespace chatd {

// `sockets` are the shards', in the order of their numbers and of their binding, before anything is
// served: probes go to each shard in each form of token from a socket of our own, over each family
// that the address serves, and whatever arrives meanwhile is thrown away. Takes milliseconds; a
// second if something does not arrive. An error says what was not as it has to be; then the program
// is taken out again and the kernel spreads datagrams by its own hash.
tl::expected<void, std::string> steer_datagrams(std::span<const UniqueFd> sockets,
                                                const SteeringProgram& program);

}  // namespace chatd
