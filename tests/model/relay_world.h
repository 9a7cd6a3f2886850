// One or two relays as the shards of one server, without threads, sockets or a clock, with a model
// beside them. Each call does what the server would do (a full outbox is sent first, shard messages
// go to their lane) and checks what came of it: every counter's move, every delivery, every answer,
// who is where. A promise that does not hold throws.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/relay/relay.h"
#include "tests/model/relay_model.h"

namespace chatd::test {

struct WorldConfig {
  std::uint32_t shards = 1;
  Limits limits;
  TrainLimits trains;
  std::uint32_t outbox_limit = 1;
  std::uint32_t message_store_blocks = kMessageStoreBlocks;
};

class RelayWorld {
 public:
  explicit RelayWorld(const WorldConfig& config);

  // What may happen.
  void request(const IpAddress& peer, const FrameView& frame);
  void greet(const IpAddress& peer);
  void datagram(const Endpoint& from, std::string_view bytes, std::uint8_t shard_if_none_is_named);
  void refuse(const Endpoint& destination);
  void pass_time(TimeMs by_ms);
  void serve_rooms(std::uint8_t shard);
  void send(std::uint8_t shard);
  void extend_outbox(std::uint8_t shard) { shards_[shard].out.extend(); }
  // The oldest shard message from one shard to another, if there is one.
  void carry_message(std::uint8_t from, std::uint8_t to);
  void shut_down();
  // What an operator asks for.
  void kick(std::string_view room, std::string_view username);
  void close_room(std::string_view room);
  void set_limits(const Limits& limits);
  void start_drain();
  // Other relays go on where these end; nobody may notice.
  void restart_hot();
  // Lets all shard messages arrive: then every request is answered.
  void carry_all_letters();
  // Lets everything arrive that is under way: nothing is owed then, and nobody waits.
  void come_to_rest();

  TimeMs now_ms() const { return now_ms_; }
  std::uint8_t shard_count() const { return shard_count_; }
  const Limits& limits() const { return config_.limits; }
  const std::vector<ModelMember>& members() const { return model_.members(); }
  const Endpoint& own_socket() const { return own_socket_; }

 private:
  static constexpr std::uint32_t kMaxShardsHere = 2;
  // More turns than anything here can take to come to an end.
  static constexpr int kMaxTurns = 1'000'000;

  struct Shard {
    Shard(const RelayConfig& config, TimeMs now_ms, std::uint32_t outbox_limit)
        : relay(config, now_ms), out(outbox_limit, config.limits.max_room_members) {}
    Relay relay;
    Outbox out;
  };
  // A control connection's last request.
  struct Connection {
    std::string answer;
    std::string seat;  // the token that was shown
    bool is_greeting = false;
    bool is_answered = false;
  };

  // A heartbeat that asks, whose answer is in an outbox.
  struct Echo {
    Endpoint to;
    std::string payload;
  };
  bool is_limited() const { return config_.limits.abuse.max_address_requests_per_s != 0; }
  // A request may have been counted under limits that are no more when a shard message answers it.
  bool was_ever_limited() const { return was_ever_limited_ || is_limited(); }
  RelayConfig config_of(std::uint8_t shard) const;
  Relay& relay(std::uint8_t shard) { return shards_[shard].relay; }
  PeerShards& begin_call(std::uint8_t shard);
  void end_call(std::uint8_t shard, const Departure& why = {});
  std::uint64_t count(std::uint8_t shard, Counter counter) const {
    return shards_[shard].relay.counters()[counter];
  }

  void check_decision(std::uint8_t shard, const JoinCommand& request, std::uint64_t let_in_before,
                      Status status);
  std::uint64_t let_in(std::uint8_t shard) const {
    return count(shard, Counter::kMembersJoined) + count(shard, Counter::kMembersReturned);
  }
  ModelMember newest_member(std::uint8_t shard, const JoinCommand& request) const;
  void check_answer(const Connection& connection);
  void check_datagram(std::uint8_t shard, const Endpoint& from, std::string_view bytes,
                      const Counters& before, const RelayModel::Verdict& verdict);
  void check_answer_to_stranger(const Endpoint& from, std::size_t size_bytes);
  void check_message(const Outbox& out, const Outbox::SendGroup& group, const Outbox::Train& train);
  void check_other(const Outbox& out, const Outbox::SendGroup& group);
  std::vector<Echo>::iterator find_echo(const Endpoint& to, std::string_view datagram);
  void check_ledger() const;
  void check_unheard();
  // Since the call began.
  bool is_notice_over_limit(std::uint8_t shard) const {
    return count(shard, Counter::kNoticesOverLimit) != notices_over_limit_;
  }

  std::uint8_t shard_count_;
  ShardMap map_;
  WorldConfig config_;
  Endpoint own_socket_;
  RelayModel model_;
  std::deque<Shard> shards_;  // they stay where they are
  PeerShards peers_;
  std::uint64_t next_creation_order_ = 0;
  std::array<std::array<std::deque<ShardMessage>, kMaxShardsHere>, kMaxShardsHere>
      lanes_;  // from, to
  std::map<std::uint32_t, Connection> connections_;
  std::uint32_t next_connection_ = 0;
  JoinRequestReader reader_;
  std::vector<std::string> tokens_;  // told to connections, or to be told
  std::vector<Endpoint> answered_;   // strangers with an answer in an outbox
  std::vector<Echo> echoes_;
  std::map<std::string, TimeMs> last_answer_ms_;  // by shard and address
  bool was_ever_limited_ = false;
  std::uint64_t notices_over_limit_ = 0;  // when the call began
  std::uint64_t notices_dropped_ = 0;     // when all was at rest
  std::uint32_t generation_ = 0;          // of relays
  std::uint64_t sent_ = 0;                // deliveries
  std::uint64_t lost_ = 0;                // given way in full queues
  std::uint64_t owed_ = 0;                // accepted times (members - 1)
  TimeMs now_ms_ = 1'000'000;
};

}  // namespace chatd::test
