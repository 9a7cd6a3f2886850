// Receiving over real sockets: datagrams of every size, trains taken apart, batch after batch.
#include "server/data/udp_receiver.h"
#include "server/io/kernel_io.h"

#include <gtest/gtest.h>
#include <linux/net_tstamp.h>

#include <string>
#include <vector>

#include "core/base/limits.h"
#include "server/data/send_batch.h"
#include "server/os/open_sockets.h"
#include "tests/support/udp_peer.h"

namespace chatd::test {
namespace {

class UdpReceiverTest : public testing::Test {
 protected:
  UdpReceiverTest() : fd_(open_udp_socket(resolve("127.0.0.1", 0).value()).value()) {
    set_buffer_bytes(fd_.get(), SO_RCVBUF, 4 << 20);
  }

  std::vector<std::string> receive_all() {
    std::vector<std::string> received;
    do {
      receiver_.receive();
      while (receiver_.has_next()) {
        const UdpReceiver::Datagram datagram = receiver_.next();
        EXPECT_EQ(datagram.from, local_endpoint(sender_.get()));
        received.emplace_back(datagram.bytes);
      }
    } while (!receiver_.is_drained());
    return received;
  }

  // Trains of several lengths, with single datagrams between them.
  void send_trains_and_expect_them();

  void send(std::string_view bytes, std::uint32_t segment_bytes = 0) {
    SendBatch batch(AF_INET);
    batch.add(local_endpoint(fd_.get()), batch.form({&bytes, 1}, segment_bytes));
    ASSERT_EQ(batch.submit(kernel_io(), sender_.get(), 1), 1U);
  }

  UniqueFd fd_;
  UniqueFd sender_ = open_udp_socket(resolve("127.0.0.1", 0).value()).value();
  UdpReceiver receiver_{kernel_io(), fd_.get()};
};

TEST_F(UdpReceiverTest, NothingComesOfNothing) {
  EXPECT_TRUE(receive_all().empty());
  EXPECT_TRUE(receiver_.is_drained());
  EXPECT_FALSE(receiver_.has_next());
}

TEST_F(UdpReceiverTest, DatagramsOfEverySize) {
  const std::vector<std::size_t> sizes = {1, 100,   kMaxDatagramBytes, kMaxDatagramBytes + 1,
                                          0, 65'507};
  std::vector<std::string> sent;
  for (const std::size_t size : sizes) {
    sent.emplace_back(size, 'x');
    send(sent.back());
  }
  EXPECT_EQ(receive_all(), sent);
}

TEST_F(UdpReceiverTest, MoreThanABatch) {
  std::vector<std::string> sent;
  for (std::size_t i = 0; i < 3 * UdpReceiver::kBatch + 1; ++i) {
    sent.push_back("datagram " + std::to_string(i));
    send(sent.back());
  }
  EXPECT_EQ(receive_all(), sent);
}

void UdpReceiverTest::send_trains_and_expect_them() {
  std::vector<std::string> sent;
  for (const auto& [count, last_bytes] :
       std::vector<std::pair<int, std::size_t>>{{1, 200}, {2, 200}, {64, 200}, {40, 1}, {3, 199}}) {
    std::string train;
    for (int i = 0; i < count; ++i) {
      std::string message = std::to_string(i) + " of " + std::to_string(count);
      message.resize(i + 1 == count ? last_bytes : 200, '.');
      train += message;
      sent.push_back(message);
    }
    send(train, 200);
    sent.push_back("single");  // what follows a train is read by itself
    send(sent.back());
  }
  EXPECT_EQ(receive_all(), sent);
}

TEST_F(UdpReceiverTest, TrainsAreTakenApart) {
  send_trains_and_expect_them();
}

// Whoever opened the socket may have asked for all of these (PassPacketInfo=, Timestamping= and
// others of systemd.socket(5)).
TEST_F(UdpReceiverTest, OtherControlMessagesAreNotTakenForTrains) {
  const auto ask = [this](int level, int option, int value) {
    ASSERT_EQ(::setsockopt(fd_.get(), level, option, &value, sizeof value), 0) << option;
  };
  ask(IPPROTO_IP, IP_PKTINFO, 1);
  ask(IPPROTO_IP, IP_RECVTTL, 1);
  ask(IPPROTO_IP, IP_RECVTOS, 1);
  ask(IPPROTO_IP, IP_RECVORIGDSTADDR, 1);
  ask(SOL_SOCKET, SO_RXQ_OVFL, 1);
  ask(SOL_SOCKET, SO_TIMESTAMPNS, 1);
  ask(SOL_SOCKET, SO_TIMESTAMPING,
      SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_RX_HARDWARE);
  send_trains_and_expect_them();
}

}  // namespace
}  // namespace chatd::test
