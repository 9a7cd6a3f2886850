// The server as the world sees it: production shards (server/shard/shard.h) on a simulated machine.
// It may be up or down, datagrams come to one of its shards, and clients connect to it. In place of
// threads each shard has turns of its duty cycle, when the machine or a deadline wakes it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/group/shard_group.h"
#include "server/shard/shard.h"
#include "tests/sim/audit.h"
#include "tests/sim/audited_relay.h"
#include "tests/sim/machine.h"
#include "tests/sim/model.h"
#include "tests/sim/network.h"
#include "tests/sim/requests.h"
#include "tests/sim/world.h"

namespace chatd::sim {

// A client's control connection, with one request that is meant, and maybe some nonsense before.
struct Connection {
  enum class Stage : std::uint8_t { kFree, kArriving, kOpen, kAnswered };
  Stage stage = Stage::kFree;
  std::uint32_t serial = 0;
  RequestSpec spec;
  std::uint32_t nonsense = 0;  // so many bad requests come before it
  std::uint32_t nonsense_read = 0;
  bool breaks = false;  // before the answer has come through
  bool reads_slowly = false;
  bool is_taking = false;         // an event is planned
  bool has_ended = false;         // the server has nothing more to say
  bool is_connected = false;      // the server has not closed it
  std::string request;            // what has not yet arrived at the server
  std::string reply;              // what the client has taken
  std::string under_way;          // and what it has still to
  std::vector<int> statuses;      // of the answers, as the model says they will be
  MemberNumber member = kNobody;  // who enters, if it may
};

class Server final : public Requests, public Peers {
 public:
  Server(World& world, Network& network, Model& model);

  void start();  // afresh: it knows nobody
  void stop();   // in order: everyone is told
  // The operator's. Limits are those of the world, from here on.
  void set_limits(const Limits& limits);
  void start_drain();
  void kick(std::uint32_t room, std::uint32_t name);
  void close_room(std::uint32_t room);
  // Another process takes over, and nobody notices. False: a shard is still busy.
  bool restart_hot();
  std::uint32_t generation() const { return generation_; }  // so many times it was started
  bool is_up() const { return !shards_.empty(); }

  // A client connects and asks. Returns the connection; what it hears comes as events.
  std::uint32_t connect(const RequestSpec& spec, std::string_view request);
  // The client is done with it.
  void close(std::uint32_t connection);
  Connection& connection(std::uint32_t number) { return connections_[number]; }
  // Where the answer begins that is meant; nothing while it is not whole.
  std::optional<std::size_t> answer_at(const Connection& connection) const;
  void check_answers(const Connection& connection);

  // Events.
  void on_datagram(std::uint32_t packet);
  void on_refusal(std::uint32_t port);
  void on_request(std::uint32_t connection, std::uint32_t serial);
  // True: the client has an answer, or will get none.
  bool on_bytes_at_client(std::uint32_t connection, std::uint32_t serial);
  void turn(std::uint32_t shard);
  void on_timer(std::uint32_t shard);

  std::uint32_t shard_count() const { return static_cast<std::uint32_t>(shards_.size()); }
  Machine& machine() { return machine_; }
  void wake(std::uint32_t shard);
  void wake_all();
  // A shard's thread gets no processor time until it gets some again.
  void pause(std::uint32_t shard) { turns_[shard].is_paused = true; }
  void go_on(std::uint32_t shard);

  // The whole state of all relays.
  void compare();
  // Whether nothing is under way: checked when the world has become quiet.
  void check_at_rest();

  // How it is doing; each the number of faults that are on.
  std::uint32_t steering_wrong = 0;
  std::uint32_t breaking_connections = 0;
  std::uint32_t slow_list_readers = 0;

  // Requests.
  Request next(const ConnectionId& from) override;
  void answer(const Request& request) override;
  // Peers.
  void hears(std::uint32_t connection, std::string_view bytes) override;
  void hears_end(std::uint32_t connection) override;
  void closed(std::uint32_t connection) override;

 private:
  struct Turns {
    bool is_awake = false;  // one is planned
    bool is_paused = false;
    std::uint64_t works_until_us = 0;  // on what the last one had to do
    std::optional<std::uint64_t> timer_us;
  };

  void open_shards(std::vector<ShardState> states);
  std::unique_ptr<AuditedRelay> make_relay(std::uint32_t shard);
  bool quiesce();
  void age_sessions(std::vector<ShardState>& states);
  std::uint64_t left_in_mailboxes();
  void check_traffic(std::uint64_t left) const;
  void begin_turn(std::uint32_t shard);
  void check_work(std::uint32_t shard);
  void check_delays();
  std::uint32_t steer(const Packet& packet);
  void check_list(const FrameView& frame);
  void set_timer(std::uint32_t shard, int timeout_ms);
  void take_later(std::uint32_t connection);

  World& world_;
  Network& network_;
  Model& model_;
  Audit audit_;
  Machine machine_;
  RelayConfig config_;
  std::unique_ptr<ShardGroup> group_;
  std::vector<int> sockets_;
  std::vector<std::vector<int>> descriptors_;  // of connections, by shard, during a restart
  int listener_ = -1;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<AuditedRelay*> relays_;  // theirs
  std::vector<Turns> turns_;
  std::vector<Connection> connections_;
  std::uint32_t next_serial_ = 1;
  std::uint32_t generation_ = 0;
};

}  // namespace chatd::sim
