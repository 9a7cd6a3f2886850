// The TLS port at a hand-over: it stays, with its certificate and its tickets; connections to it
// end.
#include <csignal>
#include <fstream>
#include <string>
#include <vector>

#include "tests/e2e/chatd/handover_kit.h"
#include "tests/support/temporary_file.h"
#include "tests/support/tls_peer.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

using TlsHandover = Handover;

TEST_F(TlsHandover, ThePortStaysWithItsCertificateAndItsTickets) {
  ASSERT_NO_FATAL_FAILURE(start());
  TlsPeer before(server().tls());
  ASSERT_TRUE(before.read_greeting());
  TlsTicket ticket = before.ticket();
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(hand_over());
    TlsPeer after(server().tls(), {.ticket = ticket});
    ASSERT_TRUE(after.request(list_request()).completed) << after.failure();
    EXPECT_TRUE(after.is_resumed());
    ticket = after.ticket();
    TlsPeer afresh(server().tls());
    ASSERT_TRUE(afresh.request(list_request()).completed) << afresh.failure();
    EXPECT_EQ(afresh.fingerprint(), before.fingerprint());
  }
}

// What was asked before is answered before.
TEST_F(TlsHandover, ConnectionsEndInOrder) {
  ASSERT_NO_FATAL_FAILURE(start());
  TlsPeer peer(server().tls());
  auto alice = Member::create(server(), "room", "alice", {.control = &peer});
  ASSERT_TRUE(alice);
  TcpPeer plain(server().tcp());
  ASSERT_TRUE(plain.read_greeting());
  TlsPeer half(server().tls(), {.waits = true});
  ASSERT_TRUE(half.send_raw(std::string("\x16\x03\x01", 3)));
  ASSERT_TRUE(wait_until(
      [&] { return server().diagnosis().find("connection from") != std::string::npos; }));
  ASSERT_TRUE(hand_over());
  EXPECT_EQ(peer.wait_end(), StreamEnd::kOrderly) << peer.failure();
  EXPECT_EQ(peer.unread(), "");
  EXPECT_TRUE(says("TLS connections have ended with the hand-over"));
  EXPECT_TRUE(plain.request(list_request()).completed) << "without TLS it goes on";
  auto bob = Member::join(server(), "room", "bob");
  ASSERT_TRUE(bob);
  EXPECT_TRUE(alice->hears_joined("bob")) << "a member needs no connection";
  EXPECT_GE(totals()["connections_not_handed_over"], 1U);
}

// They are not counted against their address any more.
TEST_F(TlsHandover, AnAddressGetsItsPlacesBack) {
  ASSERT_NO_FATAL_FAILURE(start({"--limit-loopback", "--max-address-connections", "2"}));
  for (int i = 0; i < 3; ++i) {
    TlsPeer one(server().tls());
    TlsPeer two(server().tls());
    ASSERT_TRUE(one.read_greeting() && two.read_greeting()) << i << server().diagnosis();
    ASSERT_TRUE(hand_over());
    EXPECT_EQ(one.wait_end(), StreamEnd::kOrderly);
    EXPECT_EQ(two.wait_end(), StreamEnd::kOrderly);
  }
  EXPECT_EQ(totals()["connections_not_handed_over"], 6U);
}

// A process that cannot take over costs nobody a connection.
TEST_F(TlsHandover, OneThatFailsEndsNothing) {
  const TemporaryFile file("[limits]\nmax_rooms = 10\n");
  ASSERT_NO_FATAL_FAILURE(start({"--config", file.path()}));
  TlsPeer peer(server().tls());
  ASSERT_TRUE(peer.read_greeting());
  std::ofstream(file.path()) << "[network]\nhost = \"127.0.0.2\"\n";
  server().process().kill(SIGUSR1);
  ASSERT_TRUE(says("this one goes on"));
  EXPECT_EQ(peer.create("room", fields_of("alice")).status(), 201) << peer.failure();
}

}  // namespace
}  // namespace chatd::test
