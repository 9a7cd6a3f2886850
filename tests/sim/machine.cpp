#include "tests/sim/machine.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "server/shard/shard.h"

namespace chatd::sim {

Machine::Machine(World& world, Network& network, Peers& peers,
                 std::function<void(std::uint32_t)> on_ready)
    : world_(world), network_(network), peers_(peers), on_ready_(std::move(on_ready)) {
  held_.resize(world.scenario.hosts);
}

int Machine::fail(int error) {
  errno = error;
  return -1;
}

int Machine::open(Kind kind, std::uint32_t shard) {
  int fd = -1;
  if (free_.empty()) {
    fd = kFirstFd + static_cast<int>(files_.size());
    files_.emplace_back();
  } else {
    fd = free_.back();
    free_.pop_back();
  }
  file(fd) = {};
  file(fd).kind = kind;
  file(fd).shard = shard;
  return fd;
}

void Machine::close(int fd) {
  File& closed = file(fd);
  if (closed.kind == Kind::kFree) return world_.fail("a descriptor is closed twice");
  for (const std::uint32_t packet : closed.inbox) world_.packets.release(packet);
  if (closed.held > 0) {  // it leaves nevertheless, when it can
    for (auto& held : held_) {
      for (Held& one : held) one.fd = one.fd == fd ? -1 : one.fd;
    }
  }
  if (closed.is_ready && closed.epoll_fd >= 0) std::erase(file(closed.epoll_fd).ready, fd);
  if (closed.kind == Kind::kStream) {
    Stream& stream = streams_[closed.connection];
    stream.fd = -1;
    // What nobody reads any more makes an end a reset.
    if (!stream.to_server.empty()) stream.is_reset = true;
    const std::uint32_t connection = closed.connection;
    closed = {};
    free_.push_back(fd);
    return peers_.closed(connection);
  }
  closed = {};
  free_.push_back(fd);
}

void Machine::end_process() {
  while (listener_ >= 0 && !file(listener_).backlog.empty()) {
    const std::uint32_t waiting = file(listener_).backlog.front();
    file(listener_).backlog.pop_front();
    peers_.closed(waiting);
  }
  for (std::size_t i = 0; i < files_.size(); ++i) {
    files_[i].is_ready = false;
    if (files_[i].kind != Kind::kFree) close(kFirstFd + static_cast<int>(i));
  }
  udp_.clear();
  listener_ = -1;
  datagrams_read_ = messages_sent_ = 0;
}

void Machine::forget_watchers() {
  for (std::size_t i = 0; i < files_.size(); ++i) {
    File& file = files_[i];
    file.epoll_fd = -1;
    file.is_ready = false;
    const bool is_of_process =
        file.kind == Kind::kEpoll || file.kind == Kind::kEvent || file.kind == Kind::kLane;
    if (is_of_process) close(kFirstFd + static_cast<int>(i));
  }
}

int Machine::open_udp(std::uint32_t shard) {
  const int fd = open(Kind::kUdp, shard);
  udp_.push_back(fd);
  return fd;
}

int Machine::open_listener() {
  return listener_ = open(Kind::kListener);
}

TimeNs Machine::now_ns() {
  return clock_.now_ms(world_.now_us) * 1'000'000;
}

// --- epoll ---------------------------------------------------------------------------------------

int Machine::epoll_create() {
  return open(Kind::kEpoll);
}

int Machine::eventfd() {
  return open(Kind::kEvent);
}

int Machine::epoll_add(int epoll_fd, int fd, std::uint32_t events, std::uint64_t id) {
  File& added = file(fd);
  added.epoll_fd = epoll_fd;
  added.id = id;
  added.wanted = events;
  added.is_ready = false;
  if (added.kind == Kind::kUdp) file(epoll_fd).shard = added.shard;
  signal(fd);
  return 0;
}

// Something has happened there: an edge, if anybody waits for it.
void Machine::signal(int fd) {
  File& changed = file(fd);
  if (changed.epoll_fd < 0 || readiness(changed) == 0) return;
  File& epoll = file(changed.epoll_fd);
  if (std::exchange(changed.is_ready, true)) return;
  epoll.ready.push_back(fd);
  on_ready_(epoll.shard);
}

std::uint32_t Machine::readiness(const File& watched) const {
  std::uint32_t events = 0;
  switch (watched.kind) {
    case Kind::kEvent:
      if (watched.is_signalled) events = EPOLLIN;
      break;
    case Kind::kListener:
      if (!watched.backlog.empty()) events = EPOLLIN;
      break;
    case Kind::kUdp:
      if (!watched.inbox.empty()) events |= EPOLLIN;
      if (watched.can_send()) events |= EPOLLOUT;
      if (!watched.errors.empty() || watched.pending_error != 0) events |= EPOLLERR;
      break;
    case Kind::kStream: {
      const Stream& stream = streams_[watched.connection];
      if (!stream.to_server.empty() || stream.has_hung_up) events |= EPOLLIN;
      if (stream.under_way_bytes < stream.capacity_bytes) events |= EPOLLOUT;
      if (stream.has_hung_up) events |= EPOLLRDHUP;
      if (stream.is_reset) events |= EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR;
      break;
    }
    default:
      break;
  }
  return events & (watched.wanted | EPOLLERR | EPOLLHUP);
}

// It never waits: who has nothing to do is not given a turn. Now and then it is interrupted. What
// it has not told of by then it would tell of at once when it is called again.
int Machine::epoll_wait(int epoll_fd, std::span<epoll_event> events, int) {
  world_.delays.spend(Delays::Share::kConnections, Delays::kCallNs);
  if (is_stopping) clock_.jump(1);
  File& epoll = file(epoll_fd);
  const bool is_interrupted = world_.dice.one_in(64);
  if (is_interrupted) world_.seen.saw(Sight::kInterrupted);
  const int count = is_interrupted ? 0 : take_events(epoll, events);
  if (!epoll.ready.empty()) on_ready_(epoll.shard);
  return is_interrupted ? fail(EINTR) : count;
}

int Machine::take_events(File& epoll, std::span<epoll_event> events) {
  std::size_t count = 0;
  for (; count < events.size() && !epoll.ready.empty(); ++count) {
    const int fd = epoll.ready.front();
    epoll.ready.pop_front();
    File& watched = file(fd);
    watched.is_ready = false;
    events[count].events = readiness(watched);
    events[count].data.u64 = watched.id;
  }
  return static_cast<int>(count);
}

void Machine::wake(int event_fd) {
  file(event_fd).is_signalled = true;
  signal(event_fd);
}

// Only at the end of a process: time goes on meanwhile, and what is full may have drained by then.
int Machine::poll(std::span<pollfd> watched, int timeout_ms) {
  for (pollfd& one : watched) {
    File& udp = file(one.fd);
    if (udp.is_filling && udp.room_left == 0 && world_.dice.one_in(2)) udp.is_filling = false;
    if (udp.can_send()) return 1;
  }
  clock_.jump(static_cast<TimeMs>(timeout_ms));
  return 0;
}

// --- Rare ones -----------------------------------------------------------------------------------

int Machine::set_option(int fd, int level, int option, int value) {
  if (level == IPPROTO_IP && option == IP_MTU_DISCOVER) {
    file(fd).may_be_cut = value == IP_PMTUDISC_DONT;
  }
  return 0;
}

int Machine::get_option(int fd, int level, int option, void* value, socklen_t& size_bytes) {
  File& asked = file(fd);
  if (level == SOL_SOCKET && option == SO_MEMINFO) {
    auto* const figures = static_cast<std::uint32_t*>(value);
    std::fill_n(figures, size_bytes / sizeof(std::uint32_t), 0);
    figures[8] = static_cast<std::uint32_t>(asked.dropped);  // SK_MEMINFO_DROPS
    return 0;
  }
  if (level == SOL_SOCKET && option == SO_ERROR) {
    *static_cast<int*>(value) = std::exchange(asked.pending_error, 0);
    return 0;
  }
  return fail(ENOPROTOOPT);
}

int Machine::local_address(int, SocketAddress& address) {
  to_socket_address({world_.server_sockets.addresses.front(), world_.server_sockets.udp_port},
                    AF_INET6, address);
  return 0;
}

// A lane that is neither slow nor stuck has nothing on its way.
int Machine::unsent_bytes(int fd) {
  return file(fd).is_filling || file(fd).held > 0 ? 1 : 0;
}

bool Machine::hear_errors(int udp_fd, int, bool is_wanted) {
  file(udp_fd).hears_errors = is_wanted;
  if (!is_wanted) file(udp_fd).errors.clear();
  return true;
}

bool Machine::share_port(int) {
  return true;
}

tl::expected<UniqueFd, std::string> Machine::open_sending_socket(int, std::uint16_t) {
  if (world_.dice.one_in(8)) return tl::unexpected<std::string>("no descriptor is left for a lane");
  world_.seen.saw(Sight::kLane);
  const int fd = open(Kind::kLane);
  if (world_.dice.one_in(2)) {  // the way there is as slow
    file(fd).is_filling = true;
    file(fd).room_left = world_.dice.roll32(20);
  }
  return UniqueFd(fd);
}

bool Machine::has_route(const Endpoint& destination, int) {
  const auto port = network_.find_port(destination);
  return !port || world_.hosts[network_.port(*port).host].unreachable == 0;
}

}  // namespace chatd::sim
