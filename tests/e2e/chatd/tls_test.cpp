// Control over TLS: the same answers as without, and who has come to the wrong port is told so.
#include <regex>
#include <string>
#include <vector>

#include "tests/e2e/chatd/server_test.h"
#include "tests/support/tls_peer.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

class Tls : public ServerTest {
 protected:
  testing::AssertionResult says(std::string_view text) {
    if (server().process().wait_for_text(Stream::kStderr, text)) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "not said: " << text << "\n" << server().diagnosis();
  }
  // That the port serves others all the same.
  testing::AssertionResult serves() {
    TlsPeer peer(server().tls());
    if (peer.request(list_request()).completed) return testing::AssertionSuccess();
    return testing::AssertionFailure() << peer.failure() << "\n" << server().diagnosis();
  }
};

TEST_F(Tls, AMemberThatHasJoinedOverItTalks) {
  ASSERT_NO_FATAL_FAILURE(start());
  TlsPeer peer(server().tls());
  ASSERT_TRUE(peer.connected()) << peer.failure();
  EXPECT_EQ(peer.protocol(), "chatd/2");
  auto alice = Member::create(server(), "room", "alice", {.control = &peer});
  auto bob = Member::join(server(), "room", "bob");
  ASSERT_TRUE(alice && bob);
  EXPECT_TRUE(alice->hears_joined("bob"));
  EXPECT_TRUE(alice->hears(bob->say("hello")));
  EXPECT_TRUE(bob->hears(alice->say("hello")));
  const Counters counted = totals();
  EXPECT_EQ(counted["tls_handshakes"], 1U);
  EXPECT_EQ(counted["tls_handshakes_resumed"], 0U);
  EXPECT_EQ(counted["connections_accepted"], 2U);
}

// Each answer byte for byte, but for tokens.
TEST_F(Tls, AnswersAsThePortWithoutDoes) {
  ASSERT_NO_FATAL_FAILURE(start());
  const std::regex token(R"("token":"[0-9a-f]{32}")");
  const auto talk = [&](ControlPeer& peer, const std::string& room) {
    std::vector<std::string> heard;
    const auto greeting = peer.read_greeting();
    heard.push_back(greeting ? greeting->payload : "no greeting");
    for (const Frame& each :
         {create_request(room, "alice"), create_request(room, "alice"), join_request(room, "bob"),
          join_request(room, "bob"), join_request("nowhere", "bob"),
          Frame{.operation = 9, .room = room, .payload = "{}"},
          Frame{.operation = kJoinRoom, .room = room, .payload = "no JSON"}}) {
      const Answer answer = peer.request(each);
      heard.push_back(answer.accepted ? encode(*answer.accepted) : "");
      heard.push_back(answer.completed ? encode(*answer.completed) : "no answer");
      heard.back() = std::regex_replace(heard.back(), token, "token");
    }
    return heard;
  };
  TcpPeer plain(server().tcp());
  const auto without = talk(plain, "room1");
  TlsPeer encrypted(server().tls());
  auto with = talk(encrypted, "room2");
  EXPECT_NE(with[0].find("room1"), std::string::npos) << "the greeting is of now";
  with[0] = without[0];
  for (std::string& each : with) each = std::regex_replace(each, std::regex("room2"), "room1");
  EXPECT_EQ(with, without);
}

// A list of more than a record's 16 KiB, and more requests at once than a record holds.
TEST_F(Tls, CarriesMuchInBothDirections) {
  ASSERT_NO_FATAL_FAILURE(start());
  TlsPeer peer(server().tls());
  constexpr int kRooms = 400;
  std::string all;
  for (int i = 0; i < kRooms; ++i) {
    const std::string room = std::to_string(i) + std::string(200, 'r');
    all += encode(create_request(room, "somebody with a long name"));
  }
  ASSERT_TRUE(peer.read_greeting());
  ASSERT_TRUE(peer.send(all));
  for (int i = 0; i < kRooms; ++i) ASSERT_NE(peer.read_answer().status(), -1) << i;
  const Answer list = peer.request(list_request());
  ASSERT_TRUE(list.completed);
  EXPECT_GT(list.completed->payload.size(), 20'000U);
}

TEST_F(Tls, ATicketSavesTheSignatureOnce) {
  ASSERT_NO_FATAL_FAILURE(start());
  TlsPeer first(server().tls());
  ASSERT_TRUE(first.read_greeting());
  ASSERT_TRUE(first.ticket());
  TlsPeer second(server().tls(), {.ticket = first.ticket()});
  EXPECT_EQ(second.create("room", fields_of("alice")).status(), 201);
  EXPECT_TRUE(second.is_resumed());
  const Counters counted = totals();
  EXPECT_EQ(counted["tls_handshakes"], 2U);
  EXPECT_EQ(counted["tls_handshakes_resumed"], 1U);
}

TEST_F(Tls, NewKeysMayBeAskedForAtAnyTime) {
  ASSERT_NO_FATAL_FAILURE(start());
  TlsPeer peer(server().tls());
  for (int i = 0; i < 5; ++i) {
    peer.ask_for_new_keys();
    ASSERT_TRUE(peer.request(list_request()).completed) << peer.failure();
  }
}

TEST_F(Tls, BothSidesSayWhenItIsOver) {
  ASSERT_NO_FATAL_FAILURE(start());
  TlsPeer peer(server().tls());
  ASSERT_TRUE(peer.read_greeting());
  peer.finish_sending();
  EXPECT_EQ(peer.wait_end(), StreamEnd::kOrderly) << peer.failure();
  TlsPeer refused(server().tls());
  ASSERT_TRUE(refused.send(encode_header(0, kCreateRoom, kRequest, 1U << 29U)));
  EXPECT_EQ(refused.wait_end(), StreamEnd::kOrderly) << refused.failure();
  EXPECT_NE(refused.unread().find("413"), std::string::npos);
}

TEST_F(Tls, WhoOffersNoProtocolIsServedAndWhoOffersAnotherIsNot) {
  ASSERT_NO_FATAL_FAILURE(start());
  TlsPeer silent(server().tls(), {.protocol = ""});
  EXPECT_TRUE(silent.request(list_request()).completed) << silent.failure();
  TlsPeer web(server().tls(), {.protocol = "h2"});
  EXPECT_FALSE(web.connected());
  EXPECT_EQ(web.failure(), "tlsv1 alert no application protocol");
  EXPECT_TRUE(says("failed: it speaks other protocols than chatd/2 (ALPN)"));
  EXPECT_EQ(totals()["tls_failed_wrong_protocol"], 1U);
}

TEST_F(Tls, AnOldVersionIsRefused) {
  ASSERT_NO_FATAL_FAILURE(start());
  TlsPeer old(server().tls(), {.knows_tls13 = false});
  EXPECT_FALSE(old.connected());
  EXPECT_EQ(old.failure(), "tlsv1 alert protocol version");
  EXPECT_TRUE(says("failed: it does not speak TLS 1.3"));
  EXPECT_EQ(totals()["tls_failed_old_version"], 1U);
}

TEST_F(Tls, WhoSpeaksPlainTextIsAnsweredInPlainText) {
  ASSERT_NO_FATAL_FAILURE(start());
  const std::vector<std::string> words{encode(create_request("room", "alice")),
                                       encode(create_request("0123456789012345678901", "a")),
                                       encode(list_request()),
                                       "GET / HTTP/1.1\r\nHost: chat.example\r\n\r\n", "\n"};
  for (const std::string& word : words) {
    SCOPED_TRACE(word);
    TcpPeer peer(server().tls());
    ASSERT_TRUE(peer.send(word));
    const auto told = peer.read_frame();
    ASSERT_TRUE(told);
    EXPECT_EQ(JsonObject(told->payload).number("status"), 400);
    EXPECT_EQ(JsonObject(told->payload).text("message"),
              "this port speaks TLS 1.3 and nothing else: clients without TLS go to port " +
                  std::to_string(server().tcp().port()));
    EXPECT_EQ(peer.wait_end(), StreamEnd::kOrderly);
  }
  EXPECT_TRUE(says("failed: it speaks plain text, which --tcp-port is for"));
  EXPECT_TRUE(serves());
  EXPECT_EQ(totals()["tls_failed_plain_text"], words.size());
}

// It waits for a greeting, as the protocol without TLS has it.
TEST_F(Tls, AClientThatWaitsForAGreetingIsTold) {
  ASSERT_NO_FATAL_FAILURE(start({"--handshake-timeout", "100ms"}));
  TcpPeer peer(server().tls());
  const auto told = peer.read_frame();
  ASSERT_TRUE(told);
  EXPECT_EQ(JsonObject(told->payload).number("status"), 400);
  EXPECT_EQ(peer.wait_end(), StreamEnd::kOrderly);
  EXPECT_TRUE(says("it has said nothing, as a client does that is to go to --tcp-port"));
  EXPECT_EQ(totals()["tls_failed_timed_out"], 1U);
}

TEST_F(Tls, AHandshakeThatIsNotDoneInTimeEnds) {
  ASSERT_NO_FATAL_FAILURE(start({"--handshake-timeout", "100ms"}));
  TcpPeer slow(server().tls());
  ASSERT_TRUE(slow.send(std::string("\x16\x03\x01\x02\x00\x01", 6)));
  EXPECT_EQ(slow.wait_end(), StreamEnd::kOrderly);
  EXPECT_EQ(slow.unread(), "");
  EXPECT_TRUE(says("not done within --handshake-timeout"));
  // The same time is for the first request.
  TlsPeer idle(server().tls());
  ASSERT_TRUE(idle.read_greeting());
  EXPECT_EQ(idle.wait_end(), StreamEnd::kOrderly);
  const Counters counted = totals();
  EXPECT_EQ(counted["tls_failed_timed_out"], 1U);
  EXPECT_EQ(counted["connections_timed_out"], 1U);
}

TEST_F(Tls, WhoSpeaksTlsToThePortWithoutIsNoticed) {
  ASSERT_NO_FATAL_FAILURE(start());
  TlsPeer lost(server().tcp(), {});
  EXPECT_FALSE(lost.connected());
  EXPECT_TRUE(says("it speaks TLS, and has come to the port without; TLS is at port " +
                   std::to_string(server().tls().port())));
  const Counters counted = totals();
  EXPECT_EQ(counted["connections_tls_on_plain_port"], 1U);
  EXPECT_EQ(counted["frames_too_large"], 0U);
}

TEST_F(Tls, WhoHangsUpIsCounted) {
  ASSERT_NO_FATAL_FAILURE(start());
  {
    TcpPeer gone(server().tls());
    ASSERT_TRUE(gone.send(std::string("\x16\x03\x01\x02\x00\x01", 6)));
    gone.finish_sending();
    EXPECT_NE(gone.wait_end(), StreamEnd::kOpen);
  }
  EXPECT_TRUE(says("failed: it is broken off (it has hung up)"));
  EXPECT_TRUE(serves());
  EXPECT_EQ(totals()["tls_failed_ended"], 1U);
}

// Of more, who lets the server wait for longest gives way; who is quick is served.
TEST_F(Tls, HandshakesUnderWayAreLimited) {
  constexpr std::size_t kMost = 512;
  ASSERT_NO_FATAL_FAILURE(start({"--max-connections", "1000"}));
  std::vector<TcpPeer> silent;
  for (std::size_t i = 0; i < kMost; ++i) silent.emplace_back(server().tls());
  EXPECT_TRUE(serves());
  EXPECT_EQ(silent.front().wait_end(), StreamEnd::kOrderly);
  EXPECT_TRUE(says("a TLS handshake is given up: there are 512 under way"));
  EXPECT_EQ(totals()["tls_failed_over_limit"], 1U);
}

// As many as an address may open connections.
TEST_F(Tls, HandshakesOfOneAddressAreLimited) {
  ASSERT_NO_FATAL_FAILURE(
      start({"--limit-loopback", "--max-address-requests", "1", "--max-address-connections", "0"}));
  bool is_refused = false;
  for (int i = 0; i < 20 && !is_refused; ++i) {
    TlsPeer peer(server().tls());
    is_refused = !peer.connected();
    if (is_refused) {
      EXPECT_EQ(peer.failure(), "tlsv1 alert access denied");
    }
  }
  EXPECT_TRUE(is_refused);
  EXPECT_GT(totals()["connections_over_address_limit"], 0U);
}

// What openssl(1) makes of it, which is not our own idea of TLS.
TEST_F(Tls, OpensslAcceptsIt) {
  ASSERT_NO_FATAL_FAILURE(start());
  Process openssl({"/usr/bin/env", "openssl", "s_client", "-tls1_3", "-alpn", "chatd/2", "-connect",
                   server().tls().to_string()});
  EXPECT_TRUE(openssl.wait_for_line(Stream::kStdout, "ALPN protocol: chatd/2"));
  EXPECT_TRUE(openssl.wait_for_text(Stream::kStdout, R"({"rooms":{},"total":0})"));
}

TEST_F(Tls, CanBeSwitchedOff) {
  ASSERT_NO_FATAL_FAILURE(start({"--tls-port", "off"}));
  EXPECT_FALSE(server().has_tls());
  TlsPeer lost(server().tcp());
  EXPECT_TRUE(says("has come to the port without; there is none with it (--tls-port)"));
}

TEST_F(Tls, APortThatIsTakenIsAnErrorForWhoHasNamedIt) {
  ASSERT_NO_FATAL_FAILURE(start());
  const std::string taken = std::to_string(server().tls().port());
  Process second(
      {ChatdServer::program(), "--tcp-port", "0", "--udp-port", "0", "--tls-port", taken});
  const auto status = second.wait_exit();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 1);
  EXPECT_NE(second.captured(Stream::kStderr).find("choose another port with --tls-port"),
            std::string::npos)
      << second.captured(Stream::kStderr);
}

// Whichever of these two has the usual port, neither fails for it.
TEST_F(Tls, TheUsualPortMayBeTaken) {
  ChatdServer server({"--tls-port", "auto"});
  ChatdServer beside({"--tls-port", "auto"});
  ASSERT_TRUE(server.ready() && beside.ready()) << server.diagnosis() << beside.diagnosis();
  EXPECT_FALSE(beside.has_tls());
  EXPECT_NE(beside.diagnosis().find("chatd serves without TLS (--tls-port auto)"),
            std::string::npos)
      << beside.diagnosis();
}

}  // namespace
}  // namespace chatd::test
