// The server as the world sees it: it may be up or down, datagrams come to one of its shards, and
// connections are taken to the shard of their address.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/audit.h"
#include "tests/sim/model.h"
#include "tests/sim/network.h"
#include "tests/sim/server_clock.h"
#include "tests/sim/shard.h"
#include "tests/sim/switchboard.h"
#include "tests/sim/world.h"

namespace chatd::sim {

class Server final : public Switchboard {
 public:
  Server(World& world, Network& network, Model& model);

  void start();  // afresh: it knows nobody
  void stop();   // in order: everyone is told
  // The operator's. Limits are those of the world, from here on.
  void set_limits(const Limits& limits);
  void start_drain();
  // Other relays take over, and nobody notices. False: somebody is still busy.
  bool restart_hot();
  std::uint32_t generation() const { return generation_; }  // so many times it was started
  bool is_up() const { return !shards_.empty(); }

  // A client connects and asks. Returns the connection, whose answer comes as an event.
  std::uint32_t connect(const Ask& ask, std::string request);
  // The client is done with it.
  void close(std::uint32_t connection);

  // Arrivals.
  void on_datagram(std::uint32_t packet);
  void on_refusal(std::uint32_t port);
  void on_request(std::uint32_t connection);

  Shard& shard(std::uint32_t number) { return *shards_[number]; }
  std::uint32_t shard_count() const { return static_cast<std::uint32_t>(shards_.size()); }
  ServerClock& clock() { return clock_; }
  void wake_all();

  // The whole state of all relays.
  void compare();
  // Whether nothing is under way: checked when the world has become quiet.
  void check_at_rest();

  // How it is doing; each the number of faults that are on.
  std::uint32_t steering_wrong = 0;
  std::uint32_t breaking_connections = 0;

  // Switchboard.
  Connection& connection(std::uint32_t number) override { return connections_[number]; }
  void answer(std::uint32_t number) override;
  void read_figures(std::vector<ShardStats>& figures) const override;
  std::uint64_t next_sequence() override { return next_sequence_++; }
  void post(PeerShards::Outgoing outgoing) override;
  bool hand_over(std::uint8_t to, std::uint32_t packet) override {
    return shards_[to]->on_stray(packet);
  }

 private:
  std::uint32_t steer(const Packet& packet);
  void check_answer(const Connection& connection);
  void check_list(const Connection& connection);

  World& world_;
  Network& network_;
  Model& model_;
  Audit audit_;
  ServerClock clock_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<Connection> connections_;
  std::uint64_t next_serial_ = 1;
  std::uint64_t next_sequence_ = 0;
  std::uint32_t generation_ = 0;
};

}  // namespace chatd::sim
