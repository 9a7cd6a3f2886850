// The roster against plain maps: rooms and members come, move and go, and everything that it says
// about them must agree.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/names.h"
#include "core/room/roster.h"
#include "tests/unit/core/model/seeds.h"

namespace chatd {
namespace {

using test::Dice;

constexpr std::uint32_t kMaxRooms = 8;
constexpr std::uint32_t kMaxMembers = 60;

struct ModelMember {
  std::uint32_t room;
  std::string name;
  Endpoint endpoint;
};

class RosterAndModel {
 public:
  explicit RosterAndModel(Dice& dice) : dice_(dice) {}

  void step() {
    switch (dice_.roll(12)) {
      case 0:
        return add_room();
      case 1:
        return remove_room();
      case 2:
      case 3:
      case 4:
        return remove_member();
      case 5:
      case 6:
        return bind_member();
      default:
        return add_member();
    }
  }

  void check() const {
    ASSERT_EQ(roster_.rooms().size(), rooms_.size());
    ASSERT_EQ(roster_.members().size(), members_.size());
    for (const auto& [slot, name] : rooms_) check_room(slot, name);
    for (const auto& [slot, member] : members_) check_member(slot, member);
    for (const Endpoint& endpoint : endpoints_) check_endpoint(endpoint);
  }

 private:
  // Few of each, so that they meet; each in several spellings.
  std::string random_name() {
    const std::string number = std::to_string(dice_.roll(12));
    switch (dice_.roll(4)) {
      case 0:
        return "Name" + number;
      case 1:
        return "na\u200bme" + number + " ";
      default:
        return "name" + number;
    }
  }
  static bool look_alike(std::string_view a, std::string_view b) {
    return folded_name(a) == folded_name(b);
  }
  Endpoint random_endpoint() { return dice_.one_in(4) ? Endpoint{} : dice_.pick(endpoints_); }

  template <class Map>
  std::uint32_t random_key(const Map& map) {
    return std::next(map.begin(), static_cast<std::ptrdiff_t>(dice_.roll(map.size())))->first;
  }

  void add_room() {
    const std::string name = random_name();
    const auto known = std::find_if(rooms_.begin(), rooms_.end(), [&](const auto& room) {
      return look_alike(room.second, name);
    });
    ASSERT_EQ(roster_.find_room(name).has_value(), known != rooms_.end());
    if (known != rooms_.end()) {
      ASSERT_EQ(roster_.find_room(name), known->first);
      return;
    }
    Room room;
    room.name = name;
    const auto slot = roster_.add_room(std::move(room));
    ASSERT_EQ(slot.has_value(), rooms_.size() < kMaxRooms);
    if (slot) rooms_[*slot] = name;
  }

  void remove_room() {
    if (rooms_.empty() || !dice_.one_in(4)) return;
    const std::uint32_t room = random_key(rooms_);
    const std::vector<std::uint32_t> slots = roster_.rooms()[room].members;
    for (const std::uint32_t slot : slots) {
      roster_.remove_member(slot);
      members_.erase(slot);
    }
    roster_.take_room(room);
    rooms_.erase(room);
  }

  void add_member() {
    if (rooms_.empty()) return;
    const std::uint32_t room = random_key(rooms_);
    const std::string name = random_name();
    const bool is_taken = std::any_of(members_.begin(), members_.end(), [&](const auto& entry) {
      return entry.second.room == room && look_alike(entry.second.name, name);
    });
    ASSERT_EQ(roster_.find_member(room, name).has_value(), is_taken);
    if (is_taken) return;
    Member member;
    member.username = name;
    const Endpoint endpoint = random_endpoint();
    const auto slot = roster_.add_member(room, std::move(member), endpoint);
    ASSERT_EQ(slot.has_value(), members_.size() < kMaxMembers);
    if (slot) members_[*slot] = {room, name, endpoint};
  }

  void remove_member() {
    if (members_.empty()) return;
    const std::uint32_t slot = random_key(members_);
    roster_.remove_member(slot);
    members_.erase(slot);
  }

  void bind_member() {
    if (members_.empty()) return;
    const std::uint32_t slot = random_key(members_);
    members_[slot].endpoint = dice_.pick(endpoints_);
    roster_.bind_member(slot, members_[slot].endpoint);
  }

  void check_room(std::uint32_t slot, const std::string& name) const {
    ASSERT_TRUE(roster_.rooms().contains(slot));
    const Room& room = roster_.rooms()[slot];
    ASSERT_EQ(room.name, name);
    ASSERT_EQ(roster_.find_room(name), slot);
    std::set<std::uint32_t> expected;
    std::uint32_t pending = 0;
    for (const auto& [member, entry] : members_) {
      if (entry.room != slot) continue;
      expected.insert(member);
      if (entry.endpoint.port == 0) ++pending;
    }
    ASSERT_EQ(std::set(room.members.begin(), room.members.end()), expected);
    ASSERT_EQ(room.members.size(), expected.size());
    ASSERT_EQ(room.endpoints.size(), expected.size());
    ASSERT_EQ(room.pending_members, pending);
  }

  void check_member(std::uint32_t slot, const ModelMember& expected) const {
    ASSERT_TRUE(roster_.members().contains(slot));
    const Member& member = roster_.members()[slot];
    ASSERT_EQ(member.username, expected.name);
    ASSERT_EQ(member.room, expected.room);
    ASSERT_EQ(roster_.rooms()[member.room].members[member.position], slot);
    ASSERT_EQ(roster_.endpoint_of(member), expected.endpoint);
    ASSERT_TRUE(roster_.find_member(expected.room, expected.name));
  }

  // The list at an endpoint holds its members, each once, and is linked both ways.
  void check_endpoint(const Endpoint& endpoint) const {
    std::set<std::uint32_t> expected;
    for (const auto& [slot, member] : members_) {
      if (member.endpoint == endpoint) expected.insert(slot);
    }
    std::set<std::uint32_t> listed;
    std::uint32_t previous = kNoSlot;
    for (auto slot = roster_.find_bound(endpoint).value_or(kNoSlot); slot != kNoSlot;
         slot = roster_.members()[slot].next_at_endpoint) {
      ASSERT_TRUE(listed.insert(slot).second) << "a list that runs in a circle";
      ASSERT_EQ(roster_.members()[slot].previous_at_endpoint, previous);
      previous = slot;
    }
    ASSERT_EQ(listed, expected);
  }

  static std::vector<Endpoint> make_endpoints() {
    std::vector<Endpoint> endpoints;
    for (std::uint8_t host = 1; host <= 3; ++host) {
      for (std::uint16_t port = 1; port <= 3; ++port) {
        endpoints.push_back({IpAddress::from_v4({192, 0, 2, host}), port});
      }
    }
    return endpoints;
  }

  Dice& dice_;
  const Limits limits_{{.max_rooms = kMaxRooms, .max_members = kMaxMembers}};
  Roster roster_{limits_, {}};
  std::map<std::uint32_t, std::string> rooms_;
  std::map<std::uint32_t, ModelMember> members_;
  const std::vector<Endpoint> endpoints_ = make_endpoints();
};

TEST(RosterModel, AgreesWithPlainMaps) {
  for (const std::uint64_t seed : test::model_seeds()) {
    SCOPED_TRACE(seed);
    Dice dice(seed);
    RosterAndModel both(dice);
    for (int i = 0; i < 10'000 && !testing::Test::HasFatalFailure(); ++i) {
      both.step();
      both.check();
    }
  }
}

}  // namespace
}  // namespace chatd
