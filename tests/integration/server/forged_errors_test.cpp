// Somebody who knows chatd's port forges ICMP errors about destinations that are none of its
// members, as fast as he can: it costs the members nothing.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <sched.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>
#include <thread>

#include "server/data/udp_receiver.h"
#include "server/data/udp_sender.h"
#include "server/io/kernel_io.h"
#include "server/os/open_sockets.h"
#include "tests/integration/server/own_network.h"
#include "tests/support/udp_peer.h"

namespace chatd::test {
namespace {

std::uint16_t checksum(const void* data, std::size_t size_bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < size_bytes; i += 2) {
    std::uint16_t word = 0;
    std::memcpy(&word, static_cast<const char*>(data) + i, sizeof word);
    sum += word;
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

// «What you sent from 127.0.0.1:`port` to 127.8.7.6:999 did not arrive», in so many words.
struct Forgery {
  icmphdr icmp{};
  iphdr ip{};
  udphdr udp{};

  Forgery(std::uint8_t type, std::uint8_t code, std::uint16_t port) {
    icmp.type = type;
    icmp.code = code;
    if (type == ICMP_DEST_UNREACH && code == ICMP_FRAG_NEEDED) icmp.un.frag.mtu = htons(1400);
    ip.version = 4;
    ip.ihl = 5;
    ip.ttl = 64;
    ip.protocol = IPPROTO_UDP;
    ip.tot_len = htons(sizeof ip + sizeof udp);
    ip.saddr = htonl(INADDR_LOOPBACK);
    ip.daddr = htonl(0x7f08'0706);
    udp.source = htons(port);
    udp.dest = htons(999);
    udp.len = htons(sizeof udp);
    icmp.checksum = checksum(this, sizeof *this);
  }
};

// Sends forgeries of all kinds from its own thread while it lives, so many at a time as it may: the
// kernel's queue of arrivals takes a thousand, and drops what comes then, whosever it is.
class Forger {
 public:
  explicit Forger(std::uint16_t port)
      : socket_(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP)),
        thread_([this, port] { run(port); }) {}
  Forger(const Forger&) = delete;
  Forger& operator=(const Forger&) = delete;
  ~Forger() {
    is_over_ = true;
    thread_.join();
  }

  bool is_able() const { return static_cast<bool>(socket_); }
  std::uint64_t count() const { return count_; }
  void allow(std::uint64_t more) { allowed_ = count_ + more; }

 private:
  void run(std::uint16_t port) {
    cpu_set_t all;
    std::memset(&all, 0xff, sizeof all);
    ::sched_setaffinity(0, sizeof all, &all);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    while (!is_over_) {
      if (count_ >= allowed_) {
        std::this_thread::yield();
        continue;
      }
      const auto code = static_cast<std::uint8_t>(count_ / 64 % 16);
      const Forgery forgery(ICMP_DEST_UNREACH, code, port);
      (void)::sendto(socket_.get(), &forgery, sizeof forgery, 0,
                     reinterpret_cast<const sockaddr*>(&to), sizeof to);
      ++count_;
    }
  }

  UniqueFd socket_;
  std::atomic<bool> is_over_ = false;
  std::atomic<std::uint64_t> count_ = 0;
  std::atomic<std::uint64_t> allowed_ = 0;
  std::thread thread_;
};

TEST(ForgedErrors, CostNobodyAMessage) {
  bool is_able = false;
  const std::string reason = in_own_network([&is_able] {
    const UniqueFd fd = open_udp_socket(resolve("127.0.0.1", 0).value()).value();
    set_buffer_bytes(fd.get(), SO_RCVBUF, 4 << 20);
    Counters counters;
    ErrorQueue errors(kernel_io(), fd.get(), AF_INET);
    UdpSender sender(kernel_io(), fd.get(), AF_INET, 1472, errors, counters);
    UdpReceiver receiver(kernel_io(), fd.get());
    Forger forger(local_endpoint(fd.get()).port);
    is_able = forger.is_able();
    if (!is_able) return;
    // While it sends and receives, so that each call may meet one. The member answers each message.
    UdpPeer member;
    const SocketAddress there("127.0.0.1", local_endpoint(fd.get()).port);
    constexpr std::uint64_t kRounds = 3000;
    constexpr std::uint64_t kMessages = 8;
    Outbox out(10'000, 100);
    std::uint64_t heard = 0;
    for (std::uint64_t round = 0; round < kRounds; ++round) {
      forger.allow(300);
      const TimeMs now_ms = 20 * round;  // as slowly as it must be for errors to be listened to
      for (std::uint64_t i = 0; i < kMessages; ++i) {
        out.open_copy(Outbox::Kind::kMessage, std::to_string(i));
        out.add({*IpAddress::parse("127.0.0.1"), member.address().port()});
      }
      ASSERT_EQ(sender.send(out, now_ms), UdpSender::Progress::kDone);
      out.clear();
      for (std::uint64_t i = 0; i < kMessages; ++i) {
        const auto datagram = member.receive();
        ASSERT_TRUE(datagram) << "round " << round;
        ASSERT_EQ(datagram->bytes, std::string(2, '\0') + std::to_string(i));
        member.send(there, "said");
      }
      errors.drain(now_ms);
      for (receiver.receive();; receiver.receive()) {
        ASSERT_EQ(receiver.error(), 0) << "round " << round;
        for (; receiver.has_next(); receiver.next()) ++heard;
        if (receiver.is_drained()) break;
      }
    }
    EXPECT_EQ(counters[Counter::kDeliveriesSent], kRounds * kMessages);
    EXPECT_EQ(heard, kRounds * kMessages);
    EXPECT_GT(forger.count(), 1000u);
    EXPECT_GT(errors.drain(20 * kRounds) + (errors.has_refused() ? 1 : 0), 0u)
        << "they reached the socket";
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
  if (!is_able) GTEST_SKIP() << "no raw sockets here";
}

// Errors wait in the receive buffer: so many that they fill it leave no room for a member's words.
TEST(ForgedErrors, AFloodIsNotListenedToForAWhile) {
  bool is_able = false;
  const std::string reason = in_own_network([&is_able] {
    const UniqueFd fd = open_udp_socket(resolve("127.0.0.1", 0).value()).value();
    set_buffer_bytes(fd.get(), SO_RCVBUF, 200'000);
    ErrorQueue errors(kernel_io(), fd.get(), AF_INET);
    UdpReceiver receiver(kernel_io(), fd.get());
    const SocketAddress there("127.0.0.1", local_endpoint(fd.get()).port);
    const UniqueFd raw(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
    is_able = static_cast<bool>(raw);
    if (!is_able) return;
    const auto forge = [&](int count) {
      const Forgery forgery(ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, local_endpoint(fd.get()).port);
      sockaddr_in to{};
      to.sin_family = AF_INET;
      to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      while (count-- > 0) {
        (void)::sendto(raw.get(), &forgery, sizeof forgery, 0,
                       reinterpret_cast<const sockaddr*>(&to), sizeof to);
      }
    };
    const auto hears = [&] {
      UdpPeer member;
      member.send(there, "said");
      receiver.receive();
      if (!receiver.has_next()) return false;
      receiver.next();
      return true;
    };
    TimeMs now_ms = 1'000'000;
    for (const TimeMs deaf_ms : {1'000u, 2'000u, 4'000u}) {
      SCOPED_TRACE(deaf_ms);
      std::size_t heard = 0;
      for (int i = 0; i < 100; ++i) {
        forge(100);
        heard += errors.drain(now_ms);
      }
      EXPECT_GE(heard, 2'000u);
      EXPECT_LE(heard, 2'100u) << "a tenth of a second's worth";
      forge(5'000);
      EXPECT_TRUE(hears()) << "the buffer is full of errors";
      EXPECT_EQ(errors.drain(now_ms), 0u);

      now_ms += deaf_ms;
      errors.look_after(now_ms - 1);
      forge(1);
      EXPECT_EQ(errors.drain(now_ms - 1), 0u) << "too early";
      errors.look_after(now_ms);
      forge(1);
      EXPECT_EQ(errors.drain(now_ms), 1u);
      EXPECT_TRUE(errors.has_refused());
    }
    // What members themselves can cause is heard, whatever has been before.
    for (int ms = 0; ms < 1'000; ++ms) {
      forge(20);
      ASSERT_EQ(errors.drain(++now_ms), 20u);
    }
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
  if (!is_able) GTEST_SKIP() << "no raw sockets here";
}

}  // namespace
}  // namespace chatd::test
