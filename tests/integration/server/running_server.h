// A whole chatd in this process, with as many shards as the test likes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "server/listen/server_sockets.h"
#include "server/shard/descriptor_limit.h"
#include "server/shard/server.h"
#include "tests/support/die.h"
#include "tests/support/socket_address.h"

namespace chatd::test {

class RunningServer {
 public:
  // Without a program, the right one.
  explicit RunningServer(std::uint32_t shards,
                         const std::optional<SteeringProgram>& steering = std::nullopt)
      : server_(open(options_for(shards), steering.value_or(steering_program(shards)))) {
    if (const auto started = server_->start(); !started) die(started.error().c_str());
    server_->run();
  }
  SocketAddress tcp() const { return {"127.0.0.1", server_->tcp().port}; }
  SocketAddress udp() const { return {"127.0.0.1", server_->udp().port}; }

  ShardGroup& group() { return server_->group(); }

  // The counters of all shards, once they have stopped.
  Counters stop() {
    stopped_well_ = server_->stop(StopReason::kStop).has_value();
    return server_->counters();
  }
  bool stopped_well() const { return stopped_well_; }

 private:
  static Options options_for(std::uint32_t shards) {
    Options options;
    options.tcp_port = 0;
    options.udp_port = 0;
    options.tls_port = 0;
    options.shards = shards;
    options.limits.max_rooms = 1000;
    options.limits.max_members = 5000;
    return options;
  }

  static std::unique_ptr<Server> open(const Options& options, const SteeringProgram& steering) {
    const auto enough = ensure_descriptors(options.limits.max_connections, options.shards);
    if (!enough) die(enough.error().c_str());
    return Server::open(options, open_server_sockets(options).value(), steering).value();
  }

  bool stopped_well_ = false;
  std::unique_ptr<Server> server_;
};

}  // namespace chatd::test
