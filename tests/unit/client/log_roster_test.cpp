// The roster in the answer to a join with protocol v2, in the largest rooms.
#include <gtest/gtest.h>

#include <string>

#include "core/wire/v2/roster.h"
#include "tests/unit/client/log_world.h"

namespace chatd {
namespace {

using test::LogWorld;

// As long as a name may be, and every byte of it is two in JSON.
std::string longest_name(std::uint32_t number) {
  std::string name(kMaxNameBytes, '"');
  for (std::size_t i = 0; i < 32; ++i) {
    if ((number >> i & 1) != 0) name[i] = '\\';
  }
  return name;
}

tl::expected<client::Entry, client::Error> enter(LogWorld& world, std::string name,
                                                 std::uint8_t protocol) {
  return world.ask({.room = "hall", .username = std::move(name), .protocol = protocol},
                   world.next_endpoint(), /*is_encrypted=*/protocol == 2);
}

TEST(LogRoster, ARoomOfTheLargestSizeWithTheLongestNamesCanBeEntered) {
  LogWorld world;
  world.create("hall", longest_name(0));
  const std::uint32_t full = LogWorld::config().limits.max_room_members;
  for (std::uint32_t i = 1; i < full - 1; ++i) ASSERT_TRUE(enter(world, longest_name(i), 1));
  const auto entry = enter(world, longest_name(full), 2);
  ASSERT_TRUE(entry.has_value()) << entry.error().reason;
  EXPECT_EQ(entry->session->roster.size(), full);
  EXPECT_EQ(entry->session->roster.back().name, longest_name(full));
}

// An operator may allow rooms of millions. Nobody could read their rosters.
TEST(LogRoster, ARoomWithMoreMembersThanARosterHoldsTakesNobodyWithProtocol2) {
  RelayConfig config = LogWorld::config();
  config.limits.max_room_members = v2::kMaxRosterMembers + 10;
  LogWorld world({}, 1, config);
  const auto host = world.create("hall", "host").token;
  for (std::uint32_t i = 2; i < v2::kMaxRosterMembers; ++i) {
    ASSERT_TRUE(enter(world, std::to_string(i), 1));
  }
  EXPECT_TRUE(enter(world, "the last with protocol 2", 2));
  const auto refused = enter(world, "one too many", 2);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().status, 503);
  const client::EntryRequest seat{.room = "hall", .username = "host", .token = host, .protocol = 2};
  EXPECT_TRUE(world.ask(seat, world.next_endpoint()));
  EXPECT_TRUE(enter(world, "one with protocol 1", 1));
  EXPECT_FALSE(world.ask(seat, world.next_endpoint()));
}

}  // namespace
}  // namespace chatd
