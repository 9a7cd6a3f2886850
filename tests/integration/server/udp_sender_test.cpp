// Sending a batch in which some destinations are bad: each costs its own entry, and nobody else's.
#include "server/data/udp_sender.h"
#include "server/io/kernel_io.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/os/open_sockets.h"
#include "tests/support/udp_peer.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

class UdpSenderTest : public testing::Test {
 protected:
  UdpSenderTest() : fd_(open_udp_socket(resolve("127.0.0.1", 0).value()).value()) {}

  // Adds destinations to one message, in an order that puts the receivers between the bad ones.
  void open_message(std::string_view text) {
    texts_.push_back(std::string(2, '\0') + std::string(text));
    outbox_.open(Outbox::Kind::kMessage, texts_.back());
  }
  void add(std::uint16_t port) { outbox_.add({*IpAddress::parse("127.0.0.1"), port}); }

  UniqueFd fd_;
  Counters counters_;
  ErrorQueue errors_{kernel_io(), fd_.get(), AF_INET};
  UdpSender sender_{kernel_io(), fd_.get(), AF_INET, 1472, errors_, counters_};
  Outbox outbox_{10'000, 1000};
  std::vector<std::string> texts_ = make_texts();

 private:
  static std::vector<std::string> make_texts() {
    std::vector<std::string> texts;
    texts.reserve(64);  // the outbox points into them
    return texts;
  }
};

TEST_F(UdpSenderTest, AnImpossibleDestinationCostsItsOwnEntryOnly) {
  UdpPeer receiver("127.0.0.1", 0, 1 << 20);
  open_message("hello");
  constexpr int kRounds = 300;  // more than one batch
  for (int i = 0; i < kRounds; ++i) {
    add(receiver.address().port());
    outbox_.add({*IpAddress::parse("255.255.255.255"), 9});  // not without SO_BROADCAST
  }
  ASSERT_EQ(sender_.send(outbox_, 0), UdpSender::Progress::kDone);
  EXPECT_EQ(counters_[Counter::kDeliveriesSent], kRounds);
  EXPECT_EQ(counters_[Counter::kDroppedSendFailed], kRounds);
  for (int i = 0; i < kRounds; ++i) ASSERT_TRUE(receiver.receive()) << i;
}

TEST_F(UdpSenderTest, RefusalsAreReportedAndCostTheNeighboursNothing) {
  UdpPeer receiver("127.0.0.1", 0, 1 << 20);
  UdpPeer gone;
  const std::uint16_t closed_port = gone.address().port();
  gone.close();
  open_message("hello");
  constexpr int kRounds = 300;
  for (int i = 0; i < kRounds; ++i) {
    add(closed_port);
    add(receiver.address().port());
  }
  ASSERT_EQ(sender_.send(outbox_, 0), UdpSender::Progress::kDone);
  EXPECT_EQ(counters_[Counter::kDeliveriesSent], 2 * kRounds);
  for (int i = 0; i < kRounds; ++i) ASSERT_TRUE(receiver.receive()) << i;

  std::size_t refusals = 0;
  const Endpoint closed{*IpAddress::parse("127.0.0.1"), closed_port};
  ASSERT_TRUE(wait_until([&] {
    errors_.drain(0);
    for (auto refused = errors_.take_refused(); refused; refused = errors_.take_refused()) {
      EXPECT_EQ(*refused, closed);
      ++refusals;
    }
    return refusals > 3;
  }));
  EXPECT_FALSE(errors_.has_refused());
}

TEST_F(UdpSenderTest, OrderIsKeptAcrossMessagesAndBatches) {
  UdpPeer receiver("127.0.0.1", 0, 1 << 20);
  constexpr int kMessages = 40;
  for (int i = 0; i < kMessages; ++i) {
    open_message("message " + std::to_string(i));
    for (int copy = 0; copy < 10; ++copy) add(receiver.address().port());
  }
  ASSERT_EQ(sender_.send(outbox_, 0), UdpSender::Progress::kDone);
  for (int i = 0; i < kMessages * 10; ++i) {
    const auto datagram = receiver.receive();
    ASSERT_TRUE(datagram);
    ASSERT_EQ(datagram->bytes, texts_[static_cast<std::size_t>(i / 10)]);
  }
}

TEST_F(UdpSenderTest, WhatIsAbandonedIsCounted) {
  open_message("hello");
  for (int i = 0; i < 300; ++i) add(9);
  sender_.drop_pending(outbox_, Counter::kDroppedSendAtStop);
  EXPECT_EQ(counters_[Counter::kDeliveriesSent], 0u);
  EXPECT_EQ(counters_[Counter::kDroppedSendAtStop], 300u);
}

TEST_F(UdpSenderTest, AMessageForNobodyIsNoObstacle) {
  UdpPeer receiver("127.0.0.1", 0, 1 << 20);
  open_message("to nobody");
  open_message("to somebody");
  add(receiver.address().port());
  ASSERT_EQ(sender_.send(outbox_, 0), UdpSender::Progress::kDone);
  const auto datagram = receiver.receive();
  ASSERT_TRUE(datagram);
  EXPECT_EQ(datagram->bytes, texts_[1]);
}

}  // namespace
}  // namespace chatd::test
