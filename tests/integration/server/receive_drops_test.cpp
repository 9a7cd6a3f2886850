// What the kernel drops because the receive buffer is full is counted, once.
#include "server/data/receive_drops.h"
#include "server/io/kernel_io.h"

#include <gtest/gtest.h>

#include <string>

#include "server/data/udp_receiver.h"
#include "server/os/open_sockets.h"
#include "tests/support/udp_peer.h"

namespace chatd::test {
namespace {

TEST(ReceiveDrops, AreWhatWasSentAndNotReceived) {
  const auto fd = open_udp_socket(resolve("127.0.0.1", 0).value()).value();
  set_buffer_bytes(fd.get(), SO_RCVBUF, 16 * 1024);
  const SocketAddress address = SocketAddress::local_of(fd.get());
  Counters counters;
  ReceiveDrops drops(kernel_io(), fd.get(), counters);
  UdpReceiver receiver(kernel_io(), fd.get());
  UdpPeer peer;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  for (int round = 1; round <= 3; ++round) {
    for (int i = 0; i < 500; ++i, ++sent) peer.send(address, std::string(100, 'x'));
    do {
      for (receiver.receive(); receiver.has_next(); ++received) receiver.next();
    } while (!receiver.is_drained());
    drops.update();
    EXPECT_GT(received, 0u);
    EXPECT_LT(received, sent);
    EXPECT_EQ(counters[Counter::kReceiveBufferDrops], sent - received);
    drops.update();
    EXPECT_EQ(counters[Counter::kReceiveBufferDrops], sent - received);
  }
}

TEST(ReceiveDrops, AreAskedForAtMostOnceASecond) {
  const auto fd = open_udp_socket(resolve("127.0.0.1", 0).value()).value();
  set_buffer_bytes(fd.get(), SO_RCVBUF, 4096);
  Counters counters;
  ReceiveDrops drops(kernel_io(), fd.get(), counters);
  drops.update(10'000);
  UdpPeer peer;
  for (int i = 0; i < 500; ++i) peer.send(SocketAddress::local_of(fd.get()), std::string(100, 'x'));
  drops.update(10'999);
  EXPECT_EQ(counters[Counter::kReceiveBufferDrops], 0u);
  drops.update(11'000);
  EXPECT_GT(counters[Counter::kReceiveBufferDrops], 0u);
}

}  // namespace
}  // namespace chatd::test
