// What is said under a room's key: who can read it, and what its server can do with it.
#include "client/lib/room_cipher.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/client/log_person.h"
#include "tests/unit/core/document_examples.h"

namespace chatd {
namespace {

using client::Event;
using client::RoomCipher;
using client::RoomKey;
using test::create;
using test::join;
using test::LogPerson;
using test::LogWorld;
using test::PlainMember;
using Kind = client::Event::Kind;
using Result = RoomCipher::Result;

constexpr std::string_view kPassphrase = "correct horse battery staple";

// A tenth of a second each, so once.
const RoomKey& kitchen_key() {
  static const RoomKey kKey = RoomKey::derive(kPassphrase, "kitchen").value();
  return kKey;
}

const RoomKey& another_key() {
  static const RoomKey kKey = RoomKey::derive("Tr0ub4dor&3", "kitchen").value();
  return kKey;
}

RoomCipher::Stream stream_of(unsigned char byte) {
  RoomCipher::Stream stream;
  stream.fill(byte);
  return stream;
}

RoomCipher cipher(unsigned char stream, const RoomKey& key = kitchen_key(),
                  const std::string& room = "kitchen") {
  return {key, room, stream_of(stream)};
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return text;
}

TEST(RoomCipher, OpensWhatItsKeyHasSealed) {
  RoomCipher alice = cipher(1);
  RoomCipher bob = cipher(2);
  std::string text;
  for (const std::string_view said : {"hello", "", "caf\u00e9", "hello"}) {
    const std::string sealed = alice.seal("alice", said);
    EXPECT_EQ(sealed.size(), said.size() + RoomCipher::kOverheadBytes);
    ASSERT_EQ(bob.open("alice", sealed, text), Result::kOpened);
    EXPECT_EQ(text, said);
  }
}

// Another room, another passphrase, another speaker: for each there is somebody who would gain.
TEST(RoomCipher, OpensNothingElse) {
  const std::string sealed = cipher(1).seal("alice", "hello");
  std::string text;
  EXPECT_EQ(cipher(2, another_key()).open("alice", sealed, text), Result::kFailed);
  EXPECT_EQ(cipher(2, kitchen_key(), "cellar").open("alice", sealed, text), Result::kFailed);
  EXPECT_EQ(cipher(2).open("bob", sealed, text), Result::kFailed);
  // Nor if what belongs to one name is put to the other.
  EXPECT_EQ(cipher(2, kitchen_key(), "kitchena").open("lice", sealed, text), Result::kFailed);
  EXPECT_EQ(cipher(2).open("alice", sealed, text), Result::kOpened);
  EXPECT_NE(RoomKey::derive(kPassphrase, "cellar").value().bytes(), kitchen_key().bytes());
}

TEST(RoomCipher, TheSealCoversEveryBit) {
  const std::string sealed = cipher(1).seal("alice", "hello");
  RoomCipher bob = cipher(2);
  std::string text;
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string changed = sealed;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ 1 << bit % 8);
    EXPECT_EQ(bob.open("alice", changed, text), Result::kFailed) << bit;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_EQ(bob.open("alice", sealed.substr(0, size), text), Result::kFailed) << size;
  }
  EXPECT_EQ(bob.open("alice", sealed, text), Result::kOpened) << "none of that has counted";
}

TEST(RoomCipher, WhatComesAgainIsKnown) {
  RoomCipher alice = cipher(1);
  RoomCipher alice_at_home = cipher(3);
  RoomCipher bob = cipher(2);
  std::vector<std::string> said;
  for (int i = 0; i < 10; ++i) {
    said.push_back(alice.seal("alice", "yes"));
    said.push_back(alice_at_home.seal("alice", "yes"));
  }
  std::string text;
  for (auto one = said.rbegin(); one != said.rend(); ++one) {  // in whatever order
    EXPECT_EQ(bob.open("alice", *one, text), Result::kOpened);
  }
  for (const std::string& one : said) {
    EXPECT_EQ(bob.open("alice", one, text), Result::kRepeated);
  }
}

TEST(RoomCipher, RemembersSoManyStreamsAndNoMore) {
  RoomCipher bob = cipher(2);
  std::string text;
  std::string first;
  std::string last;
  for (std::size_t i = 0; i <= RoomCipher::kMaxStreams; ++i) {
    RoomCipher::Stream stream = stream_of(0);
    stream[0] = static_cast<unsigned char>(i);
    stream[1] = static_cast<unsigned char>(i >> 8);
    last = RoomCipher(kitchen_key(), "kitchen", stream).seal("alice", "hello");
    if (i == 0) first = last;
    ASSERT_EQ(bob.open("alice", last, text), Result::kOpened);
  }
  EXPECT_EQ(bob.open("alice", last, text), Result::kRepeated);
  EXPECT_EQ(bob.open("alice", first, text), Result::kOpened) << "the oldest is forgotten";
}

// docs/reference/protocol-v2.md
TEST(RoomCipher, IsAsTheDocumentSays) {
  auto examples = test::read_examples("docs/reference/protocol-v2.md");
  const auto& bytes = kitchen_key().bytes();
  EXPECT_EQ(hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()}),
            hex(examples["room-key"]));
  RoomCipher alice = cipher(0xa1);
  alice.seal("alice", "the one before");
  EXPECT_EQ(hex(alice.seal("alice", "hello")), hex(examples["sealed-message"]));
}

// --- In a room -----------------------------------------------------------------------------------

client::LogMember::Options under(const RoomKey& key, unsigned char stream) {
  return {.cipher = std::make_unique<RoomCipher>(cipher(stream, key))};
}

Event last_said(const LogPerson& who) {
  for (auto event = who.events().rbegin(); event != who.events().rend(); ++event) {
    if (event->kind == Kind::kMessage || event->kind == Kind::kUnreadable) return *event;
  }
  return {};
}

TEST(LogMemberUnderAKey, IsReadByWhoHasItAndSeenByWhoHasNot) {
  LogWorld world;
  LogPerson alice(world, create("alice"), under(kitchen_key(), 1));
  LogPerson bob(world, join("bob"), under(kitchen_key(), 2));
  LogPerson carol(world, join("carol"), under(another_key(), 3));
  LogPerson dan(world, join("dan"));
  const PlainMember erin = world.join_v1("kitchen", "erin");
  world.run_for(100);
  alice.say("the keys are under the mat");
  world.run_for(100);
  for (const LogPerson* const who : {&alice, &bob}) {
    const Event said = last_said(*who);
    EXPECT_EQ(said.kind, Kind::kMessage);
    EXPECT_EQ(said.name, "alice");
    EXPECT_EQ(said.text, "the keys are under the mat");
    EXPECT_EQ(said.is_sealed, true);
    EXPECT_EQ(said.is_own, who == &alice);
  }
  EXPECT_EQ(alice.count(Kind::kDelivered), 1);
  const Event for_carol = last_said(carol);
  EXPECT_EQ(for_carol.kind, Kind::kUnreadable);
  EXPECT_EQ(for_carol.name, "alice");
  EXPECT_EQ(for_carol.text, "it is sealed under another room key");
  const Event for_dan = last_said(dan);
  EXPECT_EQ(for_dan.kind, Kind::kUnreadable);
  EXPECT_EQ(for_dan.text, "it is sealed under a room key, and none is given");
  EXPECT_TRUE(world.heard_by_v1[erin.from.port].empty());
}

// What has no seal may be the server's own invention.
TEST(LogMemberUnderAKey, IsToldWhatIsNotUnderIt) {
  LogWorld world;
  LogPerson alice(world, create("alice"), under(kitchen_key(), 1));
  LogPerson dan(world, join("dan"));
  const PlainMember erin = world.join_v1("kitchen", "erin");
  world.run_for(100);
  dan.say("hello");
  world.run_for(100);
  EXPECT_EQ(last_said(alice).text, "hello");
  EXPECT_EQ(last_said(alice).is_sealed, false);
  EXPECT_FALSE(last_said(dan).is_sealed.has_value()) << "dan has no key";
  world.deliver(erin.from, erin.with("kitchen", R"({"sender":"erin","message":"tea"})"));
  world.run_for(100);
  EXPECT_EQ(last_said(alice).text, "tea");
  EXPECT_EQ(last_said(alice).is_sealed, false);
}

// The server says what alice has said, in her name and in bob's.
TEST(LogMemberUnderAKey, ASealedMessageCannotBeSaidAgain) {
  LogWorld world;
  LogPerson alice(world, create("alice"), under(kitchen_key(), 1));
  LogPerson bob(world, join("bob"), under(kitchen_key(), 2));
  world.run_for(100);
  RoomCipher same = cipher(1);
  const std::string bytes = same.seal("alice", "yes");  // as alice's next message will be
  alice.say("yes");
  world.run_for(100);
  EXPECT_EQ(bob.log(), std::vector<std::string>{"alice: yes"});
  auto& carol = world.join("kitchen", "carol");
  carol.session->say(world.now_ms, bytes, v2::ContentType::kSealed);
  world.run_for(100);
  EXPECT_EQ(last_said(bob).kind, Kind::kUnreadable);
  EXPECT_EQ(last_said(bob).name, "carol");
  std::string text;
  RoomCipher listener = cipher(9);
  EXPECT_EQ(listener.open("alice", bytes, text), Result::kOpened);
  EXPECT_EQ(listener.open("alice", bytes, text), Result::kRepeated);
}

// Names and texts are valid UTF-8 for whoever shows them, whatever somebody with the key has
// sealed.
TEST(LogMemberUnderAKey, WhatIsSealedAndNotTextIsNotShown) {
  LogWorld world;
  LogPerson alice(world, create("alice"), under(kitchen_key(), 1));
  auto& carol = world.join("kitchen", "carol");
  world.run_for(100);
  carol.session->say(world.now_ms, cipher(2).seal("carol", "caf\xe9"), v2::ContentType::kSealed);
  world.run_for(100);
  EXPECT_EQ(last_said(alice).kind, Kind::kUnreadable);
  EXPECT_EQ(last_said(alice).text, "it is not text");
}

// It is sealed once, so that whoever has heard it knows it again.
TEST(LogMemberUnderAKey, WhatIsSaidAgainAfterALossIsToldOnce) {
  LogWorld world;
  LogPerson alice(world, create("alice"), under(kitchen_key(), 1));
  LogPerson bob(world, join("bob"), under(kitchen_key(), 2));
  world.run_for(100);
  world.network.loss = 0.3;
  std::vector<std::string> said;
  for (int i = 0; i < 100; ++i) {
    said.push_back("alice: " + std::to_string(i));
    alice.say(std::to_string(i));
    world.run_for(20);
  }
  world.network.loss = 0;
  world.run_for(20'000);
  EXPECT_EQ(bob.log(), said);
  EXPECT_EQ(bob.count(Kind::kUnreadable), 0);
}

TEST(LogMemberUnderAKey, HasRoomForTheSeal) {
  LogWorld world;
  LogPerson alice(world, create("alice"), under(kitchen_key(), 1));
  LogPerson bob(world, join("bob"), under(kitchen_key(), 2));
  world.run_for(100);
  const std::string longest(1'100 - RoomCipher::kOverheadBytes, 'x');
  EXPECT_FALSE((*alice).check(longest + "x").has_value());
  ASSERT_TRUE((*alice).check(longest).has_value());
  alice.say(longest);
  world.run_for(100);
  EXPECT_EQ(last_said(bob).text, longest);
}

// Everything that the server has ever had of it: requests, datagrams that it opened, its log.
TEST(LogMemberUnderAKey, TheServerHasNothingButBytes) {
  const std::string secret = "the keys are under the mat";
  for (const bool has_key : {false, true}) {
    LogWorld world;
    LogPerson alice(world, create("alice"),
                    has_key ? under(kitchen_key(), 1) : client::LogMember::Options{});
    LogPerson bob(world, join("bob"),
                  has_key ? under(kitchen_key(), 2) : client::LogMember::Options{});
    world.run_for(100);
    alice.say(secret);
    world.run_for(100);
    EXPECT_EQ(last_said(bob).text, secret);
    bool is_seen = false;
    for (const auto& room : world.relay->snapshot().rooms) {
      for (const auto& entry : room.entries) {
        is_seen = is_seen || entry.payload.find(secret) != std::string::npos;
      }
    }
    EXPECT_EQ(is_seen, !has_key) << "without a key it is there, so the look is a look";
  }
}

}  // namespace
}  // namespace chatd
