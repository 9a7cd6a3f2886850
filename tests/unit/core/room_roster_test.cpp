// The roster's data: names, positions, endpoints. tests/unit/core/model holds it against plain
// maps.
#include "core/room/roster.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include <string>
#include <utility>
#include <vector>

#include "tests/unit/core/relay_kit.h"

namespace chatd {
namespace {

using test::at;

class RosterTest : public testing::Test {
 protected:
  std::uint32_t add_room(std::string name) {
    Room room;
    room.name = std::move(name);
    return roster_.add_room(std::move(room)).value();
  }
  std::optional<std::uint32_t> try_member(std::uint32_t room, std::string name,
                                          const Endpoint& endpoint) {
    Member member;
    member.username = std::move(name);
    return roster_.add_member(room, std::move(member), endpoint);
  }
  std::uint32_t add_member(std::uint32_t room, std::string name, const Endpoint& endpoint = {}) {
    return try_member(room, std::move(name), endpoint).value();
  }
  // All members bound to the endpoint.
  std::vector<std::uint32_t> bound_to(const Endpoint& endpoint) {
    std::vector<std::uint32_t> slots;
    for (auto slot = roster_.find_bound(endpoint).value_or(kNoSlot); slot != kNoSlot;
         slot = roster_.members()[slot].next_at_endpoint) {
      slots.push_back(slot);
    }
    std::sort(slots.begin(), slots.end());
    return slots;
  }

  Limits limits_{{.max_rooms = 3, .max_members = 5}};
  Roster roster_{limits_, {}};
};

using Slots = std::vector<std::uint32_t>;

TEST_F(RosterTest, FindsRoomsByName) {
  const auto lobby = add_room("lobby");
  const auto other = add_room("Lobby 2");
  EXPECT_EQ(roster_.find_room("lobby"), lobby);
  EXPECT_EQ(roster_.find_room("Lobby 2"), other);
  EXPECT_FALSE(roster_.find_room("lobb").has_value());
  roster_.take_room(lobby);
  EXPECT_FALSE(roster_.find_room("lobby").has_value());
  EXPECT_EQ(roster_.find_room("Lobby 2"), other);
}

TEST_F(RosterTest, FindsNamesAsPeopleSeeThem) {
  const auto lobby = add_room("Lobby");
  const auto alice = add_member(lobby, "Alice");
  EXPECT_EQ(roster_.find_room("lob\u200bby "), lobby);
  EXPECT_EQ(roster_.find_member(lobby, "ALICE"), alice);
  EXPECT_EQ(roster_.rooms()[lobby].name, "Lobby");
  EXPECT_EQ(roster_.members()[alice].username, "Alice");
}

TEST_F(RosterTest, IsBoundedInRoomsAndMembers) {
  const auto lobby = add_room("a");
  add_room("b");
  add_room("c");
  Room fourth;
  fourth.name = "d";
  EXPECT_FALSE(roster_.add_room(std::move(fourth)).has_value());
  EXPECT_FALSE(roster_.find_room("d").has_value());
  for (const char* name : {"a", "b", "c", "d", "e"}) add_member(lobby, name);
  EXPECT_FALSE(try_member(lobby, "f", {}).has_value());
  EXPECT_EQ(roster_.rooms()[lobby].members.size(), 5u);
  EXPECT_FALSE(roster_.find_member(lobby, "f"));
}

TEST_F(RosterTest, NamesAreUniqueWithinARoomAlone) {
  const auto a = add_room("a");
  const auto b = add_room("b");
  add_member(a, "alice");
  EXPECT_TRUE(roster_.find_member(a, "alice"));
  EXPECT_FALSE(roster_.find_member(b, "alice"));
  EXPECT_FALSE(roster_.find_member(a, "alicia"));
  const auto other = add_member(b, "alice");
  roster_.remove_member(other);
  EXPECT_TRUE(roster_.find_member(a, "alice"));
  EXPECT_FALSE(roster_.find_member(b, "alice"));
}

TEST_F(RosterTest, TheLastMemberTakesAnEmptyPlace) {
  const auto room = add_room("a");
  const auto alice = add_member(room, "alice", at("192.0.2.1", 1));
  const auto bob = add_member(room, "bob", at("192.0.2.2", 2));
  const auto carol = add_member(room, "carol", at("192.0.2.3", 3));
  roster_.remove_member(alice);
  EXPECT_EQ(roster_.rooms()[room].members, (Slots{carol, bob}));
  EXPECT_EQ(roster_.members()[carol].position, 0u);
  EXPECT_EQ(roster_.endpoint_of(roster_.members()[carol]), at("192.0.2.3", 3));
  EXPECT_EQ(bound_to(at("192.0.2.3", 3)), Slots{carol});
  roster_.remove_member(bob);  // itself the last
  EXPECT_EQ(roster_.rooms()[room].members, Slots{carol});
  roster_.remove_member(carol);
  EXPECT_TRUE(roster_.rooms()[room].members.empty());
  EXPECT_TRUE(roster_.rooms()[room].endpoints.empty());
}

TEST_F(RosterTest, CountsPendingMembers) {
  const auto room = add_room("a");
  const auto alice = add_member(room, "alice");
  const auto bob = add_member(room, "bob");
  add_member(room, "carol", at("192.0.2.3", 3));
  EXPECT_EQ(roster_.rooms()[room].pending_members, 2u);
  roster_.bind_member(alice, at("192.0.2.1", 1));
  EXPECT_EQ(roster_.rooms()[room].pending_members, 1u);
  EXPECT_EQ(roster_.endpoint_of(roster_.members()[alice]), at("192.0.2.1", 1));
  roster_.remove_member(bob);
  EXPECT_EQ(roster_.rooms()[room].pending_members, 0u);
  // Nobody is found at "not known yet".
  EXPECT_FALSE(roster_.find_bound({}).has_value());
}

TEST_F(RosterTest, MembersAtOneEndpointFormAList) {
  const auto a = add_room("a");
  const auto b = add_room("b");
  const Endpoint shared = at("192.0.2.1", 1);
  const auto first = add_member(a, "alice", shared);
  const auto second = add_member(a, "bob", shared);
  const auto third = add_member(b, "carol", shared);
  EXPECT_EQ(bound_to(shared), (Slots{first, second, third}));
  EXPECT_TRUE(bound_to(at("192.0.2.1", 2)).empty());
}

TEST_F(RosterTest, AnyOneMayLeaveTheListAtAnEndpoint) {
  const Endpoint shared = at("192.0.2.1", 1);
  for (std::size_t leaving = 0; leaving < 3; ++leaving) {
    const auto room = add_room("a");
    Slots slots;
    for (const char* name : {"alice", "bob", "carol"}) {
      slots.push_back(add_member(room, name, shared));
    }
    roster_.remove_member(slots[leaving]);
    slots.erase(slots.begin() + static_cast<std::ptrdiff_t>(leaving));
    std::sort(slots.begin(), slots.end());
    EXPECT_EQ(bound_to(shared), slots);
    roster_.bind_member(slots[0], at("192.0.2.9", 9));  // moves away
    EXPECT_EQ(bound_to(shared), Slots{slots[1]});
    EXPECT_EQ(bound_to(at("192.0.2.9", 9)), Slots{slots[0]});
    for (const auto slot : slots) roster_.remove_member(slot);
    EXPECT_TRUE(bound_to(shared).empty());
    roster_.take_room(room);
  }
}

TEST_F(RosterTest, BindingWhereOneIsAlreadyChangesNothing) {
  const auto room = add_room("a");
  const auto alice = add_member(room, "alice", at("192.0.2.1", 1));
  const auto bob = add_member(room, "bob", at("192.0.2.1", 1));
  for (const auto slot : {alice, bob, alice}) {
    roster_.bind_member(slot, at("192.0.2.1", 1));
    EXPECT_EQ(bound_to(at("192.0.2.1", 1)), (Slots{alice, bob}));
  }
}

TEST_F(RosterTest, TheVersionMovesWithEveryArrivalAndDeparture) {
  std::uint64_t last = roster_.version();
  const auto moved = [&] { return std::exchange(last, roster_.version()) != roster_.version(); };
  const auto room = add_room("a");
  EXPECT_TRUE(moved());
  const auto alice = add_member(room, "alice");
  EXPECT_TRUE(moved());
  roster_.bind_member(alice, at("192.0.2.1", 1));
  EXPECT_FALSE(moved());  // where somebody is does not show in a list
  roster_.remove_member(alice);
  EXPECT_TRUE(moved());
  roster_.take_room(room);
  EXPECT_TRUE(moved());
}

}  // namespace
}  // namespace chatd
