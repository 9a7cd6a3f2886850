#include "tests/model/roster_check.h"

#include "tests/model/require.h"

namespace chatd::test {
namespace {

bool is_listed_at_endpoint(const Roster& roster, std::uint32_t slot, const Endpoint& endpoint) {
  const auto first = roster.find_bound(endpoint);
  std::uint32_t previous = kNoSlot;
  std::uint32_t steps = 0;
  for (std::uint32_t i = first.value_or(kNoSlot); i != kNoSlot;) {
    require(++steps <= roster.members().size(), "the list of an endpoint ends");
    const Member& member = roster.members()[i];
    require(member.previous_at_endpoint == previous, "it leads back as it leads on");
    if (i == slot) return true;
    previous = i;
    i = member.next_at_endpoint;
  }
  return false;
}

void check_room(const Roster& roster, std::uint32_t slot) {
  const Room& room = roster.rooms()[slot];
  require(roster.find_room(room.name) == slot, "a room is found by its name");
  require(!room.members.empty(), "a room ends with its last member");
  require(room.members.size() == room.endpoints.size(), "an endpoint for each member");
  std::uint32_t pending = 0;
  for (std::size_t position = 0; position < room.members.size(); ++position) {
    const std::uint32_t member_slot = room.members[position];
    require(roster.members().contains(member_slot), "a room's members exist");
    const Member& member = roster.members()[member_slot];
    require(member.room == slot && member.position == position, "a member knows its place");
    require(member.token.slot() == member_slot, "a token names its slot");
    require(roster.find_member(slot, member.username).has_value(), "a member is found by its name");
    const Endpoint& endpoint = room.endpoints[position];
    if (endpoint.port == 0) {
      ++pending;
    } else {
      require(endpoint.ip.is_unicast(), "nobody is bound to many");
      require(is_listed_at_endpoint(roster, member_slot, endpoint), "it is found by its endpoint");
    }
  }
  require(room.pending_members == pending, "pending members are counted");
}

}  // namespace

void check_roster(const Roster& roster) {
  std::size_t members = 0;
  std::size_t v2_members = 0;
  std::uint32_t rooms = 0;
  std::uint32_t older = kNoSlot;
  for (std::uint32_t slot = roster.oldest_room(); slot != kNoSlot;) {
    require(++rooms <= roster.rooms().size(), "the list of rooms ends");
    const Room& room = roster.rooms()[slot];
    require(room.older == older, "the list of rooms leads back");
    check_room(roster, slot);
    members += room.members.size();
    v2_members += room.members.size() - room.first_v2;
    older = slot;
    slot = room.newer;
  }
  require(older == roster.newest_room(), "it ends with the newest");
  require(rooms == roster.rooms().size(), "every room is listed");
  require(members == roster.members().size(), "every member is in one room");
  require(v2_members == roster.v2_members(), "those with protocol v2 are counted");
}

}  // namespace chatd::test
