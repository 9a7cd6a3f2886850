// A shard in this process, on a thread of its own, with real sockets on loopback.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <thread>
#include <utility>

#include "server/io/kernel_io.h"
#include "server/os/open_sockets.h"
#include "server/shard/shard.h"
#include "tests/support/socket_address.h"

namespace chatd::test {

class RunningShard {
 public:
  // `send_buffer_bytes` 0 keeps the system's default.
  explicit RunningShard(std::size_t send_buffer_bytes = 0) : stop_(::eventfd(0, EFD_CLOEXEC)) {
    auto tcp = open_tcp_listener(resolve("127.0.0.1", 0).value());
    auto udp = open_udp_socket(resolve("127.0.0.1", 0).value());
    tcp_ = SocketAddress::local_of(tcp.value().get());
    udp_ = SocketAddress::local_of(udp.value().get());
    set_buffer_bytes(udp->get(), SO_RCVBUF, 4 << 20);
    if (send_buffer_bytes != 0) set_buffer_bytes(udp->get(), SO_SNDBUF, send_buffer_bytes);
    RelayConfig config;
    config.local_endpoints = own_sockets_of(local_endpoint(udp->get()));
    group_ = ShardGroup::open(kernel_io(), 1).value();
    config.limits.max_rooms = 100;
    config.limits.max_members = 5000;
    shard_ =
        Shard::open(kernel_io(),
                    {.tcp_listener = std::move(*tcp), .udp = std::move(*udp), .family = AF_INET},
                    std::make_unique<Relay>(config, kernel_io().now_ms()), *group_, stop_.get())
            .value();
    thread_ = std::thread([this] {
      shard_->run();
      shard_->end();
    });
  }
  RunningShard(const RunningShard&) = delete;
  RunningShard& operator=(const RunningShard&) = delete;
  ~RunningShard() {
    if (thread_.joinable()) stop();
  }

  const SocketAddress& tcp() const { return tcp_; }
  const SocketAddress& udp() const { return udp_; }

  // Its counters, once it has stopped and everybody has been told.
  const Counters& stop() {
    const std::uint64_t one = 1;
    (void)!::write(stop_.get(), &one, sizeof one);
    thread_.join();
    return shard_->counters();
  }

 private:
  UniqueFd stop_;
  SocketAddress tcp_;
  SocketAddress udp_;
  std::unique_ptr<chatd::ShardGroup> group_;
  std::unique_ptr<Shard> shard_;
  std::thread thread_;
};

}  // namespace chatd::test
