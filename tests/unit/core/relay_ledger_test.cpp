// The ledger closes: messages accepted × (members − 1) = deliveries planned + members passed over
// because they are pending, for rooms of every size and mix.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/wire.h"
#include "tests/unit/core/relay_kit.h"

namespace chatd {
namespace {

using namespace test;

struct Mix {
  int bound;
  int pending;
};

class Ledger : public testing::TestWithParam<Mix> {};

TEST_P(Ledger, Closes) {
  RelayKit kit;
  std::vector<Person> senders = {kit.create("lobby", "host")};
  for (int i = 0; i < GetParam().bound; ++i) {
    senders.push_back(kit.join("lobby", "b" + std::to_string(i)));
  }
  for (int i = 0; i < GetParam().pending; ++i) {
    kit.join_pending("lobby", "p" + std::to_string(i), at("127.0.0.1", 1));
  }
  kit.create("den", "dave");  // others do not matter
  kit.take();

  std::uint64_t sent = 0;
  for (const Person& sender : senders) {
    kit.say(sender);
    kit.send(sender, R"({"sender":"nobody"})");
    sent += kit.take().size();
  }
  const std::uint64_t others = static_cast<std::uint64_t>(GetParam().bound + GetParam().pending);
  EXPECT_EQ(kit.count(Counter::kMessagesAccepted), senders.size());
  EXPECT_EQ(kit.count(Counter::kDeliveriesPlanned), sent);
  EXPECT_EQ(kit.count(Counter::kDroppedPendingMember),
            senders.size() * static_cast<std::uint64_t>(GetParam().pending));
  EXPECT_EQ(kit.count(Counter::kMessagesAccepted) * others,
            kit.count(Counter::kDeliveriesPlanned) + kit.count(Counter::kDroppedPendingMember));
  EXPECT_TRUE(kit.every_datagram_is_accounted_for());
}

INSTANTIATE_TEST_SUITE_P(Rooms, Ledger,
                         testing::Values(Mix{0, 0}, Mix{1, 0}, Mix{0, 1}, Mix{5, 3}, Mix{100, 0},
                                         Mix{40, 60}, Mix{300, 1}));

}  // namespace
}  // namespace chatd
