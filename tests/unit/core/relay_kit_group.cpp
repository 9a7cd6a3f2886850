#include "tests/unit/core/relay_kit_group.h"

#include <gtest/gtest.h>

#include <utility>

#include "tests/support/wire.h"

namespace chatd::test {

RelayGroup::RelayGroup(std::uint32_t count, const Limits& limits)
    : map_(count, KeyedHash::Key{7}), out_(1 << 16, limits.max_room_members) {
  for (std::uint32_t i = 0; i < count; ++i) {
    RelayConfig config;
    config.limits = limits;
    config.seed[0] = static_cast<std::uint8_t>(i);
    config.shard = static_cast<std::uint8_t>(i);
    config.shards = map_;
    relays_.push_back(std::make_unique<Relay>(config, now_ms));
  }
}

std::string RelayGroup::ask(std::uint8_t operation, std::string_view room, std::string_view payload,
                            const IpAddress& peer) {
  const std::uint32_t connection = begin(operation, room, payload, peer);
  carry_messages();
  return take_answer(connection);
}

std::string RelayGroup::greeting(const IpAddress& peer) {
  std::string frame;
  relays_[map_.of_address(peer)]->greet(begin_call(), frame);
  return frame;
}

std::uint32_t RelayGroup::begin(std::uint8_t operation, std::string_view room,
                                std::string_view payload, const IpAddress& peer) {
  const std::uint32_t connection = next_connection_++;
  const std::uint8_t shard = map_.of_address(peer);
  const FrameView frame{.operation = operation, .state = 0, .room = room, .payload = payload};
  relays_[shard]->on_request(now_ms, {.shard = shard, .slot = connection, .serial = 0}, peer, frame,
                             begin_call(), answers_[connection], out_);
  end_call(shard);
  return connection;
}

void RelayGroup::carry_messages() {
  while (!messages_.empty()) carry_one_letter();
}

void RelayGroup::carry_one_letter() {
  PeerShards::Outgoing outgoing = std::move(messages_.front());
  messages_.pop_front();
  ++messages_carried_;
  relays_[outgoing.to]->on_shard_message(now_ms, std::move(outgoing.message), begin_call(), out_);
  end_call(outgoing.to);
}

void RelayGroup::send(const Endpoint& from, std::string_view room, std::string_view token,
                      std::string_view payload) {
  std::string datagram = encode_datagram(room, token, payload);
  const auto shard = shard_of_received(datagram);
  ASSERT_TRUE(shard);
  const std::size_t size = datagram.size();
  datagram.append(kPayloadPaddingBytes, '}');
  relays_[*shard]->on_datagram(now_ms, from, std::string_view(datagram).substr(0, size), out_);
  begin_call();
  end_call(*shard);
}

std::uint64_t RelayGroup::count(Counter counter) const {
  std::uint64_t sum = 0;
  for (const auto& relay : relays_) sum += relay->counters()[counter];
  return sum;
}

PeerShards& RelayGroup::begin_call() {
  peers_.figures.clear();
  for (const auto& relay : relays_) peers_.figures.push_back(relay->figures());
  peers_.creation_order = next_sequence_++;
  return peers_;
}

void RelayGroup::end_call(std::size_t shard) {
  Relay& relay = *relays_[shard];
  while (relay.has_lists_to_write(now_ms)) relay.write_lists(now_ms, peers_);
  relay.post(peers_);
  for (auto& outgoing : peers_.messages) {
    EXPECT_NE(outgoing.to, shard) << "a shard writes no messages to itself";
    messages_.push_back(std::move(outgoing));
  }
  for (auto& reply : peers_.replies) {
    EXPECT_EQ(reply.to.shard, shard) << "a shard replies to its own connections alone";
    answers_[reply.to.slot] += reply.frames;
    if (!reply.list) continue;
    answers_[reply.to.slot] += ListReader(reply.list).read_all();
    last_list_ = reply.list;
  }
  peers_.messages.clear();
  peers_.replies.clear();
  out_.clear();
}

}  // namespace chatd::test
