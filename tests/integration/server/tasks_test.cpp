// Tasks: what another thread asks of shards while they serve.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <numeric>
#include <string>

#include "core/relay/relay.h"
#include "server/group/run_on_shards.h"
#include "tests/integration/server/running_server.h"
#include "tests/support/tcp_peer.h"
#include "tests/support/udp_peer.h"

namespace chatd::test {
namespace {

constexpr std::uint32_t kShards = 3;

TEST(Tasks, EveryShardAnswersForItself) {
  RunningServer server(kShards);
  TcpPeer control(server.tcp());
  constexpr std::uint32_t kRooms = 24;
  for (std::uint32_t i = 0; i < kRooms; ++i) {
    UdpPeer socket;
    const JoinFields fields{.username = "host", .port = socket.address().port()};
    ASSERT_EQ(control.create("room" + std::to_string(i), fields).status(), 201);
  }
  const auto rooms = run_on_shards(
      server.group(), [](const TaskContext& site) { return site.relay.roster().rooms().size(); });
  ASSERT_TRUE(rooms) << rooms.error();
  ASSERT_EQ(rooms->size(), kShards);
  EXPECT_EQ(std::accumulate(rooms->begin(), rooms->end(), 0u), kRooms);
  const auto created = run_on_shards(server.group(), [](const TaskContext& site) {
    return site.relay.counters()[Counter::kRoomsCreated];
  });
  ASSERT_TRUE(created) << created.error();
  for (std::size_t shard = 0; shard < kShards; ++shard) {
    EXPECT_EQ((*created)[shard], (*rooms)[shard]) << shard;
  }
}

TEST(Tasks, WhatTheyPutOutIsSent) {
  RunningServer server(1);
  TcpPeer control(server.tcp());
  UdpPeer socket;
  const JoinFields fields{.username = "host", .port = socket.address().port()};
  ASSERT_EQ(control.create("room", fields).status(), 201);
  const auto told = run_on_shards(
      server.group(), [](const TaskContext& site) { return site.relay.disconnect_all(site.out); });
  ASSERT_TRUE(told) << told.error();
  const auto heard = socket.receive();
  ASSERT_TRUE(heard);
  EXPECT_NE(heard->bytes.find("You have been disconnected"), std::string::npos) << heard->bytes;
}

TEST(Tasks, AShardThatSaysNothingIsNamed) {
  RunningServer server(2);
  server.stop();
  const auto answers = run_on_shards(
      server.group(), [](const TaskContext&) { return true; }, std::chrono::milliseconds(20));
  ASSERT_FALSE(answers);
  EXPECT_EQ(answers.error(), "shard 0 has not answered within 20 ms");
}

}  // namespace
}  // namespace chatd::test
