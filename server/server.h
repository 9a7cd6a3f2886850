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
#include "server/net/server_sockets.h"
#include "server/net/unique_fd.h"
#include "server/options.h"
#include "server/shard.h"
#include "server/shards/steering.h"
#include "server/shards/switchboard.h"

namespace chatd {

class Server {
 public:
  // Serves on `sockets` (one UDP socket for each of options.shards) and opens what else it needs.
  // An error is a sentence that says what failed and what to do. `steering` is for tests that want
  // another program than the right one, or none.
  static tl::expected<std::unique_ptr<Server>, std::string> open(const Options& options,
                                                                 ServerSockets sockets);
  static tl::expected<std::unique_ptr<Server>, std::string> open(const Options& options,
                                                                 ServerSockets sockets,
                                                                 const SteeringProgram& steering);

  const Endpoint& tcp() const { return tcp_; }
  const Endpoint& udp() const { return udp_; }
  std::size_t shard_count() const { return shards_.size(); }

  // Serves until `attend` returns; then every member is told. It is called when all shards run, and
  // must return when the descriptor that it gets becomes readable: a shard could not go on, and the
  // error says which one, and why.
  tl::expected<void, std::string> run(const std::function<void(int failed_fd)>& attend);

  // While it runs, from `attend` or from any other thread but the shards'. Errors name a shard that
  // does not answer.
  //
  // Nobody is let in from here on, and members are told that the server is about to stop.
  tl::expected<void, std::string> drain();
  // Limits::with_sizes_of says which of them can change.
  tl::expected<void, std::string> set_limits(const Limits& limits);
  // Whether every shard answers.
  tl::expected<void, std::string> check();
  std::uint64_t member_count() const;

  // For errands while it runs (server/shards/ask_shards.h).
  Switchboard& board() { return *board_; }

  // The sum over all shards. Not while it runs.
  Counters counters() const;

 private:
  Server() = default;

  // On every shard's own thread, between two steps of its turn.
  tl::expected<void, std::string> tell_shards(const std::function<void(Relay&)>& order);

  Endpoint tcp_;
  Endpoint udp_;
  UniqueFd stop_;  // an eventfd: the shards'
  std::unique_ptr<Switchboard> board_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace chatd
