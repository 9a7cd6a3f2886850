// Nothing is allocated for a datagram after construction: whatever it holds, whoever sends it, and
// also when it binds or moves a member. (A leave is another matter: it changes the roster.)
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "core/crypto/packet_key.h"
#include "core/wire/v1/payload.h"
#include "core/wire/v2/frames.h"
#include "tests/support/wire.h"
#include "tests/unit/core/allocation/counted_new.h"
#include "tests/unit/core/relay_kit.h"

namespace chatd {
namespace {

using namespace test;

struct Datagram {
  Endpoint from;
  std::string bytes;
};

Datagram from(const Person& who, std::string_view payload) {
  return {who.from, encode_datagram(who.room, who.token, payload)};
}

class Allocations : public testing::Test {
 protected:
  // How many allocations it takes to handle all of these, `rounds` times. The receive buffer and
  // the outbox are as the server has them.
  static std::uint64_t count(Relay& relay, const std::vector<Datagram>& datagrams, int rounds = 3) {
    Outbox out(4'096, Limits{}.max_room_members);
    std::array<char, 64 * 1024> buffer{};
    TimeMs now_ms = RelayKit::kStartMs;
    const std::uint64_t before = allocation_count();
    const auto serve = [&] {
      for (; relay.has_waiting(); out.clear()) relay.serve_rooms(out);
    };
    for (int round = 0; round < rounds; ++round) {
      for (const Datagram& datagram : datagrams) {
        std::copy(datagram.bytes.begin(), datagram.bytes.end(), buffer.begin());
        relay.on_datagram(now_ms++, datagram.from, {buffer.data(), datagram.bytes.size()}, out);
        if (out.is_full()) out.clear();
        if (now_ms % 1'000 == 0) serve();
      }
      serve();
    }
    return allocation_count() - before;
  }
};

TEST_F(Allocations, AreCounted) {
  const std::uint64_t before = allocation_count();
  const std::string text(1'000, 'x');
  const auto aligned = std::make_unique<std::array<Endpoint, 100>>();
  EXPECT_EQ(allocation_count(), before + 2);
}

TEST_F(Allocations, NoneForMessagesOfAnySizeToRoomsOfAnySize) {
  RelayKit kit;
  for (const int members : {1, 2, 10, 1'000}) {
    const std::string room = "room" + std::to_string(members);
    std::vector<Person> people = {kit.create(room, "m0")};
    for (int i = 1; i < members; ++i) people.push_back(kit.join(room, "m" + std::to_string(i)));
    kit.take();
    std::vector<Datagram> datagrams;
    for (const std::size_t size : {0u, 1u, 64u, 500u, 1'400u, 3'900u}) {
      datagrams.push_back(from(people.front(), message_payload("m0", std::string(size, 'x'))));
      datagrams.push_back(
          from(people.back(), message_payload(people.back().name, std::string(size, '"'))));
      if (datagrams.back().bytes.size() > kMaxDatagramBytes) datagrams.pop_back();
    }
    const std::uint64_t accepted = kit.count(Counter::kMessagesAccepted);
    EXPECT_EQ(count(kit.relay, datagrams), 0u) << members;
    EXPECT_EQ(kit.count(Counter::kMessagesAccepted), accepted + 3 * datagrams.size());
  }
}

// With several shards the indexes start small: they grow at a join, never at the datagram that
// binds a member.
TEST_F(Allocations, NoneForBindingWhereIndexesHaveGrown) {
  RelayConfig config;
  config.limits.max_members = 4'000;
  config.shards = ShardMap(8, {});
  std::string room = "room";
  while (config.shards.of_room(room) != config.shard) room += "m";
  RelayKit kit(config);
  // As a connection of this shard whose address is counted here.
  const auto enter = [&](std::uint8_t operation, int i) {
    PeerShards peers;
    std::string reply;
    const std::string payload =
        join_payload({.username = "m" + std::to_string(i), .ip = "", .port = 0, .password = ""});
    const FrameView frame{.operation = operation, .state = 0, .room = room, .payload = payload};
    EXPECT_TRUE(
        kit.relay.on_request(kit.now_ms, {}, ip("127.0.0.1"), frame, peers, reply, kit.out));
    kit.out.clear();
  };
  enter(kCreateRoom, 0);
  for (int i = 1; i < 3'000; ++i) enter(kJoinRoom, i);
  ASSERT_EQ(kit.relay.roster().members().size(), 3'000u);

  std::vector<Datagram> datagrams;
  for (std::uint32_t slot = 0; slot < 3'000; ++slot) {
    datagrams.push_back(
        {at("127.0.0.1", static_cast<std::uint16_t>(10'000 + slot)),
         encode_datagram(room, kit.relay.roster().members()[slot].token.hex(), "")});
  }
  EXPECT_EQ(count(kit.relay, datagrams, 1), 0u);
  EXPECT_EQ(kit.count(Counter::kHeartbeats), 3'000u);
  EXPECT_EQ(kit.relay.roster().find_bound(at("127.0.0.1", 12'999)), 2'999u);
}

// The payloads that ask most of the parser's memory.
TEST_F(Allocations, NoneForTheDensestJson) {
  RelayKit kit;
  const Person alice = kit.create("r", "a");
  kit.join("r", "b");
  const std::size_t room_left = kMaxDatagramBytes - 2 - 1 - 32;
  std::vector<Datagram> datagrams;
  for (const std::string_view unit : {"1,", "[],", "{},", "\"\",", "\"\\u0041\",", "1e1,"}) {
    std::string payload = R"({"sender":"a","x":[)";
    while (payload.size() + unit.size() + 3 <= room_left) payload += unit;
    datagrams.push_back(from(alice, payload + "1]}"));
  }
  datagrams.push_back(from(alice, R"({"sender":"a","x":)" + std::string(1'000, '[') + "1" +
                                      std::string(1'000, ']') + "}"));
  EXPECT_EQ(count(kit.relay, datagrams), 0u);
  EXPECT_EQ(kit.count(Counter::kMessagesAccepted), 3 * datagrams.size());
}

TEST_F(Allocations, NoneForHeartbeats) {
  RelayKit kit;
  const Person alice = kit.create("lobby", "alice");
  Datagram raw = from(alice, "");
  raw.bytes = encode_datagram("lobby", raw_token(alice.token), "");
  EXPECT_EQ(count(kit.relay, {from(alice, ""), raw}, 100), 0u);
  EXPECT_EQ(kit.count(Counter::kHeartbeats), 200u);
}

TEST_F(Allocations, NoneForWhateverIsDropped) {
  RelayKit kit;
  const Person alice = kit.create("lobby", "alice");
  const Person bob = kit.join_pending("lobby", "bob", at("127.0.0.1", 5));
  kit.create("den", "carol");
  const std::string payload = message_payload("alice", "long enough to be worth an answer");
  Person elsewhere = alice;
  elsewhere.from = at("192.0.2.7", 7);
  const std::vector<Datagram> datagrams = {
      {alice.from, ""},
      {alice.from, std::string(100, '\xff')},
      {alice.from, std::string(5'000, 'x')},
      {alice.from, encode_datagram("lobby", std::string(32, 'f'), payload)},
      {alice.from, encode_datagram("lobby", std::string(16, '\0'), payload)},
      {alice.from, encode_datagram("den", alice.token, payload)},
      from(elsewhere, payload),
      {at("192.0.2.7", 7), encode_datagram("lobby", bob.token, payload)},  // pending, and elsewhere
      from(alice, R"({"sender":"bob"})"),
      from(alice, R"({"sender":"alice","sender":"alice"})"),
      from(alice, "not JSON"),
      from(alice, std::string(4'000, '[')),
      from(alice, "{\"sender\":\"\xff\"}"),
      from(alice, payload),  // and its only listener is pending
  };
  EXPECT_EQ(count(kit.relay, datagrams, 10), 0u);
  for (const Counter reason :
       {Counter::kDroppedMalformed, Counter::kDroppedTooLarge, Counter::kDroppedUnknownToken,
        Counter::kDroppedWrongRoom, Counter::kDroppedWrongAddress, Counter::kDroppedWrongSender,
        Counter::kDroppedBadPayload, Counter::kDroppedPendingMember}) {
    EXPECT_GE(kit.count(reason), 10u) << counter_name(reason);
  }
  EXPECT_GE(kit.count(Counter::kUnauthenticatedAnswers), 1u);
}

// For sources without number, as in a flood from spoofed addresses.
TEST_F(Allocations, NoneForAFloodOfStrangers) {
  RelayKit kit;
  std::vector<Datagram> flood;
  for (std::uint16_t i = 0; i < 10'000; ++i) {
    const IpAddress source = IpAddress::from_v4(
        {198, 51, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)});
    flood.push_back({{source, 5'000}, encode_datagram("r", std::string(32, 'a'), "x")});
    flood.back().bytes.append(100, 'x');
  }
  EXPECT_EQ(count(kit.relay, flood), 0u);
  EXPECT_GE(kit.count(Counter::kUnauthenticatedAnswers), 1'000u);
}

// Notices are copied into memory that the outbox has from the start, and has again after clear().
TEST_F(Allocations, NoneForABatchOfNoticesAfterTheOther) {
  Outbox out(4'096, 100);
  const std::string notice(1'000, 'x');
  const std::uint64_t before = allocation_count();
  for (int batch = 0; batch < 100; ++batch) {
    for (int i = 0; i < 60; ++i) out.open_copy(Outbox::Kind::kNotice, notice);
    out.clear();
  }
  EXPECT_EQ(allocation_count(), before);
}

// The first datagram of a pending member puts it into the index of endpoints.
TEST_F(Allocations, NoneForBindingAsManyMembersAsThereMayBe) {
  for (const std::uint32_t members : {1u, 14u, 25u, 1'000u, 1'790u}) {
    RelayConfig config;
    config.limits.max_members = members;
    RelayKit kit(config);
    kit.create("lobby", "m0", at("192.0.2.7", 1));
    std::vector<Datagram> beats;
    for (std::uint32_t i = 1; i < members; ++i) {
      const auto port = static_cast<std::uint16_t>(1'000 + i);
      beats.push_back(
          from(kit.join_pending("lobby", "m" + std::to_string(i), at("127.0.0.1", port)), ""));
    }
    kit.take();
    EXPECT_EQ(count(kit.relay, beats), 0u) << members;
    EXPECT_EQ(kit.count(Counter::kHeartbeats), 3 * beats.size());
    const auto room = kit.relay.roster().find_room("lobby").value();
    EXPECT_EQ(kit.relay.roster().rooms()[room].pending_members, 0u);
  }
}

// A table that fills with the marks of erased entries must not grow for it.
TEST_F(Allocations, NoneForMembersThatMoveAgainAndAgain) {
  for (const std::uint32_t members : {2u, 15u, 25u, 1'790u}) {
    RelayConfig config;
    config.limits.max_members = members;
    config.limits.roaming_same_ip = true;
    RelayKit kit(config);
    std::vector<Datagram> beats;
    for (std::uint32_t i = 0; i < members; ++i) {
      const std::string name = "m" + std::to_string(i);
      const Endpoint home = at("127.0.0.1", static_cast<std::uint16_t>(1'000 + i));
      Person person = i == 0 ? kit.create("lobby", name, home) : kit.join("lobby", name, home);
      for (const std::uint16_t step : std::vector<std::uint16_t>{10'000, 20'000, 30'000}) {
        person.from.port = static_cast<std::uint16_t>(home.port + step);
        beats.push_back(from(person, ""));
      }
    }
    kit.take();
    EXPECT_EQ(count(kit.relay, beats, 20), 0u) << members;
    EXPECT_EQ(kit.count(Counter::kHeartbeats), 20 * beats.size());
  }
}

// A member with protocol v2 whose datagrams a test seals with the key that the relay has for it.
class SealedSpeaker {
 public:
  SealedSpeaker(RelayKit& kit, std::uint8_t operation, const std::string& name, std::uint16_t port)
      : from_(at("127.0.0.1", port)) {
    const std::string payload = R"({"username": ")" + name + R"(", "ip": "", "port": 0, )" +
                                R"("password": "", "protocol": 2, "history": 100, )" +
                                R"("ciphers": ["chacha20-poly1305"]})";
    const FrameView frame{.operation = operation, .state = 0, .room = "lobby", .payload = payload};
    PeerShards nobody;
    std::string reply;
    EXPECT_TRUE(kit.relay.on_request(kit.now_ms, {.is_encrypted = true}, from_.ip, frame, nobody,
                                     reply, kit.out));
    const Roster& roster = kit.relay.roster();
    const auto slot = roster.find_member(roster.find_room("lobby").value(), name);
    session_ = roster.session_of(roster.members()[slot.value()]);
    sealer_.use(session_->cipher, session_->receive_key);
  }

  template <class Frame>
  Datagram with(const Frame& frame) {
    std::array<char, 4'096> frames;
    v2::ByteWriter writer(frames.data());
    v2::write_frame(writer, frame);
    const auto size_bytes = static_cast<std::size_t>(writer.end() - frames.data());
    std::string bytes(size_bytes + v2::kOverheadBytes, '\0');
    sealer_.seal(session_->id, next_packet_++, {frames.data(), size_bytes}, bytes.data());
    return {from_, bytes};
  }
  Datagram say(std::size_t size_bytes) {
    const std::string text(size_bytes, 'x');
    return with(v2::Say{.client_number = next_say_++, .bytes = text});
  }

 private:
  Endpoint from_;
  const Session* session_;
  Sealer sealer_;
  std::uint64_t next_packet_ = 0;
  std::uint64_t next_say_ = 1;
};

// Taken, refused, said twice, asked for, from another address, and what does not open.
TEST_F(Allocations, NoneForSealedDatagrams) {
  RelayConfig config;
  config.limits.abuse = AbuseLimits::none();
  config.ports = {.udp = 9000, .tls = 8001};
  RelayKit kit(config);
  SealedSpeaker alice(kit, kCreateRoom, "alice", 1'000);
  SealedSpeaker bob(kit, kJoinRoom, "bob", 1'001);
  kit.join("lobby", "carol");  // with protocol v1
  kit.take();
  std::vector<Datagram> datagrams;
  for (int i = 0; i < 2'000; ++i) {
    for (const std::size_t size : {128u, 1u, 1'100u}) datagrams.push_back(alice.say(size));
    datagrams.push_back(alice.say(0));      // refused
    datagrams.push_back(alice.say(1'101));  // too long
    datagrams.push_back(bob.with(v2::Say{.client_number = 1, .bytes = "again"}));
    datagrams.push_back(bob.with(
        v2::Have{.log_epoch = 1, .complete = 0, .wanted = 10'000, .range_count = 0, .ranges = {}}));
    datagrams.push_back(bob.with(v2::PathResponse{4'711}));
    datagrams.push_back(datagrams.back());  // replayed
    datagrams.push_back(bob.say(10));
    datagrams.back().from = at("192.0.2.7", 1'002);
    datagrams.push_back(bob.say(10));
    datagrams.back().bytes.back() ^= 1;
  }
  EXPECT_EQ(count(kit.relay, datagrams, 1), 0u);
  for (const Counter seen :
       {Counter::kMessagesAccepted, Counter::kSaysRefused, Counter::kSaysDuplicate,
        Counter::kHavesTaken, Counter::kEntriesRepaired, Counter::kDroppedReplayed,
        Counter::kDroppedNotOpened, Counter::kPathChallenges}) {
    EXPECT_GT(kit.count(seen), 0u) << counter_name(seen);
  }
}

// All the memory that a reader of payloads ever has is there from the start, or it is not made.
TEST_F(Allocations, AreMadeOrRefusedWhenAReaderIsMade) {
  std::uint64_t failed = 0;
  for (bool is_made = false; !is_made; ++failed) {
    ASSERT_LT(failed, 100u);
    fail_nothrow_after(failed);
    try {
      PayloadReader reader;
      is_made = true;
    } catch (const std::bad_alloc&) {
    }
  }
  EXPECT_GE(failed, 4u) << "the parser's own memory and its document's";
}

}  // namespace
}  // namespace chatd
