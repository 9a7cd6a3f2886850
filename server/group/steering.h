// Steering: the kernel gives each datagram to the shard of its room.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <span>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "server/os/unique_fd.h"

namespace chatd {

// A program for the kernel that reads in each datagram which shard owns its room, so that the
// datagram goes straight to that shard's socket. Classic BPF, attached to the SO_REUSEPORT group of
// the shards' UDP sockets (socket(7), SO_ATTACH_REUSEPORT_CBPF; instructions:
// Documentation/networking/filter.rst). Thread: a pure function.
//
// The program sees the datagram's payload from offset 0 and returns the number of a socket in the
// order in which they were bound. Two things are easy to get wrong. A load past the end does not
// fail: the program ends and returns 0, so that a flood of short datagrams would all go to shard 0;
// hence the length is compared before each load. And what names no shard must spread: for a number
// that is no socket's, the kernel falls back to its hash of the sender's and our address
// (net/core/sock_reuseport.c), so that is what the program returns.
using SteeringProgram = std::vector<sock_filter>;

inline constexpr std::uint32_t kNoSocket = 0xffff'ffff;

// For 1..256 shards.
SteeringProgram steering_program(std::uint32_t shard_count);

// Gives the kernel the steering program, and sees for itself that it works: whether a kernel runs
// such a program, in which order it counts sockets, and from which byte on the program sees a
// datagram, is found out by sending some, not by asking its version.
//
// `sockets` are the shards', in the order of their numbers and of their binding, before anything is
// served: probes go to each shard in each form of token from a socket of our own, over each family
// that the address serves, and whatever arrives meanwhile is thrown away. Takes milliseconds; a
// second if something does not arrive. An error says what was not as it has to be; then the program
// is taken out again and the kernel spreads datagrams by its own hash.
tl::expected<void, std::string> steer_datagrams(std::span<const UniqueFd> sockets,
                                                const SteeringProgram& program);

}  // namespace chatd
