// That the books close when a server stops while much comes in: few seeds bring that about.
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "core/wire/v1/payload.h"
#include "tests/sim/server.h"

namespace chatd::sim {
namespace {

constexpr std::uint8_t kFirst = 0;

class StopTest : public testing::Test {
 protected:
  // A server of the first seed for which this holds.
  void start(const std::function<bool(const Scenario&)>& is_right) {
    std::uint64_t seed = 1;
    while (!is_right(Scenario(seed))) ++seed;
    world_ = std::make_unique<World>(seed, /*print_trace=*/false);
    network_ = std::make_unique<Network>(*world_);
    model_ = std::make_unique<Model>(*world_, *network_);
    server_ = std::make_unique<Server>(*world_, *network_, *model_);
    port_ = network_->open_port(/*host=*/0, /*client=*/0);
  }

  // In the socket of this shard, whatever the datagram names.
  void arrives(std::uint32_t shard, std::string bytes, Claim::Header header) {
    const std::uint32_t number = world_->packets.make();
    Packet& packet = world_->packets[number];
    packet.size_bytes = bytes.size();
    packet.bytes = std::move(bytes) + std::string(kPayloadPaddingBytes, '}');
    packet.from = network_->endpoint(port_);
    packet.claim.header = header;
    server_->machine().on_datagram(shard, number);
  }

  std::unique_ptr<World> world_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<Server> server_;
  std::uint32_t port_ = 0;
};

// It stops reading after a while; what was read by then is dealt with.
TEST_F(StopTest, WhatWasReadIsCounted) {
  start([](const Scenario& one) {
    return one.shards == 1 && one.datagrams_per_turn == 4 && one.receive_buffer >= 1024;
  });
  for (std::uint32_t i = 0; i < world_->scenario.receive_buffer; ++i) {
    arrives(kFirst, "noise", Claim::Header::kMalformed);
  }

  server_->stop();

  EXPECT_EQ(world_->failure, "");
}

// What another shard hands over to one that has ended stays in its mailbox.
TEST_F(StopTest, WhatIsHandedOverTooLateIsKnown) {
  start([](const Scenario& one) { return one.shards > 1; });
  std::string of_first(40, '\0');
  of_first[1] = '\2';
  arrives(server_->shard_count() - 1, of_first, Claim::Header::kSealed);

  server_->stop();

  EXPECT_EQ(world_->failure, "");
}

}  // namespace
}  // namespace chatd::sim
