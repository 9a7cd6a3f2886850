// UDP_GRO (udp(7)), the receiving half of trains. A server that has several messages for one member
// may send them as one segmented datagram; without this the kernel cuts it up and wakes the
// receiver for each piece, with it the train arrives whole, in one call, and is cut up here. The
// kernel may also join equal datagrams of one sender that came one by one.
//
// A train is up to 64 KiB long, and what does not fit the buffer is lost: receive with 64 KiB.
#pragma once

#include <sys/socket.h>

#include <cstddef>

namespace chatd::client {

inline constexpr std::size_t kMaxTrainBytes = 65'536;
// For the control message, in a buffer of its own.
inline constexpr std::size_t kTrainControlBytes = CMSG_SPACE(sizeof(int));

// False: the kernel does not have it (before Linux 5.0), and datagrams come one by one.
bool enable_udp_gro(int fd);

// What recvmsg(2) says about the length of a train's segments, of which the last may be shorter;
// 0 when the message is a single datagram.
std::size_t segment_bytes_of(const msghdr& received);

}  // namespace chatd::client
