// What a member with protocol v2 sends that a client of ours would not: every frame opens, for it
// has the key, and is out of bounds. It is counted, draws little, and harms nobody else.
#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "core/crypto/packet_key.h"
#include "core/wire/v2/frames.h"
#include "tests/unit/client/log_world.h"

namespace chatd {
namespace {

using client::LogEvent;
using test::LogWorld;
using test::PlainMember;
using test::SealedMember;

// A member whose frames a test writes by hand.
class RawMember {
 public:
  RawMember(LogWorld& world, std::string room, std::string name, Operation operation)
      : world_(world), from_(world.next_endpoint()) {
    const auto entry = world.ask({.operation = operation,
                                  .room = std::move(room),
                                  .username = std::move(name),
                                  .protocol = 2,
                                  .history_entries = 1'000},
                                 from_);
    EXPECT_TRUE(entry && entry->session);
    info_ = entry.value().session.value();
    send_key_ = PacketKey(info_.secret, Direction::kToServer);
    receive_key_ = PacketKey(info_.secret, Direction::kToClient);
  }

  std::string sealed(std::string_view frames) {
    Sealer sealer;
    send_key_.advance_to(next_packet);
    sealer.use(info_.cipher, send_key_);
    std::string bytes(frames.size() + v2::kOverheadBytes, '\0');
    sealer.seal(info_.id, next_packet++, frames, bytes.data());
    return bytes;
  }
  void send(std::string_view frames) { world_.deliver(from_, sealed(frames)); }

  // What the relay has for this member now, as frames; what it has for others is gone.
  std::vector<std::string> drain() {
    std::vector<std::string> mine;
    do {
      world_.relay->serve_rooms(world_.out);
      for (const Outbox::SendGroup& group : world_.out.groups()) take(group, mine);
      world_.out.clear();
    } while (world_.relay->has_waiting());
    return mine;
  }

  const client::SessionInfo& info() const { return info_; }
  const Endpoint& from() const { return from_; }
  std::uint64_t next_packet = 0;

 private:
  void take(const Outbox::SendGroup& group, std::vector<std::string>& mine) {
    for (const Endpoint& to : world_.out.destinations(group)) {
      if (to != from_) continue;
      for (const Outbox::Train& train : world_.out.trains(group)) {
        for (std::uint32_t i = 0; i < train.message_count; ++i) {
          mine.push_back(opened(world_.out.message(train, i)));
        }
      }
    }
  }
  std::string opened(std::string_view bytes) {
    const auto datagram = v2::parse_datagram(bytes);
    EXPECT_TRUE(datagram.has_value());
    std::string plain(bytes.size() - v2::kOverheadBytes, '\0');
    EXPECT_EQ(open_once(info_.cipher, receive_key_, received_, *datagram, plain.data()),
              Opening::kOpened);
    return plain;
  }

  LogWorld& world_;
  Endpoint from_;
  client::SessionInfo info_;
  PacketKey send_key_;
  PacketKey receive_key_;
  ReplayWindow received_;
};

template <class Frame>
std::string bytes_of(const Frame& frame) {
  std::string bytes(v2::kMaxHaveBytes + 4096, '\0');
  v2::ByteWriter writer(bytes.data());
  v2::write_frame(writer, frame);
  bytes.resize(static_cast<std::size_t>(writer.end() - bytes.data()));
  return bytes;
}

std::string say(std::uint64_t number, std::string_view text) {
  return bytes_of(v2::Say{.client_number = number, .bytes = text});
}

std::string have(std::uint64_t complete, std::uint64_t wanted) {
  return bytes_of(v2::Have{
      .log_epoch = 1, .complete = complete, .wanted = wanted, .range_count = 0, .ranges = {}});
}

// How many frames of a kind there are in datagrams of the server.
template <class Frame>
std::uint64_t frames_of(const std::vector<std::string>& datagrams) {
  std::uint64_t count = 0;
  for (const std::string& plain : datagrams) {
    v2::ByteReader reader(plain);
    v2::ServerFrame frame;
    while (v2::read_frame(reader, frame) == v2::ReadResult::kFrame) {
      count += std::holds_alternative<Frame>(frame) ? 1u : 0u;
    }
  }
  return count;
}

std::size_t size_of(const std::vector<std::string>& datagrams) {
  std::size_t size_bytes = 0;
  for (const std::string& plain : datagrams) size_bytes += plain.size() + v2::kOverheadBytes;
  return size_bytes;
}

// A room with somebody else in it, who talks before and after what the test does.
class BadInput : public testing::Test {
 protected:
  explicit BadInput(const RelayConfig& config = LogWorld::config()) : world_({}, 1, config) {
    bob_.send(have(bob_.info().next_entry - 1, 0));
    world_.run_for(100);
    bob_.drain();
  }
  ~BadInput() override {
    world_.run_for(10'000);
    alice_.events.clear();
    world_.say(alice_, "still here");
    EXPECT_TRUE(world_.settle()) << world_.why_not_settled();
    EXPECT_EQ(alice_.count(LogEvent::Kind::kDelivered), 1u) << "nobody else is harmed";
  }
  std::uint64_t count(Counter counter) const { return world_.count(counter); }

  LogWorld world_;
  SealedMember& alice_ = world_.create("kitchen", "alice", 1'000);
  RawMember bob_{world_, "kitchen", "bob", Operation::kJoin};
};

TEST_F(BadInput, ADatagramOfRefusedSaysDrawsOneAnswer) {
  std::string frames;
  std::uint64_t says = 0;
  while (frames.size() < 4'000) frames += say(++says, "");
  bob_.send(frames);
  const auto answers = bob_.drain();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_LE(answers[0].size(), v2::kMaxBundlePlainBytes);
  EXPECT_GE(frames_of<v2::Refused>(answers), 64u) << "as many as a client may have under way";
  EXPECT_EQ(count(Counter::kSaysRefused), says);
  bob_.send(say(says, "") + say(says, ""));
  EXPECT_EQ(frames_of<v2::Refused>(bob_.drain()), 2u) << "and again when it is asked again";
}

TEST_F(BadInput, ADatagramOfDuplicatesDrawsOneAnswer) {
  bob_.send(say(1, "hi"));
  EXPECT_EQ(frames_of<v2::Log>(bob_.drain()), 1u);
  std::string frames;
  std::uint64_t says = 0;
  for (; frames.size() < 4'000; ++says) frames += say(1, "hi");
  bob_.send(frames);
  const auto answers = bob_.drain();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(frames_of<v2::Head>(answers), 1u);
  EXPECT_GE(frames_of<v2::Taken>(answers), 64u) << "as many as a client may have under way";
  EXPECT_EQ(count(Counter::kSaysDuplicate), says);
}

// Nobody knows any more what has become of it.
TEST_F(BadInput, WhatIsFarBehindIsAnsweredWithTheEndAlone) {
  for (std::uint64_t i = 1; i <= 65; ++i) bob_.send(say(i, "hi"));
  bob_.drain();
  bob_.send(say(1, "hi") + say(2, "hi"));
  const auto answers = bob_.drain();
  EXPECT_EQ(frames_of<v2::Head>(answers), 1u);
  EXPECT_EQ(frames_of<v2::Taken>(answers), 1u) << "of the second";
}

TEST_F(BadInput, RefusalsAndWhereTheLogEndsShareADatagram) {
  bob_.send(say(1, "hi"));
  bob_.drain();
  bob_.send(say(1, "hi") + say(2, "\x01") + say(3, "yes"));
  const auto answers = bob_.drain();
  ASSERT_EQ(answers.size(), 2u) << "and the entry";
  EXPECT_EQ(frames_of<v2::Refused>(answers), 1u);
  EXPECT_EQ(frames_of<v2::Head>(answers), 1u);
  EXPECT_EQ(frames_of<v2::Taken>(answers), 1u);
  EXPECT_EQ(frames_of<v2::Log>(answers), 1u);
  EXPECT_EQ(answers[0].front(), static_cast<char>(v2::FrameType::kHead)) << "HEAD comes first";
}

TEST_F(BadInput, AnswersAreBoundedInTime) {
  bob_.send(say(1, "hi"));
  bob_.drain();
  std::size_t answers = 0;
  for (int i = 0; i < 1'000; ++i) {
    bob_.send(say(1, "hi"));
    answers += bob_.drain().size();
  }
  EXPECT_LE(answers, 50u);
  EXPECT_EQ(count(Counter::kAnswersOverLimit), 1'000 - answers);
  world_.run_for(1'000);
  bob_.drain();
  bob_.send(say(1, "hi"));
  EXPECT_EQ(bob_.drain().size(), 1u) << "after a while it is answered again";
}

TEST_F(BadInput, HavesInOneDatagramDrawOneRepair) {
  for (int i = 0; i < 200; ++i) bob_.send(say(static_cast<std::uint64_t>(i) + 1, "a b c d e f g"));
  bob_.drain();
  world_.run_for(1'000);
  bob_.drain();
  std::string frames;
  while (frames.size() < 4'000) frames += have(0, 1'000);
  bob_.send(frames);
  EXPECT_LE(size_of(bob_.drain()), std::size_t{12} * 1'200);
}

// The room's whole past, a thousand times a second.
TEST_F(BadInput, AskingForEverythingEveryMillisecondIsBounded) {
  for (std::uint64_t i = 1; i <= 500; ++i) {
    bob_.send(say(i, std::string(1'000, 'x')));
    bob_.drain();
  }
  std::size_t drawn_bytes = 0;
  for (int ms = 0; ms < 1'000; ++ms) {
    world_.run_for(1);
    bob_.drain();
    bob_.send(have(0, 10'000));
    drawn_bytes += size_of(bob_.drain());
  }
  // 100 answers a second and 50 at once, of ten datagrams (and one with GAP or HEAD).
  EXPECT_LE(drawn_bytes, std::size_t{151} * 12 * 1'200);
  EXPECT_GE(drawn_bytes, std::size_t{100} * 9 * 1'000) << "what is asked for is sent";
  EXPECT_GE(count(Counter::kAnswersOverLimit), 800u);
}

// Entries of protocol v1 may be longer than a datagram of v2, and go alone.
TEST_F(BadInput, ARepairOfLongEntriesIsAsLongAsAnother) {
  const PlainMember carol = world_.join_v1("kitchen", "carol");
  const std::string datagram =
      carol.with("kitchen", R"({"sender":"carol","message":")" + std::string(3'900, 'x') + R"("})");
  for (int i = 0; i < 100; ++i) {
    world_.deliver(carol.from, datagram);
    bob_.drain();
  }
  bob_.send(have(0, 100));
  const auto repair = bob_.drain();
  EXPECT_GE(frames_of<v2::Log>(repair), 2u);
  EXPECT_LE(size_of(repair), std::size_t{10} * 1'200 + 5'000);
}

TEST_F(BadInput, AHaveThatCannotBeIsIgnored) {
  bob_.send(have(4'711, 4'711));
  bob_.send(bytes_of(
      v2::Have{.log_epoch = 2, .complete = 0, .wanted = 1, .range_count = 0, .ranges = {}}));
  bob_.send(bytes_of(v2::Have{.log_epoch = 1,
                              .complete = 0,
                              .wanted = 1,
                              .range_count = 1,
                              .ranges = {v2::Range{.first = 5'000, .last = 5'001}}}));
  EXPECT_EQ(bob_.drain().size(), 0u);
  EXPECT_EQ(count(Counter::kHavesImpossible), 3u);
}

// Its length says where the log ends, whatever number was asked for.
TEST_F(BadInput, WhatDoesNotExistYetIsAnsweredWithTheEnd) {
  bob_.send(have(bob_.info().next_entry - 1, v2::kMaxVarint));
  const auto answers = bob_.drain();
  EXPECT_EQ(answers.size(), 1u);
  EXPECT_EQ(frames_of<v2::Head>(answers), 1u);
}

TEST_F(BadInput, AnUnknownFrameEndsTheDatagramAndNotTheSession) {
  bob_.send(say(1, "before") + '\x3e' + say(2, "behind"));
  EXPECT_EQ(count(Counter::kFramesUnknown), 1u);
  EXPECT_EQ(frames_of<v2::Log>(bob_.drain()), 1u);
  bob_.send(say(2, "again"));
  EXPECT_EQ(frames_of<v2::Log>(bob_.drain()), 1u);
  EXPECT_EQ(count(Counter::kMessagesAccepted), 2u);
}

// Each frame is cut short at each of its bytes.
TEST_F(BadInput, WhatIsCutShortChangesNothing) {
  std::uint64_t cut = 0;
  for (const std::string& whole :
       {say(1, "some text"), have(0, 1), bytes_of(v2::PathResponse{4'711})}) {
    for (std::size_t size = 1; size < whole.size(); ++size, ++cut) {
      bob_.send(whole.substr(0, size));
      EXPECT_EQ(bob_.drain().size(), 0u);
    }
  }
  EXPECT_EQ(count(Counter::kFramesMalformed), cut);
  EXPECT_EQ(count(Counter::kMessagesAccepted), 0u);
}

TEST_F(BadInput, AClientNumberThatJumpsIsNotTaken) {
  bob_.send(say(66, "far ahead") + say(v2::kMaxVarint, "farther"));
  EXPECT_EQ(bob_.drain().size(), 0u);
  EXPECT_EQ(count(Counter::kSaysTooFarAhead), 2u);
  bob_.send(say(64, "as far as may be") + say(1, "one behind"));
  EXPECT_EQ(count(Counter::kMessagesAccepted), 2u);
  bob_.drain();
}

// Wherever it stands: text is looked through by eight bytes at a time.
TEST_F(BadInput, AControlCharacterIsFoundAtEachPlaceAndNothingElse) {
  std::uint64_t number = 0;
  for (int byte = 0; byte < 0x80; ++byte) {
    const bool is_text = byte == '\n' || byte == '\t' || (byte >= 0x20 && byte != 0x7f);
    for (std::size_t at = 0; at < 19; ++at) {
      std::string text(19, 'x');
      text[at] = static_cast<char>(byte);
      const auto refused = count(Counter::kSaysRefused);
      bob_.send(say(++number, text));
      EXPECT_EQ(count(Counter::kSaysRefused) - refused, is_text ? 0u : 1u) << byte << " at " << at;
    }
    bob_.drain();
  }
}

TEST_F(BadInput, WhatIsTooLongIsRefused) {
  bob_.send(say(1, std::string(v2::kMaxSayBytes + 1, 'x')));
  EXPECT_EQ(frames_of<v2::Refused>(bob_.drain()), 1u);
  EXPECT_EQ(count(Counter::kMessagesAccepted), 0u);
}

TEST_F(BadInput, PacketsAMillionApartAreTakenInTheirOrderOnly) {
  bob_.next_packet = 1'000'000;
  bob_.send(say(1, "late number"));
  EXPECT_EQ(count(Counter::kMessagesAccepted), 1u);
  bob_.next_packet = 1;
  bob_.send(say(2, "early number"));
  EXPECT_EQ(count(Counter::kDroppedReplayed), 1u);
  EXPECT_EQ(count(Counter::kMessagesAccepted), 1u);
  bob_.next_packet = 1'000'001;
  bob_.send(say(2, "next number"));
  EXPECT_EQ(count(Counter::kMessagesAccepted), 2u);
  bob_.drain();
}

// A sender may be one key ahead, and no more: it changes keys in the order of its packets.
TEST_F(BadInput, AKeyThatIsSkippedDoesNotOpen) {
  RawMember carol(world_, "kitchen", "carol", Operation::kJoin);
  carol.next_packet = 2 * kPacketsPerKey;
  carol.send(say(1, "two keys ahead"));
  EXPECT_EQ(count(Counter::kDroppedNotOpened), 1u);
  bob_.next_packet = kPacketsPerKey;
  bob_.send(say(1, "one key ahead"));
  EXPECT_EQ(count(Counter::kMessagesAccepted), 1u);
  bob_.drain();
}

TEST_F(BadInput, OtherVersionsAndSessionsAreDropped) {
  std::string datagram = bob_.sealed(say(1, "hi"));
  datagram[1] = 3;
  world_.deliver(bob_.from(), datagram);
  EXPECT_TRUE(world_.out.is_empty());
  datagram = bob_.sealed(say(1, "hi"));
  datagram[9] = static_cast<char>(datagram[9] ^ 1);  // the session's last byte
  for (int i = 0; i < 1'000; ++i) world_.deliver(bob_.from(), datagram);
  EXPECT_EQ(count(Counter::kDroppedUnknownSession), 1'000u);
  EXPECT_LE(count(Counter::kResetsSent), 10u);
  EXPECT_LT(size_of({datagram}), 1'000u);
  world_.out.clear();
  EXPECT_EQ(count(Counter::kMessagesAccepted), 0u);
}

class BadInputOverLimits : public BadInput {
 protected:
  static RelayConfig limited() {
    RelayConfig config = LogWorld::config();
    config.limits.abuse.max_member_messages_per_s = 5;  // bursts of ten
    return config;
  }
  BadInputOverLimits() : BadInput(limited()) {}
};

TEST_F(BadInputOverLimits, WhatIsRefusedCountsTowardsTheRate) {
  std::string frames;
  for (std::uint64_t i = 1; i <= 10; ++i) frames += say(i, "\x01");
  bob_.send(frames);
  bob_.drain();
  bob_.send(say(11, "this is text"));
  EXPECT_EQ(count(Counter::kSaysRefused), 10u);
  EXPECT_EQ(count(Counter::kMessagesOverLimit), 1u) << "it counts under one reason";
  const auto answers = bob_.drain();
  EXPECT_EQ(frames_of<v2::Refused>(answers), 1u);
  EXPECT_EQ(frames_of<v2::Log>(answers), 0u);
}

}  // namespace
}  // namespace chatd
