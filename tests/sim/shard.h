// One shard of the server: a relay and its duty cycle, as server/shard/shard.cpp drives it, with
// queues instead of sockets. Each call of the relay is first told to the model, and audited
// afterwards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "core/relay/relay.h"
#include "core/room/outbox.h"
#include "tests/sim/audit.h"
#include "tests/sim/kernel.h"
#include "tests/sim/model.h"
#include "tests/sim/network.h"
#include "tests/sim/sender.h"
#include "tests/sim/server_clock.h"
#include "tests/sim/world.h"

namespace chatd::sim {

class Switchboard;
struct Connection;

class Shard {
 public:
  Shard(World& world, Network& network, Model& model, Audit& audit, Switchboard& board,
        const ServerClock& clock, const RelayConfig& config);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // What comes; it waits for the next turn. The packet's hold is taken over.
  void on_datagram(std::uint32_t packet);
  void on_refusal(const Endpoint& destination);
  void on_request(std::uint32_t connection);
  void on_shard_message(ShardMessage message);
  bool on_stray(std::uint32_t packet);  // false: the mailbox is full

  // The socket has room for so many trains more; and again for any number.
  void fill_socket(std::uint32_t room_left) { kernel_.fill_up(room_left); }
  void drain_socket();

  // A connection of this shard is closed.
  void on_connection_end(std::uint32_t connection);

  // A duty cycle, for whichever reason.
  void turn();
  void on_timer();
  void wake();
  // The process gets no processor time until it gets some again.
  void pause() { is_paused_ = true; }
  void go_on();

  // What an operator asks for (shard_operator.cpp). An order waits for the next turn.
  struct Order {
    std::uint32_t room;
    std::optional<std::uint32_t> name;  // whom to kick; nobody: the room is closed
  };
  void on_order(const Order& order);
  void set_limits(const Limits& limits);
  void start_drain();
  // A hot restart: shard messages are opened and all is sent that waits, so that another relay can
  // take over. False: it is not yet so far.
  bool settle();
  bool is_settled() const;
  void hand_over_to_another_relay(const RandomStream::Seed& seed);

  // Everyone is told that it is over.
  void say_goodbye();

  // Whether there is nothing left to do, now or later.
  bool is_at_rest() const;
  Relay& relay() { return *relay_; }

 private:
  void make_room();
  void take_refusals(TimeMs now_ms);
  void expire(TimeMs now_ms);
  void drain_messages(TimeMs now_ms);
  void open_letter(TimeMs now_ms, ShardMessage message);
  void write_lists(TimeMs now_ms);
  void deliver_replies();
  void serve_requests(TimeMs now_ms);
  void serve(TimeMs now_ms, std::uint32_t connection);
  bool admit_connection(TimeMs now_ms, std::uint32_t connection);
  void ask_nonsense(TimeMs now_ms, const Connection& connection);
  void ask(TimeMs now_ms, std::uint32_t connection);
  void obey(TimeMs now_ms);
  void receive(TimeMs now_ms);
  void take_in(TimeMs now_ms, std::uint32_t packet);
  bool hand_over(std::uint32_t packet);
  void fan_out();
  void send(TimeMs now_ms);
  void send_goodbyes();
  void drop_waiting();
  bool is_stuck() const { return udp_is_full_ || put_off_until_ms_; }
  bool has_work() const;
  void set_timer();
  bool is_gone(const Membership& member) const;
  PeerShards& begin();
  void post();

  World& world_;
  Network& network_;
  Model& model_;
  Audit& audit_;
  Switchboard& board_;
  const ServerClock& clock_;
  const std::uint8_t shard_;
  const RelayConfig config_;
  std::optional<Relay> relay_;
  Outbox out_;
  Kernel kernel_;
  Sender sender_;
  PeerShards peers_;

  std::deque<std::uint32_t> datagrams_;
  std::deque<std::uint32_t> strays_;
  std::deque<Endpoint> refusals_;
  std::deque<std::uint32_t> requests_;
  std::deque<ShardMessage> messages_;
  std::deque<Order> orders_;

  bool is_awake_ = false;  // its turn is planned
  bool is_paused_ = false;
  std::optional<std::uint64_t> timer_us_;
  bool has_unsent_ = false;
  bool is_prepared_ = false;  // for another relay, when settle() was last called
  bool udp_is_full_ = false;
  std::optional<TimeMs> put_off_until_ms_;
};

}  // namespace chatd::sim
