// Keys change in the middle of talk, on both sides at about the same time, on a network that loses,
// doubles and reorders: what comes late under the key before is dropped and repaired, and nothing
// else is dropped.
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "client/lib/log_session.h"
#include "core/wire/v2/datagram.h"
#include "tests/unit/client/log_world.h"

namespace chatd {
namespace {

using client::LogEvent;
using test::LogWorld;
using test::SealedMember;

constexpr int kMembers = 3;
constexpr int kMessages = 200;
// So many packets before the end of its first key each side begins.
constexpr std::uint64_t kPacketsLeft = 20;

// What becomes of datagrams, by docs/reference/protocol-v2.md, "Keys".
struct Openings {
  std::uint64_t opened = 0;
  std::uint64_t replayed = 0;
  std::uint64_t too_late = 0;  // under the key before, and new

  void operator+=(const Openings& other) {
    opened += other.opened;
    replayed += other.replayed;
    too_late += other.too_late;
  }
};

// In the order in which they come to one who begins with the first key.
Openings openings_of(const std::vector<std::string>& datagrams) {
  Openings result;
  std::set<std::uint64_t> taken;
  bool has_changed = false;
  for (const std::string& bytes : datagrams) {
    const std::uint64_t number = v2::parse_datagram(bytes).value().packet_number;
    if (taken.contains(number)) {
      ++result.replayed;
    } else if (has_changed && number < kPacketsPerKey) {
      ++result.too_late;
    } else {
      ++result.opened;
      has_changed = number >= kPacketsPerKey;
      taken.insert(number);
    }
  }
  EXPECT_TRUE(has_changed);
  return result;
}

RelayConfig config_with(Cipher cipher) {
  RelayConfig config = LogWorld::config();
  config.cipher = cipher;
  return config;
}

// A room whose members and whose server have all almost used up a key.
class AlmostUsedUp {
 public:
  AlmostUsedUp(Cipher cipher, std::uint64_t seed)
      : world({.loss = 0.1, .duplicates = 0.1, .delay_ms = 10, .jitter_ms = 40}, seed,
              config_with(cipher)),
        random_(seed) {
    world.session_options.first_packet = kPacketsPerKey - kPacketsLeft;
    for (int i = 0; i < kMembers; ++i) {
      world.add({.operation = i == 0 ? Operation::kCreate : Operation::kJoin,
                 .room = "kitchen",
                 .username = "m" + std::to_string(i),
                 .protocol = 2,
                 .knows_aes = cipher == Cipher::kAes256Gcm},
                world.next_endpoint());
    }
    RelaySnapshot snapshot = world.relay->snapshot();
    for (MemberSnapshot& member : snapshot.rooms.at(0).members) {
      EXPECT_EQ(member.session->cipher, cipher);
      member.session->next_packet = kPacketsPerKey - kPacketsLeft;
    }
    world.relay = std::make_unique<Relay>(config_with(cipher), world.now_ms);
    EXPECT_TRUE(world.relay->restore(snapshot).has_value());
  }

  // Some of it much at once, so that a key may end within a train.
  void talk(int messages) {
    for (int i = 0; i < messages; ++i) {
      const std::string padding(random_() % 4 == 0 ? 700 : 0, '.');
      world.say(world.members[random_() % kMembers], std::to_string(next_++) + padding);
      if (random_() % 3 != 0) world.run_for(random_() % 30);
    }
  }

  LogWorld world;

 private:
  std::mt19937_64 random_;
  int next_ = 0;
};

class LogSessionKeyChange : public testing::TestWithParam<Cipher> {
 protected:
  // One talk: what was dropped is what had to be.
  void talk(std::uint64_t seed) {
    AlmostUsedUp room(GetParam(), seed);
    LogWorld& world = room.world;
    room.talk(kMessages / 2);
    const RelaySnapshot halfway = world.relay->snapshot();
    for (const MemberSnapshot& member : halfway.rooms.at(0).members) {
      EXPECT_EQ(member.session->send_key_epoch, 1u) << "in the first half";
      EXPECT_EQ(member.session->receive_key_epoch, 1u) << "in the first half";
    }
    room.talk(kMessages / 2);
    ASSERT_TRUE(world.settle()) << world.why_not_settled();
    world.run_for(100);  // and nothing is on its way

    Openings by_server;
    std::map<std::uint64_t, std::vector<std::string>> said;
    for (const std::string& bytes : world.to_relay) {
      said[v2::parse_datagram(bytes).value().session.value()].push_back(bytes);
    }
    for (const SealedMember& member : world.members) {
      by_server += openings_of(said[member.session->id().value()]);
      const Openings by_member = openings_of(member.arrived);
      EXPECT_EQ(member.session->stats().datagrams_dropped, by_member.replayed + by_member.too_late);
      by_members_ += by_member;
    }
    EXPECT_EQ(world.count(Counter::kSealedDatagrams), by_server.opened);
    EXPECT_EQ(world.count(Counter::kDroppedReplayed), by_server.replayed);
    EXPECT_EQ(world.count(Counter::kDroppedNotOpened), by_server.too_late);
    by_server_ += by_server;
    expect_complete(world);
  }

  // Everybody has heard everything once, in one order, and nobody was out meanwhile.
  static void expect_complete(const LogWorld& world) {
    std::vector<std::string> heard_first;
    for (const SealedMember& member : world.members) {
      const std::vector<std::string> heard = member.heard();
      EXPECT_EQ(std::set(heard.begin(), heard.end()).size(), std::size_t{kMessages});
      EXPECT_EQ(heard.size(), std::size_t{kMessages});
      if (heard_first.empty()) heard_first = heard;
      EXPECT_TRUE(heard == heard_first);
      EXPECT_EQ(member.count(LogEvent::Kind::kGap), 0u);
      EXPECT_EQ(member.count(LogEvent::Kind::kSilent), 0u);
      EXPECT_FALSE(member.session->is_over());
    }
  }

  Openings by_server_;
  Openings by_members_;
};

INSTANTIATE_TEST_SUITE_P(All, LogSessionKeyChange,
                         testing::Values(Cipher::kAes256Gcm, Cipher::kChaCha20Poly1305),
                         [](const auto& cipher) {
                           return cipher.param == Cipher::kAes256Gcm ? "Aes" : "ChaCha";
                         });

TEST_P(LogSessionKeyChange, NothingIsLostWhenBothSidesChangeAtOnce) {
  if (GetParam() == Cipher::kAes256Gcm && fastest_cipher() != Cipher::kAes256Gcm) {
    GTEST_SKIP() << "this processor has no AES";
  }
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    talk(seed);
  }
  EXPECT_GE(by_server_.too_late, 10u) << "else nothing came late";
  EXPECT_GE(by_members_.too_late, 10u) << "else nothing came late";
}

}  // namespace
}  // namespace chatd
