// Several relays that are the shards of one server, without threads: shard messages are carried at
// once, or when the test says so. Requests go where the server would send them: to the shard that
// counts the caller's address.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/relay/relay.h"
#include "tests/unit/core/relay_kit.h"

namespace chatd::test {

class RelayGroup {
 public:
  explicit RelayGroup(std::uint32_t count, const Limits& limits = {});

  // Asks, carries all shard messages, and returns the whole answer as it would go over TCP.
  std::string ask(std::uint8_t operation, std::string_view room, std::string_view payload,
                  const IpAddress& peer);
  // What a new connection from there is greeted with.
  std::string greeting(const IpAddress& peer);

  // The two halves of ask(). The number names the connection for take_answer().
  std::uint32_t begin(std::uint8_t operation, std::string_view room, std::string_view payload,
                      const IpAddress& peer);
  void carry_messages();
  void carry_one_letter();
  std::string take_answer(std::uint32_t connection) { return std::move(answers_[connection]); }

  // A datagram to the shard that its token names.
  void send(const Endpoint& from, std::string_view room, std::string_view token,
            std::string_view payload);

  std::uint32_t shard_of_room(std::string_view room) const { return map_.of_room(room); }
  std::uint32_t shard_of_address(const IpAddress& ip) const { return map_.of_address(ip); }
  const Relay& relay(std::size_t shard) const { return *relays_[shard]; }
  std::size_t messages_carried() const { return messages_carried_; }
  std::uint64_t count(Counter counter) const;

  TimeMs now_ms = RelayKit::kStartMs;

 private:
  PeerShards& begin_call();
  void end_call(std::size_t shard);

  ShardMap map_;
  std::vector<std::unique_ptr<Relay>> relays_;
  Outbox out_;
  PeerShards peers_;
  std::uint64_t next_sequence_ = 0;
  std::deque<PeerShards::Outgoing> messages_;
  std::map<std::uint32_t, std::string> answers_;
  std::shared_ptr<const RoomList> last_list_;  // somebody is still reading it
  std::uint32_t next_connection_ = 0;
  std::size_t messages_carried_ = 0;
};

}  // namespace chatd::test
