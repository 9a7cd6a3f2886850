// The machine's UDP: what comes, what goes, and what ICMP says of it.
#include <ctime>

#include <linux/errqueue.h>
#include <netinet/udp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/base/limits.h"
#include "core/wire/v1/payload.h"
#include "tests/sim/machine.h"
#include "tests/sim/words.h"

namespace chatd::sim {
namespace {

constexpr std::size_t kSmallMtu = 600;

std::size_t segment_bytes_of(const msghdr& header) {
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr;
       control = CMSG_NXTHDR(const_cast<msghdr*>(&header), control)) {
    if (control->cmsg_level != SOL_UDP || control->cmsg_type != UDP_SEGMENT) continue;
    std::uint16_t bytes = 0;
    std::memcpy(&bytes, CMSG_DATA(control), sizeof bytes);
    return bytes;
  }
  return 0;
}

}  // namespace

void Machine::on_datagram(std::uint32_t shard, std::uint32_t packet) {
  File& udp = file(udp_[shard]);
  if (udp.inbox.size() >= world_.scenario.receive_buffer) {
    ++udp.dropped;
    return world_.packets.release(packet);
  }
  udp.inbox.push_back(packet);
  signal(udp_[shard]);
}

// It is queued, and fails the next call on the socket, whomever that is for.
void Machine::on_refusal(std::uint32_t shard, const Endpoint& destination) {
  File& udp = file(udp_[shard]);
  if (!udp.hears_errors) return;
  udp.errors.push_back(destination);
  udp.pending_error = ECONNREFUSED;
  signal(udp_[shard]);
}

int Machine::receive_batch(int fd, std::span<mmsghdr> batch, int flags) {
  File& udp = file(fd);
  if ((flags & MSG_ERRQUEUE) != 0) return receive_errors(udp, batch);
  if (udp.pending_error != 0) return fail(std::exchange(udp.pending_error, 0));
  if (out_of_memory > 0) return fail(ENOMEM);
  if (dribbling > 0 && world_.dice.one_in(8)) return fail(EINTR);
  if (udp.inbox.empty()) return fail(EAGAIN);
  std::size_t count = 0;
  std::size_t most = batch.size();
  if (dribbling > 0) most = 1 + static_cast<std::size_t>(world_.dice.roll(most));
  while (count < most && !udp.inbox.empty()) copy_in(udp, batch[count++]);
  return static_cast<int>(count);
}

// Datagrams of one sender and one size come in one piece now and then, as a train (UDP_GRO); the
// last of it may be shorter.
void Machine::copy_in(File& udp, mmsghdr& header) {
  const Endpoint from = world_.packets[udp.inbox.front()].from;
  const std::size_t segment_bytes = world_.packets[udp.inbox.front()].size_bytes;
  auto* const place = static_cast<char*>(header.msg_hdr.msg_iov->iov_base);
  std::size_t used_bytes = 0;
  std::size_t count = 0;
  for (bool is_last = false; !is_last && !udp.inbox.empty(); ++count) {
    const std::uint32_t number = udp.inbox.front();
    const Packet& packet = world_.packets[number];
    const bool fits = packet.from == from && packet.size_bytes <= segment_bytes &&
                      packet.size_bytes > 0 &&
                      used_bytes + packet.size_bytes <= header.msg_hdr.msg_iov->iov_len;
    if (count > 0 && (!fits || world_.dice.one_in(4))) break;
    is_last = packet.size_bytes < segment_bytes || segment_bytes == 0;
    std::copy_n(packet.bytes.data(), packet.size_bytes, place + used_bytes);
    used_bytes += packet.size_bytes;
    world_.claims.note(packet);
    ++datagrams_read_;
    udp.inbox.pop_front();
    world_.packets.release(number);
  }
  std::memset(place + used_bytes, '}', kPayloadPaddingBytes);
  header.msg_len = static_cast<unsigned>(used_bytes);
  header.msg_hdr.msg_namelen =
      to_socket_address(from, AF_INET6, *static_cast<SocketAddress*>(header.msg_hdr.msg_name));
  header.msg_hdr.msg_controllen = 0;
  if (count == 1) return;
  world_.seen.saw(Sight::kReceivedTrain);
  const int value = static_cast<int>(segment_bytes);
  auto* const control = static_cast<cmsghdr*>(header.msg_hdr.msg_control);
  control->cmsg_level = SOL_UDP;
  control->cmsg_type = UDP_GRO;
  control->cmsg_len = CMSG_LEN(sizeof value);
  std::memcpy(CMSG_DATA(control), &value, sizeof value);
  header.msg_hdr.msg_controllen = CMSG_SPACE(sizeof value);
}

// With the last one that is taken the pending error is gone, too.
int Machine::receive_errors(File& udp, std::span<mmsghdr> batch) {
  std::size_t count = 0;
  for (; count < batch.size() && !udp.errors.empty(); ++count) {
    msghdr& header = batch[count].msg_hdr;
    to_socket_address(udp.errors.front(), AF_INET6, *static_cast<SocketAddress*>(header.msg_name));
    udp.errors.pop_front();
    sock_extended_err error{};
    error.ee_errno = ECONNREFUSED;
    error.ee_origin = SO_EE_ORIGIN_ICMP;
    auto* const control = static_cast<cmsghdr*>(header.msg_control);
    control->cmsg_level = IPPROTO_IP;
    control->cmsg_type = IP_RECVERR;
    control->cmsg_len = CMSG_LEN(sizeof error);
    std::memcpy(CMSG_DATA(control), &error, sizeof error);
    header.msg_controllen = CMSG_SPACE(sizeof error);
    udp.pending_error = udp.errors.empty() ? 0 : ECONNREFUSED;
  }
  return count == 0 ? fail(EAGAIN) : static_cast<int>(count);
}

int Machine::send_batch(int fd, std::span<mmsghdr> batch) {
  File& udp = file(fd);
  if (udp.pending_error != 0) return fail(std::exchange(udp.pending_error, 0));
  std::size_t most = batch.size();
  if (dribbling > 0) most = 1 + static_cast<std::size_t>(world_.dice.roll(most));
  std::size_t count = 0;
  for (; count < most; ++count) {
    const int error = send_one(fd, batch[count]);
    if (error == 0) continue;
    if (count == 0) return fail(error);
    break;
  }
  return static_cast<int>(count);
}

int Machine::send_one(int fd, mmsghdr& header) {
  File& udp = file(fd);
  const Endpoint to = to_endpoint(*static_cast<SocketAddress*>(header.msg_hdr.msg_name));
  scratch_.clear();
  for (std::size_t i = 0; i < header.msg_hdr.msg_iovlen; ++i) {
    const iovec& piece = header.msg_hdr.msg_iov[i];
    scratch_.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
  }
  const std::size_t segment_bytes = segment_bytes_of(header.msg_hdr);
  if (!udp.can_send()) return EAGAIN;
  const bool is_train = segment_bytes != 0;
  if (const int error = verdict(to, is_train ? segment_bytes : scratch_.size(), is_train)) {
    return error;
  }
  if (udp.is_filling) --udp.room_left;
  transmit(fd, to, scratch_, is_train ? segment_bytes : scratch_.size());
  return 0;
}

int Machine::verdict(const Endpoint& to, std::size_t segment_bytes, bool is_train) const {
  const auto port = network_.find_port(to);
  if (!port) return 0;  // a host that is none of ours: it goes out and is gone
  const Host& host = world_.hosts[network_.port(*port).host];
  if (host.unreachable > 0) return EHOSTUNREACH;
  if (host.refusing > 0) return ECONNREFUSED;
  if (host.forbidden > 0) return EPERM;
  if (is_train && host.without_trains > 0) return EIO;
  if (host.small_mtu > 0 && segment_bytes > kSmallMtu) return is_train ? EIO : EMSGSIZE;
  if (host.device_full > 0) return ENOBUFS;
  if (host.busy > 0) {
    world_.seen.saw(Sight::kBusyPath);
    return EAGAIN;
  }
  return 0;
}

// The kernel cuts a train at its end of the path: messages travel alone.
void Machine::transmit(int fd, const Endpoint& to, std::string_view bytes,
                       std::size_t segment_bytes) {
  const auto port = network_.find_port(to);
  const std::size_t count = (bytes.size() + segment_bytes - 1) / segment_bytes;
  if (count > world_.scenario.trains.max_segments || bytes.size() > kMaxTrainBytes) {
    return world_.fail("a train that no kernel would take");
  }
  if (port) world_.note(Step::kSendsTrain, file(fd).shard, *port, count);
  std::deque<Held>* const held = port && world_.hosts[network_.port(*port).host].stuck > 0
                                     ? &held_[network_.port(*port).host]
                                     : nullptr;
  while (!bytes.empty()) {
    const std::string_view message = bytes.substr(0, segment_bytes);
    bytes.remove_prefix(message.size());
    const bool is_of_v1 = message.starts_with(std::string_view("\0\0", 2));
    const bool is_echo = message.substr(2).starts_with("{\"heartbeat\":");
    const MessageId id = is_echo || !is_of_v1 ? 0 : id_in(message).value_or(0);
    if (id != 0) ++messages_sent_;
    world_.delays.spend(Delays::Share::kMessages, Delays::kMessageNs);
    world_.delays.left(id);
    if (!port) continue;  // nobody of ours
    const Host& host = world_.hosts[network_.port(*port).host];
    // The operator has named an MTU that every path takes.
    const std::size_t smallest_bytes = world_.scenario.trains.max_segment_bytes;
    const std::size_t path_bytes =
        host.shrunk > 0 ? smallest_bytes : std::max<std::size_t>(host.path_bytes, smallest_bytes);
    if (!file(fd).may_be_cut && message.size() > path_bytes) {
      world_.seen.saw(Sight::kTooLargeForPath);
      continue;
    }
    const std::uint32_t number = world_.packets.make();
    Packet& packet = world_.packets[number];
    packet.bytes.assign(message);
    packet.size_bytes = message.size();
    packet.message = id;
    if (held != nullptr) {
      held->push_back({.port = *port, .packet = number, .fd = bytes.empty() ? fd : -1});
      continue;
    }
    network_.send_to_client(*port, number);
    world_.packets.release(number);
  }
  if (held == nullptr) return;
  world_.seen.saw(Sight::kStuckPath);
  ++file(fd).held;
}

void Machine::release_path(std::uint32_t host) {
  for (; !held_[host].empty(); held_[host].pop_front()) {
    const Held& first = held_[host].front();
    network_.send_to_client(first.port, first.packet);
    world_.packets.release(first.packet);
    if (first.fd < 0) continue;
    --file(first.fd).held;
    signal(first.fd);
  }
}

void Machine::fill_socket(std::uint32_t shard, std::uint32_t room_left) {
  File& udp = file(udp_[shard]);
  udp.is_filling = true;
  udp.room_left = room_left;
}

void Machine::drain_socket(std::uint32_t shard) {
  file(udp_[shard]).is_filling = false;
  signal(udp_[shard]);
  drain_lanes();
}

void Machine::drain_lanes() {
  for (File& lane : files_) {
    if (lane.kind == Kind::kLane) lane.is_filling = false;
  }
}

}  // namespace chatd::sim
