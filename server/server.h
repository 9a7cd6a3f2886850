// The whole server: its sockets, its shards, and what they have in common.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "core/address/endpoint.h"
#include "core/relay/counters.h"
#include "server/net/unique_fd.h"
#include "server/options.h"
#include "server/shard.h"
#include "server/shards/steering.h"
#include "server/shards/switchboard.h"

namespace chatd {

class Server {
 public:
  // Opens all that it needs. An error is a sentence that says what failed and what to do.
  // `steering` is for tests that want another program than the right one, or none.
  static tl::expected<std::unique_ptr<Server>, std::string> open(const Options& options);
  static tl::expected<std::unique_ptr<Server>, std::string> open(const Options& options,
                                                                 const SteeringProgram& steering);

  const Endpoint& tcp() const { return tcp_; }
  const Endpoint& udp() const { return udp_; }
  std::size_t shard_count() const { return shards_.size(); }

  // Serves until `stop_fd` becomes readable; then every member is told. An error says which shard
  // could not go on, and why. `on_started` is called when all shards run.
  tl::expected<void, std::string> run(
      int stop_fd, const std::function<void()>& on_started = [] {});

  // For errands while it runs (server/shards/ask_shards.h).
  Switchboard& board() { return *board_; }

  // The sum over all shards. Not while it runs.
  Counters counters() const;

 private:
  Server() = default;

  Endpoint tcp_;
  Endpoint udp_;
  UniqueFd stop_;  // an eventfd: the shards'
  std::unique_ptr<Switchboard> board_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace chatd
