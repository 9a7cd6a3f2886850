// What a batch gives to the kernel, from which address.
#include "server/data/send_batch.h"
#include "server/io/kernel_io.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string_view>

#include "core/base/endpoint.h"
#include "server/os/local_addresses.h"
#include "server/os/open_sockets.h"
#include "server/os/socket_address.h"
#include "tests/support/udp_peer.h"

namespace chatd::test {
namespace {

// Each names a way of which nothing is known any more, and no two neighbours the same one.
TEST(SendBatch, AFullOneLeavesFromWhereItIsTold) {
  const UniqueFd sender = open_udp_socket(resolve("0.0.0.0", 0).value()).value();
  UdpPeer peer("127.0.0.1", 0, 1 << 20);
  const LocalAddresses locals;
  SendBatch batch(AF_INET, &locals);
  const std::string_view text = "hello";
  const SendBatch::Form form = batch.form({&text, 1}, 0);
  Endpoint there = local_endpoint(peer.fd());
  for (std::size_t i = 0; i < SendBatch::kCapacity; ++i) {
    there.via = static_cast<std::uint16_t>(7 + i % 2);
    batch.add(there, form);
  }
  const LocalAddress here{.ip = to_endpoint(resolve("127.0.0.2", 0).value()).ip};
  batch.leave_from(0, SendBatch::kCapacity, here);
  std::size_t sent = 0;
  while (sent < SendBatch::kCapacity) {
    const std::size_t taken = batch.submit(kernel_io(), sender.get(), SendBatch::kCapacity - sent);
    ASSERT_GT(taken, 0U);
    batch.pop(taken);
    for (std::size_t i = 0; i < taken; ++i, ++sent) {
      const auto datagram = peer.receive();
      ASSERT_TRUE(datagram.has_value());
      EXPECT_EQ(datagram->bytes, text);
      EXPECT_EQ(datagram->from.ip(), "127.0.0.2");
    }
  }
}

}  // namespace
}  // namespace chatd::test
