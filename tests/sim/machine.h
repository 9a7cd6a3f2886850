// The server's machine: a kernel for the production shards (server/io/io.h), in virtual time. It
// has UDP sockets with buffers, error queues and pending errors, trains that it cuts itself (GSO),
// a listener with connections whose peers are slow, break off or vanish, and epoll with edges.
//
// What it does to the server is what a real one may do at any moment: a call takes only a part, or
// nothing at all (EAGAIN, ENOBUFS, EMFILE), or fails for another datagram's sake. The faults say
// when (faults.h); how much a call takes is rolled.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "server/io/io.h"
#include "tests/sim/network.h"
#include "tests/sim/server_clock.h"
#include "tests/sim/world.h"

namespace chatd::sim {

// The clients' ends of connections.
class Peers {
 public:
  virtual ~Peers() = default;
  virtual void hears(std::uint32_t connection, std::string_view bytes) = 0;
  virtual void hears_end(std::uint32_t connection) = 0;
  // The server has no part in it any more.
  virtual void closed(std::uint32_t connection) = 0;
};

class Machine final : public Io {
 public:
  // `on_ready` is told when a shard that waits would go on.
  Machine(World& world, Network& network, Peers& peers,
          std::function<void(std::uint32_t shard)> on_ready);

  ServerClock& clock() { return clock_; }

  // The server's process starts and ends: with it all that it has open.
  int open_udp(std::uint32_t shard);
  int open_listener();
  void end_process();
  // Another process takes the sockets over: who watches them is forgotten.
  void forget_watchers();

  // Arrivals. A datagram's hold is taken over.
  void on_datagram(std::uint32_t shard, std::uint32_t packet);
  void on_refusal(std::uint32_t shard, const Endpoint& destination);

  // The clients' ends of connections. False: nobody listens.
  bool connect(std::uint32_t connection, const IpAddress& from, bool reads_slowly);
  void arrive(std::uint32_t connection, std::string_view bytes);
  void hang_up(std::uint32_t connection);  // in order
  void reset(std::uint32_t connection);    // not so
  void peer_takes(std::uint32_t connection, std::size_t bytes);
  // The client's connection that this slot of a shard's control plane is for; nothing when it is
  // gone.
  std::optional<std::uint32_t> connection_at(std::uint32_t shard, std::uint32_t slot) const;

  // So many datagrams the process has read, and so many members' messages it has sent.
  std::uint64_t datagrams_read() const { return datagrams_read_; }
  std::uint64_t messages_sent() const { return messages_sent_; }

  // A shard's socket has room for so many datagrams more; and again for any number.
  void fill_socket(std::uint32_t shard, std::uint32_t room_left);
  void drain_socket(std::uint32_t shard);
  // The lanes have room again.
  void drain_lanes();
  // What the socket's buffer holds for this host leaves.
  void release_path(std::uint32_t host);
  // While it does: no descriptors are left for accepted connections.
  std::uint32_t out_of_descriptors = 0;
  // The process comes to its end: time goes on while it works.
  bool is_stopping = false;
  // A call that could take all takes a part of it, or is interrupted.
  std::uint32_t dribbling = 0;
  // Receiving fails for want of memory.
  std::uint32_t out_of_memory = 0;

  // Io.
  TimeNs now_ns() override;
  int epoll_create() override;
  int epoll_add(int epoll_fd, int fd, std::uint32_t events, std::uint64_t id) override;
  int epoll_wait(int epoll_fd, std::span<epoll_event> events, int timeout_ms) override;
  int eventfd() override;
  void wake(int event_fd) override;
  int poll(std::span<pollfd> watched, int timeout_ms) override;
  int receive_batch(int fd, std::span<mmsghdr> batch, int flags) override;
  int send_batch(int fd, std::span<mmsghdr> batch) override;
  int accept(int listener_fd, SocketAddress& peer) override;
  ssize_t receive(int fd, std::span<char> buffer) override;
  ssize_t send(int fd, std::span<const char> bytes) override;
  int shut_down_sending(int fd) override;
  void close(int fd) override;
  int set_option(int fd, int level, int option, int value) override;
  int get_option(int fd, int level, int option, void* value, socklen_t& size_bytes) override;
  int local_address(int fd, SocketAddress& address) override;
  int unsent_bytes(int fd) override;
  bool hear_errors(int udp_fd, int family, bool is_wanted) override;
  std::size_t buffer_bytes_of(int, int) override { return 1 << 20; }
  void set_buffer_bytes(int, int, std::size_t) override {}
  void set_fragment_bytes(int, std::uint32_t) override {}
  bool share_port(int udp_fd) override;
  tl::expected<UniqueFd, std::string> open_sending_socket(int family, std::uint16_t port) override;
  bool has_route(const Endpoint& destination, int family) override;

 private:
  // Far from the real ones, so that nothing real is closed by mistake.
  static constexpr int kFirstFd = 1'000'000;
  static constexpr std::size_t kSlowPeerBytes = 2'000;
  static constexpr std::size_t kPeerBytes = 200'000;
  static constexpr std::uint32_t kSendBuffer = 24;  // datagrams and trains

  enum class Kind : std::uint8_t { kFree, kEpoll, kEvent, kUdp, kLane, kListener, kStream };
  struct File {
    Kind kind = Kind::kFree;
    std::uint32_t shard = 0;  // of an epoll (by its UDP socket), a UDP socket or a lane
    // Who watches it.
    int epoll_fd = -1;
    std::uint64_t id = 0;
    std::uint32_t wanted = 0;
    bool is_ready = false;
    // epoll: those with an edge that has not been reported.
    std::deque<int> ready;
    bool is_signalled = false;  // an eventfd
    // UDP.
    std::deque<std::uint32_t> inbox;
    std::deque<Endpoint> errors;
    bool may_be_cut = true;  // what is sent, on its way
    int pending_error = 0;
    bool hears_errors = true;
    std::uint64_t dropped = 0;
    bool is_filling = false;
    std::uint32_t room_left = 0;
    std::uint32_t held = 0;  // datagrams and trains that are still in its buffer
    bool can_send() const { return (!is_filling || room_left > 0) && held < kSendBuffer; }
    // A listener.
    std::deque<std::uint32_t> backlog;
    // A stream.
    std::uint32_t connection = 0;
  };
  // A stream, for both ends.
  struct Stream {
    int fd = -1;  // at the server's
    IpAddress peer;
    std::string to_server;     // has arrived
    bool has_hung_up = false;  // the client
    bool is_reset = false;
    bool has_shut_down = false;  // the server
    bool was_full = false;
    std::size_t under_way_bytes = 0;
    std::size_t capacity_bytes = 0;
  };

  // What a socket's buffer holds since the host's neighbour does not answer.
  struct Held {
    std::uint32_t port;
    std::uint32_t packet;
    int fd;  // whose buffer it counts against, for the last message of a train; or -1
  };

  int open(Kind kind, std::uint32_t shard = 0);
  File& file(int fd) { return files_[static_cast<std::size_t>(fd - kFirstFd)]; }
  void signal(int fd);
  std::uint32_t readiness(const File& file) const;
  int take_events(File& epoll, std::span<epoll_event> events);
  static int fail(int error);
  int receive_errors(File& file, std::span<mmsghdr> batch);
  void copy_in(File& udp, mmsghdr& header);
  int send_one(int fd, mmsghdr& header);
  int verdict(const Endpoint& to, std::size_t segment_bytes, bool is_train) const;
  void transmit(int fd, const Endpoint& to, std::string_view bytes, std::size_t segment_bytes);
  Stream& stream(std::uint32_t connection);

  World& world_;
  Network& network_;
  Peers& peers_;
  std::function<void(std::uint32_t)> on_ready_;
  ServerClock clock_;
  std::deque<File> files_;  // whose places do not move
  std::vector<int> free_;
  std::vector<int> udp_;  // by shard
  int listener_ = -1;
  std::vector<Stream> streams_;
  std::vector<std::deque<Held>> held_;  // by host, in the order in which it was sent
  std::string scratch_;
  std::uint64_t datagrams_read_ = 0;
  std::uint64_t messages_sent_ = 0;
};

}  // namespace chatd::sim
