// A server's state as bytes and back: all of it, and what is damaged is refused.
#include "server/handover/state_codec.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/base/slot_pool.h"

namespace chatd {
namespace {

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

Token token(std::uint32_t slot) {
  return Token(1, slot, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
}

ServerState sample() {
  RoomSnapshot room{.name = "kitchen",
                    .password = Password("secret", {9, 8, 7}),
                    .creator = ip("192.0.2.1"),
                    .creation_order = 77,
                    .host = 5,
                    .members = {},
                    .first_entry = 1'000'000'000'000,
                    .entries = {}};
  room.entries.push_back({.sender = 9, .payload = std::string("{\0}", 3)});
  room.entries.push_back({.sender = kNoSlot, .payload = "bob left"});
  room.members.push_back({.token = token(5),
                          .username = "alice",
                          .tcp_peer = ip("192.0.2.1"),
                          .port = 4242,
                          .via = 2,
                          .last_heard_ms = 123'456'789'012,
                          .unreachable_count = 2,
                          .behind = 1});
  room.members.push_back({.token = token(9),
                          .username = "bob",
                          .tcp_peer = ip("::1"),
                          .port = 0,
                          .last_heard_ms = 1,
                          .unreachable_count = 0});
  ShardState busy;
  busy.relay.rooms.push_back(room);
  busy.relay.addresses.push_back({.ip = ip("192.0.2.1"), .rooms = 3, .connections = 4});
  busy.relay.counters.add(Counter::kMessagesAccepted, 1'000'000'000'000);
  busy.relay.counters.add(Counter::kFramesTooLarge, 1);
  busy.relay.histograms.receivers.add(0, 2);
  busy.relay.histograms.receivers.add(UINT64_MAX, 3);
  busy.relay.histograms.latency_us.add(100, 5);
  busy.connections.push_back({.peer = ip("192.0.2.7"),
                              .received = std::string("\0\1", 2),
                              .to_send = "an answer",
                              .list = std::make_shared<const RoomList>("a list"),
                              .list_offset_bytes = 2,
                              .is_over_limit = true,
                              .is_closing = true,
                              .has_shut_down = true,
                              .has_ended = true});
  busy.encrypted_peers = {ip("192.0.2.8"), ip("::1")};
  busy.receive_drops_seen = 4'000'000'000;
  ServerState state{
      .host = "::",
      .tcp_port = 8000,
      .udp_port = 9000,
      .map_key = {1, 2, 3},
      .next_creation_order = 99,
      .local_addresses = {{.ip = ip("192.0.2.9")}, {.ip = ip("fe80::9"), .interface = 3}},
      .shards = {},
      .tls_port = "8001",
      .has_tls_listener = true,
      .tls_certificate = "a certificate",
      .tls_ticket_keys = std::string("\0keys", 5),
      .bans = R"({"bans":[]})"};
  state.shards.push_back({});
  state.shards.push_back(busy);
  return state;
}

TEST(StateCodec, WritesAllThatItReads) {
  const ServerState before = sample();
  const auto after = decode_state(encode_state(before));
  ASSERT_TRUE(after) << after.error();
  EXPECT_EQ(after->host, "::");
  EXPECT_EQ(after->tcp_port, 8000);
  EXPECT_EQ(after->udp_port, 9000);
  EXPECT_EQ(after->map_key, before.map_key);
  EXPECT_EQ(after->next_creation_order, 99U);
  EXPECT_EQ(after->local_addresses, before.local_addresses);
  EXPECT_EQ(after->descriptor_count(), 5U);  // two listeners, two shards, a connection
  EXPECT_EQ(after->tls_port, "8001");
  EXPECT_TRUE(after->has_tls_listener);
  EXPECT_EQ(after->tls_certificate, "a certificate");
  EXPECT_EQ(after->tls_ticket_keys, std::string("\0keys", 5));
  EXPECT_EQ(after->bans, R"({"bans":[]})");
  ASSERT_EQ(after->shards.size(), 2U);
  const ShardState& shard = after->shards[1];
  EXPECT_EQ(shard.encrypted_peers, (std::vector{ip("192.0.2.8"), ip("::1")}));
  EXPECT_EQ(shard.receive_drops_seen, 4'000'000'000);
  ASSERT_EQ(shard.relay.rooms.size(), 1U);
  const RoomSnapshot& room = shard.relay.rooms[0];
  EXPECT_EQ(room.name, "kitchen");
  EXPECT_TRUE(room.password.accepts("secret"));
  EXPECT_FALSE(room.password.accepts("guess"));
  EXPECT_EQ(room.creator, ip("192.0.2.1"));
  EXPECT_EQ(room.creation_order, 77U);
  EXPECT_EQ(room.host, 5U);
  ASSERT_EQ(room.members.size(), 2U);
  const MemberSnapshot& alice = room.members[0];
  EXPECT_TRUE(alice.token == token(5));
  EXPECT_EQ(alice.username, "alice");
  EXPECT_EQ(alice.tcp_peer, ip("192.0.2.1"));
  EXPECT_EQ(alice.port, 4242);
  EXPECT_EQ(alice.via, 2);
  EXPECT_EQ(alice.last_heard_ms, 123'456'789'012U);
  EXPECT_EQ(alice.unreachable_count, 2);
  EXPECT_EQ(alice.behind, 1u);
  EXPECT_EQ(room.members[1].port, 0);
  EXPECT_EQ(room.members[1].behind, 0u);
  EXPECT_EQ(room.first_entry, 1'000'000'000'000u);
  ASSERT_EQ(room.entries.size(), 2u);
  EXPECT_EQ(room.entries[0].sender, 9u);
  EXPECT_EQ(room.entries[0].payload, std::string("{\0}", 3));
  EXPECT_EQ(room.entries[1].sender, kNoSlot);
}

TEST(StateCodec, WritesWhatWasCounted) {
  const auto after = decode_state(encode_state(sample()));
  ASSERT_TRUE(after) << after.error();
  const RelaySnapshot& relay = after->shards[1].relay;
  ASSERT_EQ(relay.addresses.size(), 1U);
  EXPECT_EQ(relay.addresses[0].ip, ip("192.0.2.1"));
  EXPECT_EQ(relay.addresses[0].rooms, 3U);
  EXPECT_EQ(relay.addresses[0].connections, 4U);
  EXPECT_EQ(relay.counters[Counter::kMessagesAccepted], 1'000'000'000'000U);
  EXPECT_EQ(relay.counters[Counter::kFramesTooLarge], 1U);
  EXPECT_EQ(relay.histograms.receivers.counts().front(), 2U);
  EXPECT_EQ(relay.histograms.receivers.counts().back(), 3U);
  EXPECT_EQ(relay.histograms.latency_us.sum, 500U);
  EXPECT_EQ(relay.histograms.latency_us.buckets.counts()[7], 5U);
}

TEST(StateCodec, WritesConnections) {
  const auto after = decode_state(encode_state(sample()));
  ASSERT_TRUE(after) << after.error();
  ASSERT_EQ(after->shards[1].connections.size(), 1U);
  const ConnectionState& connection = after->shards[1].connections[0];
  EXPECT_EQ(connection.peer, ip("192.0.2.7"));
  EXPECT_EQ(connection.received, std::string("\0\1", 2));
  EXPECT_EQ(connection.to_send, "an answer");
  ASSERT_TRUE(connection.list);
  EXPECT_EQ(ListReader(connection.list).read_all(), "a list");
  EXPECT_EQ(connection.list_offset_bytes, 2u);
  EXPECT_TRUE(connection.is_over_limit && connection.is_closing && connection.has_shut_down &&
              connection.has_ended);
}

TEST(StateCodec, RefusesAnotherFormat) {
  std::string bytes = encode_state(sample());
  ASSERT_EQ(bytes.substr(0, 2), std::string("\x08\x01"));  // the format comes first
  bytes[1] = 3;
  const auto state = decode_state(bytes);
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error(),
            "it writes its state in format 3, and this program reads format 2: between these two "
            "versions, chatd has to be restarted");
}

// Cut anywhere, it is refused; or it lacks something at its end that may be missing.
TEST(StateCodec, RefusesWhatIsCutOff) {
  const std::string bytes = encode_state(sample());
  std::size_t refused = 0;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    if (!decode_state(std::string_view(bytes).substr(0, size))) ++refused;
  }
  EXPECT_GT(refused, bytes.size() * 9 / 10);
  EXPECT_FALSE(decode_state("no state at all"));
}

}  // namespace
}  // namespace chatd
