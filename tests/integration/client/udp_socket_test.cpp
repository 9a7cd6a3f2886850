// The client's socket cuts trains up where their sender joined them.
#include "client/net/udp_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <cerrno>

#include "tests/integration/client/train_sender.h"
#include "tests/support/wait_until.h"

namespace chatd::client {
namespace {

using test::numbered_pieces;
using testing::ElementsAreArray;

class UdpSocketTrains : public testing::TestWithParam<bool> {
 protected:
  UdpSocketTrains() : socket_(UdpSocket::open(server_.address(), GetParam())) {}

  void SetUp() override { ASSERT_TRUE(socket_) << socket_.error().reason; }

  test::SocketAddress own_address() const { return test::SocketAddress::local_of(socket_->fd()); }

  // The next `count` datagrams; fewer when they do not come in time.
  std::vector<std::string> receive(std::size_t count) {
    std::vector<std::string> received;
    const test::Deadline deadline = test::kPatience;
    while (received.size() < count && !deadline.passed()) {
      if (!socket_->has_more()) test::wait_ready(socket_->fd(), POLLIN, deadline);
      const auto one = socket_->receive();
      if (one.error == 0) received.emplace_back(one.datagram);
    }
    return received;
  }
  void expect_nothing_left() {
    EXPECT_FALSE(socket_->has_more());
    EXPECT_EQ(socket_->receive().error, EAGAIN);
  }

  test::TrainSender server_;
  tl::expected<UdpSocket, Error> socket_;
};

TEST_P(UdpSocketTrains, SegmentsOfOneSize) {
  const auto pieces = numbered_pieces(64, 130);
  server_.send_train(own_address(), test::join(pieces), 130);
  EXPECT_THAT(receive(64), ElementsAreArray(pieces));
  expect_nothing_left();
}

TEST_P(UdpSocketTrains, TheLastSegmentIsShorter) {
  auto pieces = numbered_pieces(5, 400);
  pieces.push_back("x");
  server_.send_train(own_address(), test::join(pieces), 400);
  EXPECT_THAT(receive(6), ElementsAreArray(pieces));
  expect_nothing_left();
}

TEST_P(UdpSocketTrains, TheLongestTrainIsNotCutOff) {
  const auto pieces = numbered_pieces(44, 1470);  // 64,680 bytes
  server_.send_train(own_address(), test::join(pieces), 1470);
  EXPECT_THAT(receive(44), ElementsAreArray(pieces));
  expect_nothing_left();
}

TEST_P(UdpSocketTrains, SingleDatagramsAmongTrains) {
  const auto first = numbered_pieces(3, 100);
  const auto second = numbered_pieces(2, 50);
  const std::string large(4096, 'z');
  server_.send(own_address(), "one");
  server_.send_train(own_address(), test::join(first), 100);
  server_.send(own_address(), large);
  server_.send_train(own_address(), test::join(second), 50);
  server_.send(own_address(), "end");
  std::vector<std::string> expected{"one"};
  expected.insert(expected.end(), first.begin(), first.end());
  expected.push_back(large);
  expected.insert(expected.end(), second.begin(), second.end());
  expected.emplace_back("end");
  EXPECT_THAT(receive(expected.size()), ElementsAreArray(expected));
  expect_nothing_left();
}

TEST_P(UdpSocketTrains, AnEmptyDatagramIsOne) {
  server_.send(own_address(), "");
  server_.send(own_address(), "after");
  EXPECT_THAT(receive(2), ElementsAreArray({"", "after"}));
  expect_nothing_left();
}

INSTANTIATE_TEST_SUITE_P(Gro, UdpSocketTrains, testing::Bool(),
                         [](const auto& gro) { return gro.param ? "On" : "Off"; });

// Without this the tests above would hold for a socket that never gets a train.
TEST(UdpGro, ATrainComesInOneCall) {
  test::TrainSender server;
  const auto socket = UdpSocket::open(server.address(), true);
  ASSERT_TRUE(socket);
  server.send_train(test::SocketAddress::local_of(socket->fd()),
                    test::join(numbered_pieces(10, 100)), 100);
  std::vector<char> buffer(kMaxTrainBytes);
  alignas(cmsghdr) std::array<char, kTrainControlBytes> control{};
  iovec piece{.iov_base = buffer.data(), .iov_len = buffer.size()};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  ASSERT_TRUE(test::wait_ready(socket->fd(), POLLIN));
  EXPECT_EQ(::recvmsg(socket->fd(), &header, 0), 1000);
  EXPECT_EQ(segment_bytes_of(header), 100u);
}

}  // namespace
}  // namespace chatd::client
