// Trains over real sockets: plain receivers get each message as a datagram of its own; a path that
// takes no trains gets the messages one by one; a device whose queue is full delays its own traffic
// only.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "server/data/udp_sender.h"
#include "server/io/kernel_io.h"
#include "server/os/open_sockets.h"
#include "tests/integration/server/own_network.h"
#include "tests/support/udp_peer.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

constexpr int kTrainBufferBytes = 4 << 20;

// A sender and the outbox that it sends.
struct Sending {
  UniqueFd fd = open_udp_socket(resolve("127.0.0.1", 0).value()).value();
  Counters counters;
  ErrorQueue errors{kernel_io(), fd.get(), AF_INET};
  UdpSender sender{kernel_io(), fd.get(), AF_INET, 1472, errors, counters};
  Outbox out{1'000'000, 1000};
  TimeMs now_ms = 1000;

  // Messages `first`..`last` - 1 as one train; the last one may have another length.
  void open_train(int first, int last, std::size_t size_bytes, std::size_t last_bytes = 0) {
    std::string bytes;
    for (int i = first; i < last; ++i) {
      bytes += text(i, i + 1 == last && last_bytes != 0 ? last_bytes : size_bytes);
    }
    char* const copy = out.allocate(bytes.size());
    std::copy(bytes.begin(), bytes.end(), copy);
    out.open(Outbox::Kind::kMessage);
    out.open_train(static_cast<std::uint32_t>(size_bytes));
    out.add_piece({copy, bytes.size()}, static_cast<std::uint32_t>(last - first));
  }

  static std::string text(int number, std::size_t size_bytes) {
    std::string text = std::string(2, '\0') + std::to_string(number) + " ";
    text.resize(size_bytes, '.');
    return text;
  }

  void add(const UdpPeer& peer, const char* address = "127.0.0.1") {
    out.add({*IpAddress::parse(address), peer.address().port()});
  }

  void finish() {
    while (sender.send(out, now_ms) != UdpSender::Progress::kDone) std::this_thread::yield();
    out.clear();
  }
};

void expect_messages(UdpPeer& peer, int first, int last, std::size_t size_bytes,
                     std::size_t last_bytes = 0) {
  for (int i = first; i < last; ++i) {
    const auto datagram = peer.receive();
    ASSERT_TRUE(datagram) << "message " << i;
    ASSERT_EQ(datagram->bytes,
              Sending::text(i, i + 1 == last && last_bytes != 0 ? last_bytes : size_bytes));
  }
}

TEST(Trains, ArriveAsTheMessagesTheyAreMadeOf) {
  Sending sending;
  std::vector<UdpPeer> peers;
  for (int i = 0; i < 3; ++i) peers.emplace_back("127.0.0.1", 0, kTrainBufferBytes);
  sending.open_train(0, 64, 130);
  for (const UdpPeer& peer : peers) sending.add(peer);
  sending.open_train(64, 70, 1'000, 40);
  for (const UdpPeer& peer : peers) sending.add(peer);
  sending.finish();
  for (UdpPeer& peer : peers) {
    expect_messages(peer, 0, 64, 130);
    expect_messages(peer, 64, 70, 1'000, 40);
  }
  EXPECT_EQ(sending.counters[Counter::kTrainsSent], 6u);
  EXPECT_EQ(sending.counters[Counter::kDeliveriesSent], 3u * 70);
  EXPECT_EQ(sending.counters[Counter::kTrainFallbacks], 0u);
}

TEST(Trains, MayBeMadeOfPieces) {
  Sending sending;
  UdpPeer peer("127.0.0.1", 0, kTrainBufferBytes);
  sending.open_train(0, 3, 100);
  const std::string more = Sending::text(3, 100) + Sending::text(4, 50);
  sending.out.add_piece(more, 2);
  sending.add(peer);
  sending.finish();
  expect_messages(peer, 0, 5, 100, 50);
  EXPECT_EQ(sending.counters[Counter::kTrainsSent], 1u);
}

TEST(Trains, AnUnreachableDestinationCostsItsOwnOnly) {
  Sending sending;
  UdpPeer peer("127.0.0.1", 0, kTrainBufferBytes);
  sending.open_train(0, 10, 130);
  constexpr int kRounds = 300;  // more than a batch
  for (int i = 0; i < kRounds; ++i) {
    sending.add(peer);
    sending.out.add({*IpAddress::parse("255.255.255.255"), 9});  // not without SO_BROADCAST
  }
  sending.finish();
  for (int i = 0; i < kRounds; ++i) ASSERT_NO_FATAL_FAILURE(expect_messages(peer, 0, 10, 130));
  EXPECT_EQ(sending.counters[Counter::kDeliveriesSent], kRounds * 10u);
  EXPECT_EQ(sending.counters[Counter::kDroppedSendFailed], kRounds * 10u);
}

// The device's MTU is smaller than the segments: the kernel refuses the train and takes the
// messages, in fragments.
TEST(Trains, APathThatTakesNoneGetsMessagesOneByOne) {
  const std::string reason = in_own_network([] {
    ASSERT_TRUE(set_loopback_mtu(700));
    Sending sending;
    UdpPeer first("127.0.0.1", 0, kTrainBufferBytes);
    UdpPeer second("127.0.0.1", 0, kTrainBufferBytes);
    for (int round = 0; round < 3; ++round) {
      sending.open_train(0, 20, 1'000, 80);
      sending.add(first);
      sending.add(second);
      sending.open_train(20, 24, 200);  // fits
      sending.add(first);
      sending.finish();
    }
    for (int round = 0; round < 3; ++round) {
      ASSERT_NO_FATAL_FAILURE(expect_messages(first, 0, 20, 1'000, 80));
      ASSERT_NO_FATAL_FAILURE(expect_messages(first, 20, 24, 200));
      ASSERT_NO_FATAL_FAILURE(expect_messages(second, 0, 20, 1'000, 80));
    }
    EXPECT_EQ(sending.counters[Counter::kTrainFallbacks], 2u) << "each destination is learnt once";
    EXPECT_EQ(sending.counters[Counter::kDeliveriesSent], 3u * 44);
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
}

// Single datagrams that exceed the MTU go out in fragments; the smaller ones before, between and
// after them do not care.
TEST(Trains, ASingleDatagramMayExceedTheMtu) {
  const std::string reason = in_own_network([] {
    ASSERT_TRUE(set_loopback_mtu(700));
    Sending sending;
    UdpPeer peer("127.0.0.1", 0, kTrainBufferBytes);
    for (int round = 0; round < 3; ++round) {
      for (const std::size_t size : {100u, 4'000u, 600u, 3'000u, 50u}) {
        sending.open_train(round, round + 1, size);
        sending.add(peer);
      }
      sending.finish();
    }
    for (int round = 0; round < 3; ++round) {
      for (const std::size_t size : {100u, 4'000u, 600u, 3'000u, 50u}) {
        ASSERT_NO_FATAL_FAILURE(expect_messages(peer, round, round + 1, size));
      }
    }
    EXPECT_EQ(sending.counters[Counter::kDeliveriesSent], 15u);
    EXPECT_EQ(sending.counters[Counter::kDroppedSendTooBig], 0u);
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
}

// More messages than a batch has entries, one by one: the place in the train is kept.
TEST(Trains, OneByOneGoesOnInTheNextBatch) {
  const std::string reason = in_own_network([] {
    ASSERT_TRUE(set_loopback_mtu(700));
    Sending sending;
    UdpPeer peer("127.0.0.1", 0, kTrainBufferBytes);
    constexpr int kTrains = 30;
    for (int i = 0; i < kTrains; ++i) {
      sending.open_train(i * 50, i * 50 + 50, 900);
      sending.add(peer);
    }
    sending.finish();
    ASSERT_NO_FATAL_FAILURE(expect_messages(peer, 0, kTrains * 50, 900));
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
}

// A device's queue that is full drops what it is given and says so (ENOBUFS). Nothing goes missing
// unnoticed, and each message that arrives is in order.
TEST(Trains, AFullDeviceQueueIsTriedAgainAndCounted) {
  bool is_slow = false;
  const std::string reason = in_own_network([&is_slow] {
    is_slow = slow_down_loopback(8, /*queue_kib=*/24);
    if (!is_slow) return;
    Sending sending;
    UdpPeer peer("127.0.0.1", 0, kTrainBufferBytes);
    constexpr int kMessages = 600;
    for (int i = 0; i < kMessages; ++i) {
      sending.open_train(i, i + 1, 500);
      sending.add(peer);
    }
    int put_off = 0;
    for (UdpSender::Progress progress{};;) {
      progress = sending.sender.send(sending.out, sending.now_ms);
      if (progress == UdpSender::Progress::kDone) break;
      if (progress == UdpSender::Progress::kDeferred) ++put_off;
    }
    EXPECT_GT(put_off, 0);
    const std::uint64_t sent = sending.counters[Counter::kDeliveriesSent];
    EXPECT_EQ(sent + sending.counters[Counter::kDroppedSendNoBuffers],
              static_cast<std::uint64_t>(kMessages));
    EXPECT_GT(sending.counters[Counter::kDroppedSendNoBuffers], 0u);
    int last = -1;
    for (std::uint64_t i = 0; i < sent; ++i) {
      const auto datagram = peer.receive();
      ASSERT_TRUE(datagram) << "what was sent arrives";
      const int number = std::stoi(datagram->bytes.substr(2));
      ASSERT_GT(number, last);
      last = number;
    }
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
  if (!is_slow) GTEST_SKIP() << "tc cannot slow down the loopback device here";
}

// More destinations behind it than a batch has entries: each datagram ends once, as sent or as
// dropped, however often it was met on the way.
TEST(Trains, AFullDeviceQueueWithManyBehindItEndsEachDatagramOnce) {
  bool is_slow = false;
  const std::string reason = in_own_network([&is_slow] {
    is_slow = slow_down_loopback(5, /*queue_kib=*/20);
    if (!is_slow) return;
    Sending sending;
    constexpr unsigned kPeers = 400;
    constexpr std::uint64_t kMessages = 6;
    std::uint64_t planned = 0;
    std::uint64_t notices = 0;
    for (int round = 0; round < 20; ++round) {
      // Longer segments than the queue has room for often come next to short ones.
      sending.open_train(0, kMessages, round % 2 == 0 ? 400 : 90);
      for (unsigned i = 0; i < kPeers; ++i) {
        sending.out.add({*IpAddress::parse("127.0.0.1"), static_cast<std::uint16_t>(40'000 + i)});
      }
      planned += kMessages * kPeers;
      sending.out.open_copy(Outbox::Kind::kNotice, "a notice");
      for (unsigned i = 0; i < kPeers; ++i) {
        sending.out.add({*IpAddress::parse("127.0.0.1"), static_cast<std::uint16_t>(40'000 + i)});
      }
      notices += kPeers;
      sending.finish();
    }
    const Counters& counters = sending.counters;
    EXPECT_GT(counters[Counter::kDroppedSendNoBuffers], 0u);
    EXPECT_EQ(counters[Counter::kDeliveriesSent] + counters[Counter::kDroppedSendNoBuffers],
              planned);
    EXPECT_EQ(counters[Counter::kNoticesSent] + counters[Counter::kNoticesDropped], notices);
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
  if (!is_slow) GTEST_SKIP() << "tc cannot slow down the loopback device here";
}

// A route that throws everything away for a moment says the same to a train (EINVAL) as a device
// that cannot cut it, and must not cost the destination its trains.
TEST(Trains, ARouteThatIsGoneForAMomentCostsNoTrainsAfterwards) {
  const std::string reason = in_own_network([] {
    Sending sending;
    UdpPeer peer("127.0.0.2", 0, kTrainBufferBytes);
    ASSERT_EQ(std::system("ip route add blackhole 127.0.0.2 table local"), 0);
    sending.open_train(0, 20, 130);
    sending.add(peer, "127.0.0.2");
    sending.finish();
    EXPECT_EQ(sending.counters[Counter::kDroppedSendFailed], 20u);
    ASSERT_EQ(std::system("ip route del blackhole 127.0.0.2 table local"), 0);
    sending.open_train(20, 40, 130);
    sending.add(peer, "127.0.0.2");
    sending.finish();
    ASSERT_NO_FATAL_FAILURE(expect_messages(peer, 20, 40, 130));
    EXPECT_EQ(sending.counters[Counter::kTrainsSent], 1u);
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
}

// A path that has become better is found out.
TEST(Trains, AreTriedAgainAfterAWhile) {
  const std::string reason = in_own_network([] {
    ASSERT_TRUE(set_loopback_mtu(700));
    Sending sending;
    UdpPeer peer("127.0.0.1", 0, kTrainBufferBytes);
    sending.open_train(0, 20, 1'000);
    sending.add(peer);
    sending.finish();
    ASSERT_TRUE(set_loopback_mtu(65'536));
    sending.open_train(20, 40, 1'000);
    sending.add(peer);
    sending.finish();
    EXPECT_EQ(sending.counters[Counter::kTrainsSent], 0u) << "not at once";
    sending.now_ms += NoGsoPeers::kFirstPauseMs;
    sending.open_train(40, 60, 1'000);
    sending.add(peer);
    sending.finish();
    ASSERT_NO_FATAL_FAILURE(expect_messages(peer, 0, 60, 1'000));
    EXPECT_EQ(sending.counters[Counter::kTrainsSent], 1u);
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
}

// Everything at once, at random: several destinations behind one full device, with an MTU that some
// trains exceed. Nobody gets a message twice or out of order, and everything is accounted for.
TEST(Trains, AFullDeviceQueueRepeatsNothing) {
  bool is_slow = false;
  const std::string reason = in_own_network([&is_slow] {
    ASSERT_TRUE(set_loopback_mtu(700));
    is_slow = slow_down_loopback(40, /*queue_kib=*/24);
    if (!is_slow) return;
    std::mt19937 random(5);
    for (int round = 0; round < 20; ++round) {
      Sending sending;
      std::vector<UdpPeer> peers;
      for (int i = 0; i < 4; ++i) peers.emplace_back("127.0.0.1", 0, kTrainBufferBytes);
      std::uint64_t planned = 0;
      for (int next = 0; next < 100;) {
        const int count = 1 + static_cast<int>(random() % 6);
        sending.open_train(next, next + count, random() % 3 == 0 ? 900 : 300);
        for (const UdpPeer& peer : peers) {
          if (random() % 4 == 0) continue;
          sending.add(peer);
          planned += static_cast<std::uint64_t>(count);
        }
        next += count;
      }
      sending.finish();
      const Counters& counters = sending.counters;
      const std::uint64_t sent = counters[Counter::kDeliveriesSent];
      ASSERT_EQ(sent + counters[Counter::kDroppedSendNoBuffers], planned);
      std::uint64_t received = 0;
      std::vector<int> last(peers.size(), -1);
      ASSERT_TRUE(wait_until([&] {
        for (std::size_t i = 0; i < peers.size(); ++i) {
          while (const auto datagram = peers[i].try_receive()) {
            const int number = std::stoi(datagram->bytes.substr(2));
            EXPECT_GT(number, last[i]) << "round " << round;
            last[i] = number;
            ++received;
          }
        }
        return received >= sent;
      })) << received
          << " of " << sent;
      ASSERT_EQ(received, sent);
    }
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
  if (!is_slow) GTEST_SKIP() << "tc cannot slow down the loopback device here";
}

}  // namespace
}  // namespace chatd::test
