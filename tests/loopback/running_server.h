// A whole chatd in this process, with as many shards as the test likes.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "server/net/server_sockets.h"
#include "server/process/descriptor_limit.h"
#include "server/process/wait_readable.h"
#include "server/server.h"
#include "tests/support/die.h"
#include "tests/support/socket_address.h"

namespace chatd::test {

class RunningServer {
 public:
  // Without a program, the right one.
  explicit RunningServer(std::uint32_t shards,
                         const std::optional<SteeringProgram>& steering = std::nullopt)
      : stop_(::eventfd(0, EFD_CLOEXEC)),
        server_(open(options_for(shards), steering.value_or(steering_program(shards)))),
        thread_([this] {
          const auto attend = [this](int failed_fd) {
            wait_readable({stop_.get(), failed_fd});
            return Ending::kStop;
          };
          const auto begin = [] { return tl::expected<void, std::string>(); };
          stopped_well_ = server_->run(begin, attend).has_value();
        }) {}
  RunningServer(const RunningServer&) = delete;
  RunningServer& operator=(const RunningServer&) = delete;
  ~RunningServer() {
    if (thread_.joinable()) stop();
  }

  SocketAddress tcp() const { return {"127.0.0.1", server_->tcp().port}; }
  SocketAddress udp() const { return {"127.0.0.1", server_->udp().port}; }

  Switchboard& board() { return server_->board(); }

  // The counters of all shards, once they have stopped.
  Counters stop() {
    const std::uint64_t one = 1;
    (void)!::write(stop_.get(), &one, sizeof one);
    thread_.join();
    return server_->counters();
  }
  bool stopped_well() const { return stopped_well_; }

 private:
  static Options options_for(std::uint32_t shards) {
    Options options;
    options.tcp_port = 0;
    options.udp_port = 0;
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

  chatd::UniqueFd stop_;
  bool stopped_well_ = false;
  std::unique_ptr<Server> server_;
  std::thread thread_;  // the last: it uses the others
};

}  // namespace chatd::test
