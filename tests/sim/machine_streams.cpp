// The machine's TCP.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "server/shard/shard.h"
#include "tests/sim/machine.h"

namespace chatd::sim {

Machine::Stream& Machine::stream(std::uint32_t connection) {
  if (streams_.size() <= connection) streams_.resize(connection + 1);
  return streams_[connection];
}

// --- The clients' ends ---------------------------------------------------------------------------

bool Machine::connect(std::uint32_t connection, const IpAddress& from, bool reads_slowly) {
  if (listener_ < 0) return false;
  Stream& opened = stream(connection);
  opened = {};
  opened.peer = from;
  opened.capacity_bytes = reads_slowly ? kSlowPeerBytes : kPeerBytes;
  file(listener_).backlog.push_back(connection);
  signal(listener_);
  return true;
}

void Machine::arrive(std::uint32_t connection, std::string_view bytes) {
  Stream& to = stream(connection);
  if (to.is_reset) return;
  to.to_server.append(bytes);
  if (to.fd >= 0) signal(to.fd);
}

void Machine::hang_up(std::uint32_t connection) {
  stream(connection).has_hung_up = true;
  if (stream(connection).fd >= 0) signal(stream(connection).fd);
}

void Machine::reset(std::uint32_t connection) {
  stream(connection).is_reset = true;
  if (stream(connection).fd >= 0) signal(stream(connection).fd);
}

void Machine::peer_takes(std::uint32_t connection, std::size_t bytes) {
  Stream& from = stream(connection);
  from.under_way_bytes -= std::min(bytes, from.under_way_bytes);
  if (!std::exchange(from.was_full, false)) return;
  if (from.fd >= 0) signal(from.fd);
}

std::optional<std::uint32_t> Machine::connection_at(std::uint32_t shard, std::uint32_t slot) const {
  const std::uint64_t id = Shard::kFirstConnectionEvent + slot;
  for (std::uint32_t i = 0; i < streams_.size(); ++i) {
    if (streams_[i].fd < 0) continue;
    const File& file = files_[static_cast<std::size_t>(streams_[i].fd - kFirstFd)];
    if (file.epoll_fd < 0 || file.id != id) continue;
    if (files_[static_cast<std::size_t>(file.epoll_fd - kFirstFd)].shard == shard) return i;
  }
  return std::nullopt;
}

// --- The server's --------------------------------------------------------------------------------

int Machine::accept(int listener_fd, SocketAddress& peer) {
  world_.delays.spend(Delays::Share::kConnections, Delays::kCallNs);
  File& listener = file(listener_fd);
  if (out_of_descriptors > 0) {
    world_.seen.saw(Sight::kNoDescriptors);
    return fail(EMFILE);
  }
  if (listener.backlog.empty()) return fail(EAGAIN);
  if (dribbling > 0 && world_.dice.one_in(4)) return fail(EINTR);
  const std::uint32_t connection = listener.backlog.front();
  listener.backlog.pop_front();
  if (streams_[connection].is_reset && world_.dice.one_in(2)) {
    peers_.closed(connection);
    return fail(ECONNABORTED);
  }
  const int fd = open(Kind::kStream);
  file(fd).connection = connection;
  streams_[connection].fd = fd;
  to_socket_address({streams_[connection].peer, 1}, AF_INET6, peer);
  return fd;
}

ssize_t Machine::receive(int fd, std::span<char> buffer) {
  world_.delays.spend(Delays::Share::kConnections, Delays::kCallNs);
  Stream& from = streams_[file(fd).connection];
  if (from.is_reset) return fail(ECONNRESET);
  if (dribbling > 0 && world_.dice.one_in(8)) return fail(EINTR);
  if (from.to_server.empty()) return from.has_hung_up ? 0 : fail(EAGAIN);
  const std::size_t count = std::min(buffer.size(), from.to_server.size());
  world_.delays.spend(Delays::Share::kConnections, count * Delays::kByteNs);
  std::copy_n(from.to_server.data(), count, buffer.data());
  from.to_server.erase(0, count);
  return static_cast<ssize_t>(count);
}

ssize_t Machine::send(int fd, std::span<const char> bytes) {
  world_.delays.spend(Delays::Share::kConnections, Delays::kCallNs);
  Stream& to = streams_[file(fd).connection];
  if (to.is_reset || to.has_shut_down) return fail(to.is_reset ? ECONNRESET : EPIPE);
  if (dribbling > 0 && world_.dice.one_in(8)) return fail(EINTR);
  std::size_t count = std::min(bytes.size(), to.capacity_bytes - to.under_way_bytes);
  if (dribbling > 0 && count > 0) count = 1 + static_cast<std::size_t>(world_.dice.roll(count));
  if (count < bytes.size()) to.was_full = true;
  if (count == 0 && !bytes.empty()) return fail(EAGAIN);
  to.under_way_bytes += count;
  world_.delays.spend(Delays::Share::kConnections, count * Delays::kByteNs);
  peers_.hears(file(fd).connection, std::string_view(bytes.data(), count));
  return static_cast<ssize_t>(count);
}

int Machine::shut_down_sending(int fd) {
  Stream& to = streams_[file(fd).connection];
  if (!std::exchange(to.has_shut_down, true)) peers_.hears_end(file(fd).connection);
  return 0;
}

}  // namespace chatd::sim
