// Whatever comes to the TLS port, in whatever pieces: the others are served, and nothing stays.
#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "tests/e2e/chatd/server_test.h"
#include "tests/support/process_figures.h"
#include "tests/support/tls_peer.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

class TlsGarbage : public ServerTest {
 protected:
  std::size_t roll(std::size_t below) { return random_() % below; }
  std::string noise(std::size_t size) {
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(random_());
    return bytes;
  }

  // A ClientHello of a real client, to be damaged.
  std::string client_hello();

  std::string something() {
    switch (roll(5)) {
      case 0:
        return noise(1 + roll(2000));
      case 1:  // the head of a record, and anything in it
        return std::string("\x16\x03\x01", 3) + noise(2 + roll(4000));
      case 2: {  // a real beginning, with a few bytes changed
        std::string hello = client_hello();
        for (std::size_t i = roll(4) + 1; i > 0; --i) {
          hello[roll(hello.size())] = static_cast<char>(random_());
        }
        return hello;
      }
      case 3:  // a real one, and then noise
        return client_hello() + noise(1 + roll(500));
      default:  // cut short
        return client_hello().substr(0, 1 + roll(200));
    }
  }

  // In pieces; the server may have closed.
  void say_in_pieces(TcpPeer& peer, std::string_view bytes) {
    while (!bytes.empty()) {
      const std::size_t count = std::min(bytes.size(), 1 + roll(roll(3) == 0 ? 2000 : 20));
      if (!peer.send(bytes.substr(0, count))) return;
      bytes.remove_prefix(count);
    }
  }

  static unsigned seed() {
    const char* const text = std::getenv("CHATD_TLS_SEED");
    return text != nullptr ? static_cast<unsigned>(std::strtoul(text, nullptr, 10)) : 20'261'127U;
  }

  std::mt19937 random_{seed()};
  std::string hello_;
};

// A listener of our own hears it.
std::string TlsGarbage::client_hello() {
  if (!hello_.empty()) return hello_;
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const SocketAddress anywhere("127.0.0.1", 0);
  EXPECT_EQ(::bind(listener.get(), anywhere.get(), anywhere.size()), 0);
  EXPECT_EQ(::listen(listener.get(), 1), 0);
  TlsPeer client(SocketAddress::local_of(listener.get()), {.waits = true});
  const UniqueFd accepted(::accept(listener.get(), nullptr, nullptr));
  client.begin();
  std::string bytes(4096, '\0');
  const ssize_t count = ::recv(accepted.get(), bytes.data(), bytes.size(), 0);
  EXPECT_GT(count, 100);
  hello_ = bytes.substr(0, static_cast<std::size_t>(std::max<ssize_t>(count, 1)));
  return hello_;
}

TEST_F(TlsGarbage, HarmsNobodyElse) {
  SCOPED_TRACE("CHATD_TLS_SEED=" + std::to_string(seed()));
  ASSERT_NO_FATAL_FAILURE(start({"--handshake-timeout", "300ms"}));
  TlsPeer control(server().tls());
  auto alice = Member::create(server(), "room", "alice", {.control = &control});
  auto bob = Member::join(server(), "room", "bob");
  ASSERT_TRUE(alice && bob);
  ASSERT_TRUE(alice->hears_joined("bob"));
  const auto descriptors = [&] { return open_descriptors(server().serving_pid()); };
  const std::size_t before = descriptors();
  constexpr int kRounds = 40;
  constexpr std::size_t kAtOnce = 10;
  std::uint64_t come = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<TcpPeer> peers;
    for (std::size_t i = 0; i < kAtOnce; ++i) {
      peers.emplace_back(server().tls());
      say_in_pieces(peers.back(), something());
      if (roll(4) == 0) peers.back().finish_sending();
    }
    come += kAtOnce;
    ASSERT_TRUE(bob->hears(alice->say("round " + std::to_string(round)))) << server().diagnosis();
    if (round % 8 == 0) {
      TlsPeer honest(server().tls());
      ASSERT_TRUE(honest.request(list_request()).completed) << honest.failure();
    }
  }
  // The control connections of alice and bob may have timed out by then.
  EXPECT_TRUE(wait_until([&] { return descriptors() <= before; })) << descriptors();
  const Counters counted = totals();
  EXPECT_EQ(counted.sum_of("tls_failed_"), come) << counted.to_string();
}

// After the handshake it is the record layer that hears it.
TEST_F(TlsGarbage, BehindTheHandshakeEndsOneConnection) {
  ASSERT_NO_FATAL_FAILURE(start());
  for (int i = 0; i < 20; ++i) {
    TlsPeer peer(server().tls());
    ASSERT_TRUE(peer.read_greeting());
    ASSERT_TRUE(peer.send_raw(roll(2) == 0 ? noise(1 + roll(100))
                                           : std::string("\x17\x03\x03\x00\x20", 5) + noise(32)));
    peer.finish_sending();
    EXPECT_NE(peer.wait_end(), StreamEnd::kOpen);
  }
  TlsPeer honest(server().tls());
  EXPECT_TRUE(honest.request(list_request()).completed) << honest.failure();
  EXPECT_GT(totals()["connections_broken"], 0U);
}

}  // namespace
}  // namespace chatd::test
