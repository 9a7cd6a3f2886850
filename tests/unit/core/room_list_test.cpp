// Room lists as they are made and read: text that is shared and kept, in bounded pieces, while
// rooms come and go.
#include "core/room/room_list.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/control/list_writer.h"
#include "core/control/room_list_cache.h"
#include "tests/support/json.h"
#include "tests/support/wire.h"

namespace chatd {
namespace {

using test::JsonObject;

constexpr std::size_t kNoLimit = 1 << 30;

class RoomListTest : public testing::Test {
 protected:
  RoomListTest() : roster_(limits(), {}) {}

  static Limits limits() {
    Limits limits;
    limits.max_members = 30'000;
    return limits;
  }

  std::uint32_t create(const std::string& name) {
    Room room;
    room.name = name;
    room.creation_order = next_sequence_++;
    const std::uint32_t slot = roster_.add_room(std::move(room)).value();
    roster_.rooms()[slot].host = join(slot, "host");
    return slot;
  }
  std::uint32_t join(std::uint32_t room, const std::string& username) {
    Member member;
    member.username = username;
    return roster_.add_member(room, std::move(member), {}).value();
  }
  void end(std::uint32_t room) {
    while (!roster_.rooms()[room].members.empty()) {
      roster_.remove_member(roster_.rooms()[room].members.back());
    }
    roster_.take_room(room);
  }

  // What a list has to say, read off the roster.
  std::string expected() const {
    std::string text = R"({"rooms":{)";
    for (auto slot = roster_.oldest_room(); slot != kNoSlot; slot = roster_.rooms()[slot].newer) {
      const Room& room = roster_.rooms()[slot];
      if (slot != roster_.oldest_room()) text += ',';
      text += '"' + room.name + R"(":{"members":[)";
      for (std::size_t i = 0; i < std::min<std::size_t>(20, room.members.size()); ++i) {
        text += (i == 0 ? "\"" : ",\"") + roster_.members()[room.members[i]].username + '"';
      }
      text +=
          R"(],"count":)" + std::to_string(room.members.size()) + R"(,"password_required":false})";
    }
    return text + R"(},"total":)" + std::to_string(roster_.rooms().size()) + "}";
  }

  static std::string payload_of(const std::shared_ptr<const RoomList>& list) {
    std::string frame = ListReader(list).read_all();
    EXPECT_EQ(frame.size(), list->size_bytes());
    const auto taken = test::take_frame(frame);
    EXPECT_TRUE(taken && frame.empty());
    return taken->payload;
  }
  static std::string payload_of(const std::shared_ptr<const ListPart>& part) {
    return payload_of(std::make_shared<const RoomList>(RoomList::Parts{part}, 1));
  }
  std::shared_ptr<const ListPart> sweep(ListWriter& writer) {
    writer.begin();
    while (!writer.go_on()) {
    }
    return writer.part();
  }

  Roster roster_;
  std::uint64_t next_sequence_ = 0;
};

TEST_F(RoomListTest, OfNoRooms) {
  ListWriter writer(roster_, kNoLimit);
  EXPECT_EQ(payload_of(sweep(writer)), R"({"rooms":{},"total":0})");
}

TEST_F(RoomListTest, AChangeRewritesItsOwnChunkAndNoOther) {
  std::vector<std::uint32_t> rooms;
  for (int i = 0; i < 1'000; ++i) rooms.push_back(create("room" + std::to_string(i)));
  ListWriter writer(roster_, kNoLimit);
  const auto before = sweep(writer);
  EXPECT_EQ(payload_of(before), expected());
  ASSERT_GE(before->chunks.size(), 10u);
  join(rooms[500], "alice");
  const auto after = sweep(writer);
  EXPECT_EQ(payload_of(after), expected());
  ASSERT_EQ(after->chunks.size(), before->chunks.size());
  std::size_t other = 0;
  for (std::size_t i = 0; i < after->chunks.size(); ++i) {
    if (after->chunks[i] != before->chunks[i]) ++other;
  }
  EXPECT_EQ(other, 1u);
}

TEST_F(RoomListTest, IsWrittenInBoundedPieces) {
  for (int i = 0; i < 20'000; ++i) create("room" + std::to_string(i));
  ListWriter writer(roster_, kNoLimit);
  writer.begin();
  int pieces = 1;
  while (!writer.go_on()) ++pieces;
  EXPECT_GE(pieces, 15) << "a piece is a thousand rooms at most";
  EXPECT_EQ(payload_of(writer.part()), expected());
}

// However it is cut up by sockets, and of however many parts.
TEST_F(RoomListTest, ReadsTheSameInAnyPieces) {
  std::mt19937 random(7);
  for (const std::size_t shards : {1u, 2u, 5u}) {
    std::vector<std::unique_ptr<Roster>> rosters;
    std::vector<std::unique_ptr<ListWriter>> writers;
    for (std::size_t i = 0; i < shards; ++i) {
      rosters.push_back(std::make_unique<Roster>(limits(), KeyedHash::Key{}));
      writers.push_back(std::make_unique<ListWriter>(*rosters.back(), kNoLimit));
    }
    std::vector<std::string> names;
    for (std::uint64_t i = 0; i < 500; ++i) {
      Room room;
      room.name = "room" + std::to_string(i);
      room.creation_order = i;
      names.push_back(room.name);
      rosters[random() % shards]->add_room(std::move(room));
    }
    RoomList::Parts parts;
    for (auto& writer : writers) parts.push_back(sweep(*writer));
    const auto list = std::make_shared<const RoomList>(std::move(parts), 1);
    const std::string whole = ListReader(list).read_all();
    EXPECT_EQ(JsonObject(payload_of(list)).object("rooms").keys(), names) << "oldest first";
    ListReader reader(list);
    std::string pieces;
    while (reader.left_bytes() > 0) {
      std::string piece(1 + random() % 200, '\0');
      ListReader behind = reader;
      piece.resize(behind.read(piece.data(), piece.size()));
      const std::size_t sent = random() % (piece.size() + 1);
      pieces.append(piece, 0, sent);
      if (random() % 2 == 0) {
        reader.skip(sent);
      } else {
        reader.read(piece.data(), sent);
      }
      ASSERT_EQ(reader.offset_bytes(), pieces.size());
    }
    EXPECT_EQ(pieces, whole);
  }
}

TEST_F(RoomListTest, ARestFromAnotherProcessGoesOn) {
  create("kitchen");
  ListWriter writer(roster_, kNoLimit);
  const auto list = std::make_shared<const RoomList>(RoomList::Parts{sweep(writer)}, 1);
  const std::string whole = ListReader(list).read_all();
  ListReader reader(std::make_shared<const RoomList>(whole));
  reader.skip(10);
  EXPECT_EQ(reader.read_all(), whole.substr(10));
}

// Rooms come and go between the pieces of a sweep. Who was there from before it to its end is
// listed, nobody twice, and nobody who came later.
TEST_F(RoomListTest, IsTrueWhileRoomsComeAndGo) {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    ListWriter writer(roster_, kNoLimit);
    std::map<std::string, std::uint32_t> rooms;
    for (int i = 0; i < 3'000; ++i) {
      const std::string name = std::to_string(seed) + "-" + std::to_string(i);
      rooms[name] = create(name);
    }
    const auto change = [&] {
      const std::string name = std::to_string(seed) + "-" + std::to_string(below(4'000));
      const auto found = rooms.find(name);
      if (found == rooms.end()) {
        rooms[name] = create(name);
      } else if (below(3) == 0) {
        join(found->second, "m" + std::to_string(roster_.version()));
      } else {
        end(found->second);
        rooms.erase(found);
      }
    };
    for (int sweeps = 0; sweeps < 20; ++sweeps) {
      for (std::size_t i = below(300); i > 0; --i) change();
      writer.begin();
      std::set<std::string> all_the_time;
      for (const auto& [name, slot] : rooms) all_the_time.insert(name);
      const std::set<std::string> before = all_the_time;
      for (bool is_done = false; !is_done;) {
        is_done = writer.go_on();
        for (std::size_t i = is_done ? 0 : below(60); i > 0; --i) {
          change();
          std::erase_if(all_the_time, [&](const auto& name) { return !rooms.contains(name); });
        }
      }
      const JsonObject json(payload_of(writer.part()));
      const auto keys = json.object("rooms").keys();
      const std::set<std::string> listed(keys.begin(), keys.end());
      EXPECT_EQ(listed.size(), keys.size()) << "no name is there twice";
      EXPECT_EQ(json.number("total"), static_cast<long>(keys.size()));
      for (const auto& name : listed) EXPECT_TRUE(before.contains(name)) << name;
      for (const auto& name : all_the_time) EXPECT_TRUE(listed.contains(name)) << name;
    }
    EXPECT_EQ(payload_of(sweep(writer)), expected());
    // Small groups are merged, so that few rooms are few chunks.
    while (rooms.size() > 100) {
      end(rooms.begin()->second);
      rooms.erase(rooms.begin());
    }
    for (const auto& [name, slot] : rooms) join(slot, "last");
    EXPECT_LE(sweep(writer)->chunks.size(), 8u);
    EXPECT_EQ(payload_of(writer.part()), expected());
    for (const auto& [name, slot] : rooms) end(slot);
  }
}

// First names of members give way, then rooms; the count tells of them all.
TEST_F(RoomListTest, HasABound) {
  for (int i = 0; i < 1'000; ++i) {
    const std::uint32_t room = create("room" + std::to_string(i));
    for (int j = 0; j < 5; ++j) join(room, std::string(100, 'm') + std::to_string(j));
  }
  const std::size_t whole = expected().size();
  for (const std::size_t limit : {2 * whole, whole / 2, whole / 20}) {
    ListWriter writer(roster_, limit);
    RoomGroups& groups = roster_.groups();
    for (auto slot = groups.oldest(); slot != kNoSlot; slot = groups[slot].newer) {
      groups[slot].chunk.reset();
      groups.touch(groups[slot].first_room, roster_.version());
    }
    const auto part = sweep(writer);
    EXPECT_LE(part->text_bytes, limit);
    EXPECT_GE(part->text_bytes, std::min(limit, whole) / 2);
    const JsonObject json(payload_of(part));
    ASSERT_TRUE(json.valid());
    EXPECT_EQ(json.number("total"), 1'000);
    const auto keys = json.object("rooms").keys();
    EXPECT_EQ(keys.size() == 1'000, limit > whole / 20);
  }
}

TEST_F(RoomListTest, WhatWasLeftOutComesBackWhenThereIsRoom) {
  std::vector<std::uint32_t> rooms;
  for (int i = 0; i < 1'000; ++i) rooms.push_back(create("room" + std::to_string(i)));
  ListWriter writer(roster_, expected().size() / 2);
  EXPECT_LT(JsonObject(payload_of(sweep(writer))).object("rooms").keys().size(), 1'000u);
  while (rooms.size() > 200) {
    end(rooms[rooms.size() / 2]);
    rooms.erase(rooms.begin() + static_cast<std::ptrdiff_t>(rooms.size() / 2));
  }
  sweep(writer);  // finds that there is room
  EXPECT_EQ(payload_of(sweep(writer)), expected());
}

class RoomDirectoryTest : public RoomListTest {
 protected:
  std::shared_ptr<const RoomList> ask(TimeMs now_ms) {
    directory_.ask({});
    while (directory_.has_work(now_ms) && peers_.replies.empty()) {
      directory_.go_on(now_ms, peers_);
    }
    if (peers_.replies.empty()) return nullptr;
    auto list = peers_.replies.front().list;
    peers_.replies.clear();
    return list;
  }

  RoomListCache directory_{roster_, 0, 1};
  PeerShards peers_;
};

TEST_F(RoomDirectoryTest, AllWhoAskShareOneList) {
  for (int i = 0; i < 5'000; ++i) create("room" + std::to_string(i));
  const auto first = ask(1);
  EXPECT_EQ(payload_of(first), expected());
  EXPECT_EQ(ask(1), first);
  const std::uint32_t room = create("another");
  const auto second = ask(1);
  EXPECT_NE(second, first);
  EXPECT_EQ(payload_of(second), expected());
  EXPECT_EQ(second->parts()[0]->chunks[0], first->parts()[0]->chunks[0]) << "but for what changed";
  end(room);
}

// Each change and each reader that does not read cost a list of their own, until they hold too
// much: then the next list waits.
TEST_F(RoomDirectoryTest, WhatSlowReadersHoldIsBounded) {
  const std::string filler(200, 'r');
  std::vector<std::uint32_t> rooms;
  for (int i = 0; i < 20'000; ++i) rooms.push_back(create(filler + std::to_string(i)));
  std::vector<std::shared_ptr<const RoomList>> held;
  while (held.size() < 100) {
    auto list = ask(5);
    if (!list) break;
    held.push_back(std::move(list));
    // All chunks change.
    for (std::size_t i = 0; i < rooms.size(); i += 32) join(rooms[i], std::to_string(held.size()));
  }
  const std::size_t list_bytes = held.back()->size_bytes();
  EXPECT_GE(held.size() * list_bytes, 40u << 20);
  EXPECT_LE(held.size() * list_bytes, (64u << 20) + list_bytes);
  EXPECT_EQ(directory_.waits_for_readers_since(), 5u);
  EXPECT_FALSE(directory_.has_work(6)) << "it does not spin meanwhile";
  ASSERT_TRUE(directory_.next_deadline());
  const TimeMs again_ms = *directory_.next_deadline();
  EXPECT_TRUE(directory_.has_work(again_ms));
  held.resize(1);
  while (directory_.has_work(again_ms)) directory_.go_on(again_ms, peers_);
  ASSERT_EQ(peers_.replies.size(), 1u);
  EXPECT_EQ(payload_of(peers_.replies[0].list), expected());
  EXPECT_FALSE(directory_.waits_for_readers_since());
}

}  // namespace
}  // namespace chatd
