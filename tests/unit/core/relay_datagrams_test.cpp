// A datagram's way through the relay: who may speak, from where, and what goes out unchanged.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/wire.h"
#include "tests/unit/core/relay_kit.h"

namespace chatd {
namespace {

using namespace test;

using Texts = std::vector<std::string>;

class Datagrams : public testing::Test {
 protected:
  void TearDown() override { EXPECT_TRUE(kit_.every_datagram_is_accounted_for()); }

  // Delivers one datagram and expects that it is dropped for this reason, and changes nothing else.
  void expect_dropped(Counter reason, const Endpoint& from, std::string_view datagram) {
    const std::uint64_t before = kit_.count(reason);
    const std::uint64_t accepted = kit_.count(Counter::kMessagesAccepted);
    kit_.deliver(from, datagram);
    EXPECT_EQ(kit_.count(reason), before + 1) << counter_name(reason);
    EXPECT_EQ(kit_.count(Counter::kMessagesAccepted), accepted);
    for (const Sent& sent : kit_.take()) EXPECT_EQ(sent.kind, Outbox::Kind::kAnswer);
  }

  RelayKit kit_;
  const Person alice_ = kit_.create("lobby", "alice");
  const Person bob_ = kit_.join("lobby", "bob");
  const Person carol_ = kit_.join("lobby", "carol");
  const Person stranger_ = kit_.create("den", "alice");
  const std::vector<Sent> notices_ = kit_.take();
};

TEST_F(Datagrams, GoToEveryOtherMemberAndNobodyElse) {
  const std::string payload = message_payload("bob", "hi");
  kit_.send(bob_, payload);
  const auto sent = kit_.take();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(heard_at(sent, alice_.from), Texts{payload});
  EXPECT_EQ(heard_at(sent, carol_.from), Texts{payload});
  for (const Sent& one : sent) EXPECT_EQ(one.kind, Outbox::Kind::kMessage);
  EXPECT_EQ(kit_.count(Counter::kMessagesAccepted), 1u);
  EXPECT_EQ(kit_.count(Counter::kDeliveriesPlanned), 2u);
}

TEST_F(Datagrams, EachMemberMaySpeak) {
  for (const Person& sender : {alice_, bob_, carol_}) {
    kit_.say(sender);
    const auto sent = kit_.take();
    EXPECT_EQ(sent.size(), 2u);
    EXPECT_TRUE(heard_at(sent, sender.from).empty());
  }
}

TEST_F(Datagrams, AreRelayedByteForByte) {
  for (const std::string_view payload :
       {R"({"sender":"alice"})", R"( {"message":"\u0068i\n", "s\u0065nder" : "alice"}  )",
        "\r\n{\"sender\":\"alice\",\"x\":[1.50,-0,{\"a\":\"\xf0\x9f\x98\x80\"}]}\t"}) {
    kit_.send(alice_, payload);
    EXPECT_EQ(heard_at(kit_.take(), bob_.from), Texts{std::string(payload)});
  }
}

TEST_F(Datagrams, MayBeAsLargeAsTheProtocolSaysAndNoLarger) {
  const std::size_t overhead = 2 + 5 + 32 + message_payload("alice", "").size();
  kit_.say(alice_, std::string(kMaxDatagramBytes - overhead, 'x'));
  EXPECT_EQ(kit_.take().size(), 2u);
  expect_dropped(Counter::kDroppedTooLarge, alice_.from,
                 encode_datagram(
                     "lobby", alice_.token,
                     message_payload("alice", std::string(kMaxDatagramBytes - overhead + 1, 'x'))));
}

TEST_F(Datagrams, TakeBothFormsOfTheToken) {
  const std::string payload = message_payload("alice", "hi");
  for (const std::string& token : {alice_.token, raw_token(alice_.token)}) {
    kit_.deliver(alice_.from, encode_datagram("lobby", token, payload));
    EXPECT_EQ(heard_at(kit_.take(), bob_.from), Texts{payload});
  }
}

TEST_F(Datagrams, WithoutPayloadAreHeartbeats) {
  for (const std::string& token : {alice_.token, raw_token(alice_.token)}) {
    kit_.deliver(alice_.from, encode_datagram("lobby", token, ""));
  }
  EXPECT_TRUE(kit_.take().empty());
  EXPECT_EQ(kit_.count(Counter::kHeartbeats), 2u);
}

TEST_F(Datagrams, WithBrokenHeadersAreDroppedInSilence) {
  const std::string good = encode_datagram("lobby", alice_.token, "");
  for (std::size_t size = 0; size < good.size(); ++size) {
    expect_dropped(Counter::kDroppedMalformed, alice_.from, good.substr(0, size));
  }
  expect_dropped(Counter::kDroppedMalformed, alice_.from,
                 encode_datagram("", alice_.token, message_payload("alice", "hi")));
  expect_dropped(Counter::kDroppedMalformed, alice_.from,
                 encode_datagram("lobby", std::string(31, '0'), message_payload("alice", "hi")));
  expect_dropped(Counter::kDroppedMalformed, alice_.from,
                 encode_datagram("lobby", std::string(32, 'g'), message_payload("alice", "hi")));
  EXPECT_EQ(kit_.count(Counter::kUnauthenticatedAnswers), 0u);
}

TEST_F(Datagrams, WithAGuessedTokenAreDropped) {
  const std::string payload = message_payload("alice", "hi");
  // Any single digit wrong: another shard, another slot, another secret.
  for (std::size_t digit = 0; digit < 32; ++digit) {
    std::string token = alice_.token;
    token[digit] = token[digit] == '0' ? '1' : '0';
    expect_dropped(Counter::kDroppedUnknownToken, alice_.from,
                   encode_datagram("lobby", token, payload));
  }
  expect_dropped(Counter::kDroppedUnknownToken, alice_.from,
                 encode_datagram("lobby", std::string(32, 'f'), payload));
  expect_dropped(Counter::kDroppedUnknownToken, alice_.from,
                 encode_datagram("lobby", std::string(32, '0'), payload));
}

TEST_F(Datagrams, WithATokenOfAMemberThatIsGoneAreDropped) {
  kit_.leave(bob_);
  kit_.take();
  expect_dropped(Counter::kDroppedUnknownToken, bob_.from,
                 encode_datagram("lobby", bob_.token, message_payload("bob", "hi")));
  // Not even when somebody else has its slot and its name.
  const Person next = kit_.join("lobby", "bob", bob_.from);
  ASSERT_EQ(next.token.substr(0, 8), bob_.token.substr(0, 8));
  kit_.take();
  expect_dropped(Counter::kDroppedUnknownToken, bob_.from,
                 encode_datagram("lobby", bob_.token, message_payload("bob", "hi")));
}

TEST_F(Datagrams, WithAnotherRoomsNameAreDropped) {
  for (const std::string_view room : {"den", "nowhere", "Lobby", "lobb", "lobbyy"}) {
    expect_dropped(Counter::kDroppedWrongRoom, alice_.from,
                   encode_datagram(room, alice_.token, message_payload("alice", "hi")));
  }
  expect_dropped(Counter::kDroppedWrongRoom, stranger_.from,
                 encode_datagram("lobby", stranger_.token, message_payload("alice", "hi")));
}

TEST_F(Datagrams, FromAnotherAddressAreDropped) {
  const std::string datagram =
      encode_datagram("lobby", alice_.token, message_payload("alice", "hi"));
  const Endpoint other_port = {alice_.from.ip, static_cast<std::uint16_t>(alice_.from.port + 999)};
  for (const Endpoint& from :
       {other_port, at("127.0.0.2", alice_.from.port), at("::1", alice_.from.port), bob_.from,
        Endpoint{alice_.from.ip, 0}}) {
    expect_dropped(Counter::kDroppedWrongAddress, from, datagram);
  }
  // Leaving and heartbeats are no exception.
  expect_dropped(Counter::kDroppedWrongAddress, other_port,
                 encode_datagram("lobby", alice_.token, leave_payload("alice")));
  expect_dropped(Counter::kDroppedWrongAddress, other_port,
                 encode_datagram("lobby", alice_.token, ""));
  kit_.say(alice_);
  EXPECT_EQ(kit_.take().size(), 2u);
}

TEST_F(Datagrams, InAnotherNameAreDroppedInSilence) {
  for (const std::string_view payload :
       {R"({"sender":"bob","message":"x"})", R"({"sender":"Server","message":"x"})",
        R"({"sender":"system","operation":1,"username":"alice","message":"x"})",
        R"({"sender":"system","operation":2,"username":"bob"})", R"({"message":"x"})",
        R"({"sender":"alice","sender":"bob"})"}) {
    expect_dropped(Counter::kDroppedWrongSender, alice_.from,
                   encode_datagram("lobby", alice_.token, payload));
  }
  EXPECT_EQ(kit_.count(Counter::kUnauthenticatedAnswers), 0u);
  EXPECT_EQ(kit_.relay.roster().members().size(), 4u);
}

TEST_F(Datagrams, ThatAreNotOneObjectAreDroppedInSilence) {
  for (const std::string_view payload :
       {"hi", "{", "[]", "{\"sender\":\"alice\",\"message\":\"\xff\"}", R"({"sender":"alice"}})"}) {
    expect_dropped(Counter::kDroppedBadPayload, alice_.from,
                   encode_datagram("lobby", alice_.token, payload));
  }
  expect_dropped(Counter::kDroppedBadPayload, alice_.from,
                 encode_datagram("lobby", alice_.token, std::string(4'000, '[')));
  EXPECT_EQ(kit_.count(Counter::kUnauthenticatedAnswers), 0u);
}

TEST_F(Datagrams, FromAMemberAloneGoNowhere) {
  kit_.say(stranger_);
  EXPECT_TRUE(kit_.take().empty());
  EXPECT_EQ(kit_.count(Counter::kMessagesAccepted), 1u);
  EXPECT_EQ(kit_.count(Counter::kDeliveriesPlanned), 0u);
}

TEST_F(Datagrams, AreSeveralInOneBatch) {
  kit_.say(alice_, "one");
  kit_.say(bob_, "two");
  kit_.say(alice_, "three");
  kit_.say(stranger_, "four");
  const auto sent = kit_.take();
  EXPECT_EQ(heard_at(sent, carol_.from),
            (Texts{message_payload("alice", "one"), message_payload("bob", "two"),
                   message_payload("alice", "three")}));
  EXPECT_EQ(heard_at(sent, alice_.from), Texts{message_payload("bob", "two")});
  EXPECT_TRUE(heard_at(sent, stranger_.from).empty());
}

}  // namespace
}  // namespace chatd
