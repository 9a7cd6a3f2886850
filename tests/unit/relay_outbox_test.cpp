// The outbox: what is copied and what is not, ranges of destinations, and when it says that it is
// full.
#include "core/relay/outbox.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "tests/unit/relay_kit.h"

namespace chatd {
namespace {

using test::at;

const std::array<Endpoint, 3> kThree = {at("192.0.2.1", 1), at("192.0.2.2", 2),
                                        at("2001:db8::3", 3)};

std::vector<Endpoint> destinations(const Outbox& out, std::size_t fanout) {
  const auto span = out.destinations(out.fanouts()[fanout]);
  return {span.begin(), span.end()};
}

TEST(Outbox, StartsEmpty) {
  const Outbox out(4, 4);
  EXPECT_TRUE(out.is_empty());
  EXPECT_FALSE(out.is_full());
  EXPECT_TRUE(out.fanouts().empty());
}

TEST(Outbox, KeepsFanoutsApart) {
  Outbox out(16, 4);
  out.open(Outbox::Kind::kMessage, "one");
  out.add(kThree[0]);
  out.add(std::span(kThree).subspan(1));
  out.open(Outbox::Kind::kAnswer, "two");
  out.add(kThree[2]);
  out.open(Outbox::Kind::kNotice, "three");  // to nobody
  ASSERT_EQ(out.fanouts().size(), 3u);
  EXPECT_EQ(out.fanouts()[0].datagram, "one");
  EXPECT_EQ(out.fanouts()[0].kind, Outbox::Kind::kMessage);
  EXPECT_EQ(destinations(out, 0), std::vector(kThree.begin(), kThree.end()));
  EXPECT_EQ(out.fanouts()[1].datagram, "two");
  EXPECT_EQ(out.fanouts()[1].kind, Outbox::Kind::kAnswer);
  EXPECT_EQ(destinations(out, 1), std::vector{kThree[2]});
  EXPECT_EQ(destinations(out, 2), std::vector<Endpoint>{});
}

TEST(Outbox, PointsAtAMessageAndCopiesANotice) {
  Outbox out(16, 4);
  const std::string message = "message";
  out.open(Outbox::Kind::kMessage, message);
  EXPECT_EQ(out.fanouts()[0].datagram.data(), message.data());
  std::string notice = "notice";
  out.open_copy(Outbox::Kind::kNotice, notice);
  notice = "gone..";
  EXPECT_EQ(out.fanouts()[1].datagram, std::string_view("\0\0notice", 8));
}

TEST(Outbox, CopiesStayWhereTheyAre) {
  Outbox out(16, 4);
  out.open_copy(Outbox::Kind::kNotice, "first");
  const std::string_view first = out.fanouts()[0].datagram;
  // Far more than the memory that it begins with.
  for (int i = 0; i < 1'000; ++i) out.open_copy(Outbox::Kind::kNotice, std::string(1'000, 'x'));
  EXPECT_EQ(out.fanouts()[0].datagram.data(), first.data());
  EXPECT_EQ(first, std::string_view("\0\0first", 7));
}

TEST(Outbox, IsFullByDestinationsOrByFanouts) {
  Outbox by_destinations(3, 10);
  by_destinations.open(Outbox::Kind::kMessage, "x");
  by_destinations.add(kThree[0]);
  by_destinations.add(kThree[1]);
  EXPECT_FALSE(by_destinations.is_full());
  by_destinations.add(kThree[2]);
  EXPECT_TRUE(by_destinations.is_full());

  Outbox by_fanouts(3, 10);
  for (int i = 0; i < 2; ++i) by_fanouts.open(Outbox::Kind::kMessage, "x");
  EXPECT_FALSE(by_fanouts.is_full());
  by_fanouts.open(Outbox::Kind::kMessage, "x");
  EXPECT_TRUE(by_fanouts.is_full());
}

TEST(Outbox, IsAsGoodAsNewAfterClear) {
  Outbox out(2, 10);
  for (int round = 0; round < 3; ++round) {
    out.open_copy(Outbox::Kind::kNotice, "notice");
    out.add(std::span(kThree));
    EXPECT_TRUE(out.is_full());
    out.clear();
    EXPECT_TRUE(out.is_empty());
    EXPECT_FALSE(out.is_full());
  }
  out.open(Outbox::Kind::kMessage, "x");
  out.add(kThree[1]);
  EXPECT_EQ(destinations(out, 0), std::vector{kThree[1]});
}

}  // namespace
}  // namespace chatd
