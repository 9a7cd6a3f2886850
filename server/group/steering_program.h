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
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

namespace chatd {

using SteeringProgram = std::vector<sock_filter>;

inline constexpr std::uint32_t kNoSocket = 0xffff'ffff;

// For 1..256 shards.
SteeringProgram steering_program(std::uint32_t shard_count);

}  // namespace chatd
