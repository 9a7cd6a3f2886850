#include "server/admin/roster_pages.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/json.h"

namespace chatd::test {
namespace {

class RosterPages : public testing::Test {
 protected:
  std::uint32_t add_room(const std::string& name) {
    Room room;
    room.name = name;
    return roster_.add_room(std::move(room)).value();
  }
  void add_member(std::uint32_t room, const std::string& name, std::uint16_t port,
                  bool is_v2 = false) {
    Member member;
    member.username = name;
    member.tcp_peer = *IpAddress::parse("192.0.2.7");
    member.last_heard_ms = 400;
    const Endpoint endpoint{.ip = *IpAddress::parse("192.0.2.7"), .port = port};
    const auto slot = roster_.add_member(room, std::move(member), endpoint,
                                         is_v2 ? std::make_unique<Session>() : nullptr);
    if (roster_.rooms()[room].members.size() == 1) roster_.rooms()[room].host = slot.value();
  }

  static constexpr KeyedHash::Key kKey{};
  Roster roster_{Limits{{.max_rooms = 50'000, .max_members = 60'000}}, kKey};
};

TEST_F(RosterPages, EveryRoomIsOnOnePage) {
  std::vector<std::uint32_t> rooms;
  for (int i = 0; i < 10; ++i) {
    rooms.push_back(add_room("room " + std::to_string(i)));
    add_member(rooms.back(), "host", static_cast<std::uint16_t>(i + 1));
  }
  const std::uint32_t gone = rooms[4];
  roster_.remove_member(roster_.rooms()[gone].members.front());
  roster_.take_room(gone);

  std::vector<std::string> names;
  std::uint32_t slot = 0;
  for (int pages = 1;; ++pages) {
    const RoomPage page = read_rooms(roster_, slot, 4);
    for (const RoomRow& row : page.rows) names.push_back(row.name);
    if (!page.next_slot) {
      EXPECT_EQ(pages, 3);
      break;
    }
    EXPECT_EQ(page.rows.size(), 4u);
    slot = *page.next_slot;
  }
  EXPECT_EQ(names, (std::vector<std::string>{"room 0", "room 1", "room 2", "room 3", "room 5",
                                             "room 6", "room 7", "room 8", "room 9"}));
}

// A server that was full once must not make a shard walk over all that is empty now.
TEST_F(RosterPages, AWalkOverEmptySlotsIsBounded) {
  std::vector<std::uint32_t> rooms;
  for (std::uint32_t i = 0; i < kMaxSlotsPerPage + 10; ++i) {
    rooms.push_back(add_room(std::to_string(i)));
  }
  add_member(rooms.back(), "host", 1);
  rooms.pop_back();
  for (const std::uint32_t room : rooms) roster_.take_room(room);
  const RoomPage first = read_rooms(roster_, 0, 100);
  EXPECT_TRUE(first.rows.empty());
  ASSERT_EQ(first.next_slot, kMaxSlotsPerPage);
  const RoomPage second = read_rooms(roster_, *first.next_slot, 100);
  EXPECT_EQ(second.rows.size(), 1u);
  EXPECT_FALSE(second.next_slot);
}

// 40 of 261 members who stayed were on no page while others left: the last member takes the place
// of one that leaves, which a page may have passed already.
TEST_F(RosterPages, MembersWhoStayAreOnOnePageWhileOthersComeAndGo) {
  const std::uint32_t room = add_room("den");
  for (int i = 0; i < 300; ++i) add_member(room, "m" + std::to_string(i), 5000);
  std::map<std::string, int> shown;
  std::uint32_t slot = 0;
  for (int turn = 0;; ++turn) {
    const auto page = read_members(roster_, 1000, "den", slot, 20);
    ASSERT_TRUE(page);
    for (const MemberRow& row : page->rows) ++shown[row.username];
    if (!page->next_slot) break;
    slot = *page->next_slot;
    for (int i = 0; i < 3; ++i) {
      const auto leaver = roster_.find_member(room, "m" + std::to_string(100 - 3 * turn - i));
      if (leaver) roster_.remove_member(*leaver);
    }
    add_member(room, "new" + std::to_string(turn), 5000);
  }
  for (const std::uint32_t member : roster_.rooms()[room].members) {
    const std::string& name = roster_.members()[member].username;
    if (name.starts_with("m")) {
      EXPECT_EQ(shown[name], 1) << name;
    }
  }
}

TEST_F(RosterPages, SayWhichProtocolAMemberHas) {
  const std::uint32_t room = add_room("den");
  add_member(room, "alice", 5000, /*is_v2=*/true);
  add_member(room, "bob", 5001);
  EXPECT_EQ(read_rooms(roster_, 0, 1).rows.at(0).v2_members, 1u);
  EXPECT_EQ(roster_.v2_members(), 1u);
  const auto page = read_members(roster_, 1000, "den", 0, 2);
  ASSERT_TRUE(page);
  ASSERT_EQ(page->rows.size(), 2u);
  EXPECT_EQ(page->rows[0].protocol, 2u);
  EXPECT_EQ(page->rows[1].protocol, 1u);
  EXPECT_NE(members_json("den", *page).find("\"protocol\":2"), std::string::npos);
  roster_.remove_member(roster_.find_member(room, "alice").value());
  EXPECT_EQ(roster_.v2_members(), 0u);
}

TEST_F(RosterPages, MembersWithTheirAddresses) {
  const std::uint32_t room = add_room("den");
  add_member(room, "alice", 5000);
  add_member(room, "bob", 0);
  const auto page = read_members(roster_, 1000, "den", 0, 1);
  ASSERT_TRUE(page);
  ASSERT_EQ(page->rows.size(), 1u);
  EXPECT_EQ(page->total, 2u);
  EXPECT_EQ(page->rows[0].username, "alice");
  EXPECT_EQ(page->rows[0].address, "192.0.2.7:5000");
  EXPECT_EQ(page->rows[0].joined_from, "192.0.2.7");
  EXPECT_EQ(page->rows[0].silent_ms, 600u);
  EXPECT_TRUE(page->rows[0].is_host);
  ASSERT_EQ(page->next_slot, 1u);
  const auto rest = read_members(roster_, 1000, "den", *page->next_slot, 1);
  ASSERT_TRUE(rest);
  ASSERT_EQ(rest->rows.size(), 1u);
  EXPECT_EQ(rest->rows[0].address, "");
  EXPECT_FALSE(rest->rows[0].is_host);
  EXPECT_FALSE(rest->next_slot);
  EXPECT_FALSE(read_members(roster_, 1000, "cave", 0, 1));
  EXPECT_EQ(roster_.pending_members(), 1u);

  const JsonObject json(members_json("den", *rest));
  ASSERT_TRUE(json.valid());
  EXPECT_EQ(json.number("total"), 2);
  EXPECT_EQ(json.text("next"), "");
}

TEST_F(RosterPages, NamesAreQuoted) {
  const JsonObject json(rooms_json({{.name = "a\"b\\c", .host = "<script>"}}, "1.2"));
  ASSERT_TRUE(json.valid());
  EXPECT_EQ(json.text("next"), "1.2");
}

}  // namespace
}  // namespace chatd::test
