// Ways out for when the shared socket is full.
//
// What is on its way through the kernel counts against the send buffer of the socket that has sent
// it until it has left the machine. A neighbour that no longer answers ARP, or a slow device with a
// long queue, keeps it there for seconds; with one socket for all, a few of them fill its buffer,
// and then nobody gets anything out. Nobody can say whose datagrams a full buffer holds, so:
//
// While the shared socket has room everything goes through it, in large batches. When it is full,
// datagrams go out by lanes: further sockets with buffers of their own, each for one IP address at
// a time. Whose way is free has left its lane at once, and the next one may have it. Who is stuck
// keeps the lane and is kept to it, and loses what does not fit (UdpSender): so what one address
// may hold is bounded, and costs nobody else anything. Order is kept, for sockets are no queues:
// what two of them send to one address follows the same way through the kernel.
//
// A lane only sends. It is bound to chatd's port at a multicast address which it does not listen
// to: datagrams and ICMP errors for chatd do not match it and come to the shared socket, as ever.
// That address is never a source: each datagram names the one that it leaves from. Without lanes
// (no descriptor to spare, a port that only somebody with more rights can bind to) the shared
// socket is all there is.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/endpoint.h"
#include "core/base/time.h"
#include "server/io/io.h"
#include "server/os/local_addresses.h"
#include "server/os/unique_fd.h"

namespace chatd {

// Thread: one at a time.
class Lanes {
 public:
  // So many addresses may be stuck at a time. With more of them, all wait.
  static constexpr std::size_t kMaxLanes = 1024;

  // `udp_fd` is the shared socket. Lanes are opened when they are needed, `max_lanes` at a time.
  Lanes(Io& io, int udp_fd, int family, std::size_t max_whole_bytes, std::size_t max_lanes);

  bool are_in_use() const { return in_use_ > 0; }
  // The lane that is kept for this address, unless all that was sent by it has left: then it is
  // given back.
  std::optional<int> find(const IpAddress& ip);
  // One for this address, which must have none. Nothing when there is none to be had.
  std::optional<int> take(const IpAddress& ip, TimeMs now_ms);

  // A socket that sends to anybody, and whose datagrams are cut neither here nor on their way,
  // whatever the kernel believes of a path. Nothing when there is none to be had.
  std::optional<int> probing_socket();

  // To be called now and then while some are in use: gives back one that is left.
  void look_after();

  // What datagrams leave from that do not say it themselves: the shared socket's own address,
  // unless it is a wildcard.
  const std::optional<LocalAddress>& source() const { return source_; }

 private:
  // Free ones beyond these are closed: connections need descriptors, too.
  static constexpr std::size_t kSpareLanes = 32;

  struct Lane {
    UniqueFd fd;
    IpAddress ip;
  };
  struct IpHash {
    std::size_t operator()(const IpAddress& ip) const { return absl::HashOf(ip.key()); }
  };

  bool is_empty(const Lane& lane) const;
  void give_back(std::size_t index);
  void give_back_empty_ones();
  bool open();
  bool never_cuts(int fd);
  bool prepare();

  Io& io_;
  int udp_fd_;
  int family_;
  std::size_t max_whole_bytes_;
  std::size_t max_lanes_;
  bool is_prepared_ = false;
  bool has_failed_ = false;  // there can be none
  bool has_warned_ = false;
  std::uint16_t port_ = 0;
  std::size_t buffer_bytes_ = 0;
  std::optional<LocalAddress> source_;
  std::vector<Lane> lanes_;  // those in use, and then those that are free
  std::size_t in_use_ = 0;
  UniqueFd probing_;
  absl::flat_hash_map<IpAddress, std::size_t, IpHash> by_ip_;  // those in use
  std::size_t next_looked_after_ = 0;
  std::optional<TimeMs> looked_at_ms_;  // whether lanes in use have become empty
};

}  // namespace chatd
