// The outbox: what is copied and what is not, ranges of destinations, and when it says that it is
// full.
#include "core/room/outbox.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "tests/unit/core/relay_kit.h"

namespace chatd {
namespace {

using test::at;

const std::array<Endpoint, 3> kThree = {at("192.0.2.1", 1), at("192.0.2.2", 2),
                                        at("2001:db8::3", 3)};

std::vector<Endpoint> destinations(const Outbox& out, std::size_t group) {
  const auto span = out.destinations(out.groups()[group]);
  return {span.begin(), span.end()};
}

// Of a send group of one datagram.
std::string_view datagram(const Outbox& out, std::size_t group) {
  const auto trains = out.trains(out.groups()[group]);
  EXPECT_EQ(trains.size(), 1u);
  EXPECT_EQ(trains[0].message_count, 1u);
  EXPECT_EQ(out.pieces(trains[0]).size(), 1u);
  return out.pieces(trains[0])[0];
}

TEST(Outbox, StartsEmpty) {
  const Outbox out(4, 4);
  EXPECT_TRUE(out.is_empty());
  EXPECT_FALSE(out.is_full());
  EXPECT_TRUE(out.groups().empty());
}

TEST(Outbox, KeepsFanoutsApart) {
  Outbox out(16, 4);
  out.open(Outbox::Kind::kMessage, "one");
  out.add(kThree[0]);
  out.add(std::span(kThree).subspan(1));
  out.open(Outbox::Kind::kAnswer, "two");
  out.add(kThree[2]);
  out.open(Outbox::Kind::kNotice, "three");  // to nobody
  ASSERT_EQ(out.groups().size(), 3u);
  EXPECT_EQ(datagram(out, 0), "one");
  EXPECT_EQ(out.groups()[0].kind, Outbox::Kind::kMessage);
  EXPECT_EQ(destinations(out, 0), std::vector(kThree.begin(), kThree.end()));
  EXPECT_EQ(datagram(out, 1), "two");
  EXPECT_EQ(out.groups()[1].kind, Outbox::Kind::kAnswer);
  EXPECT_EQ(destinations(out, 1), std::vector{kThree[2]});
  EXPECT_EQ(destinations(out, 2), std::vector<Endpoint>{});
}

TEST(Outbox, PointsAtAMessageAndCopiesANotice) {
  Outbox out(16, 4);
  const std::string message = "message";
  out.open(Outbox::Kind::kMessage, message);
  EXPECT_EQ(datagram(out, 0).data(), message.data());
  std::string notice = "notice";
  out.open_copy(Outbox::Kind::kNotice, notice);
  notice = "gone..";
  EXPECT_EQ(datagram(out, 1), std::string_view("\0\0notice", 8));
}

TEST(Outbox, CopiesStayWhereTheyAre) {
  Outbox out(16, 4);
  out.open_copy(Outbox::Kind::kNotice, "first");
  const std::string_view first = datagram(out, 0);
  // Far more than the memory that it begins with.
  for (int i = 0; i < 1'000; ++i) out.open_copy(Outbox::Kind::kNotice, std::string(1'000, 'x'));
  EXPECT_EQ(datagram(out, 0).data(), first.data());
  EXPECT_EQ(first, std::string_view("\0\0first", 7));
}

TEST(Outbox, TrainsArePiecesInOrder) {
  Outbox out(1'000, 4);
  char* const bytes = out.allocate(10);
  std::copy_n("aaabbbcccd", 10, bytes);
  out.open(Outbox::Kind::kMessage);
  out.open_train(3);
  out.add_piece({bytes, 3}, 1);
  out.add_piece({bytes + 6, 4}, 2);
  out.open_train(3);
  out.add_piece({bytes + 3, 3}, 1);
  out.add(kThree[0]);
  const auto trains = out.trains(out.groups()[0]);
  ASSERT_EQ(trains.size(), 2u);
  ASSERT_EQ(trains[0].message_count, 3u);
  EXPECT_EQ(trains[0].segment_bytes, 3u);
  EXPECT_EQ(out.pieces(trains[0]).size(), 2u);
  EXPECT_EQ(out.message(trains[0], 0), "aaa");
  EXPECT_EQ(out.message(trains[0], 1), "ccc");
  EXPECT_EQ(out.message(trains[0], 2), "d");
  ASSERT_EQ(trains[1].message_count, 1u);
  EXPECT_EQ(out.message(trains[1], 0), "bbb");
}

// Work is what it costs to send: datagrams, and a little for each message in them.
TEST(Outbox, IsFullByWork) {
  Outbox datagrams(3 * (Outbox::kWorkPerTrain + 1), 10);
  datagrams.open(Outbox::Kind::kMessage, "x");
  datagrams.add(kThree[0]);
  datagrams.add(kThree[1]);
  EXPECT_FALSE(datagrams.is_full());
  datagrams.add(kThree[2]);
  EXPECT_TRUE(datagrams.is_full());

  Outbox trains(Outbox::kWorkPerTrain + 11, 10);  // an open send group counts as well
  trains.open(Outbox::Kind::kMessage);
  trains.open_train(1);
  trains.add_piece("123456789", 9);
  trains.add(kThree[0]);
  EXPECT_FALSE(trains.is_full());
  trains.add(kThree[1]);
  EXPECT_TRUE(trains.is_full());

  Outbox groups(3, 10);  // to nobody: they cost something, too
  for (int i = 0; i < 2; ++i) groups.open(Outbox::Kind::kMessage, "x");
  EXPECT_FALSE(groups.is_full());
  groups.open(Outbox::Kind::kMessage, "x");
  EXPECT_TRUE(groups.is_full());
}

TEST(Outbox, IsFullByBytes) {
  Outbox out(1'000'000, 10);
  for (int i = 0; i < 15; ++i) out.allocate(64 * 1024);
  EXPECT_FALSE(out.is_full());
  out.allocate(64 * 1024);
  EXPECT_TRUE(out.is_full());
  out.clear();
  EXPECT_FALSE(out.is_full());
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
