// The slot index finds slots by a key that it does not store. tests/unit/core/model holds it
// against std::unordered_map.
#include "core/base/slot_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chatd {
namespace {

struct Name {
  std::string_view text;
  bool operator==(const Name&) const = default;
  std::uint64_t hash_with(const KeyedHash& hash) const { return hash(text); }
};

// Every key under one hash: the table must compare, not trust.
struct Colliding {
  std::string_view text;
  bool operator==(const Colliding&) const = default;
  std::uint64_t hash_with(const KeyedHash&) const { return 42; }
};

template <class Key>
struct KeyIn {
  const std::vector<std::string>* names;
  Key operator()(std::uint32_t slot) const { return {(*names)[slot]}; }
};

template <class Key>
class SlotIndexTest : public testing::Test {
 protected:
  std::vector<std::string> names_ = {"alice", "bob", "carol", "alice"};
  SlotIndex<Key, KeyIn<Key>> index_{16, KeyedHash({}), {&names_}};
};

using Keys = testing::Types<Name, Colliding>;
TYPED_TEST_SUITE(SlotIndexTest, Keys);

TYPED_TEST(SlotIndexTest, FindsBySlotsKey) {
  for (const std::uint32_t slot : {0u, 1u, 2u}) EXPECT_TRUE(this->index_.insert(slot));
  EXPECT_EQ(this->index_.find({"bob"}), 1u);
  EXPECT_EQ(this->index_.find({"carol"}), 2u);
  EXPECT_FALSE(this->index_.find({"dave"}).has_value());
  EXPECT_EQ(this->index_.size(), 3u);
}

TYPED_TEST(SlotIndexTest, RefusesASecondSlotWithTheKey) {
  EXPECT_TRUE(this->index_.insert(0));
  EXPECT_FALSE(this->index_.insert(3));  // another alice
  EXPECT_EQ(this->index_.find({"alice"}), 0u);
  EXPECT_EQ(this->index_.size(), 1u);
}

TYPED_TEST(SlotIndexTest, ErasesBySlot) {
  for (const std::uint32_t slot : {0u, 1u, 2u}) this->index_.insert(slot);
  this->index_.erase(0);
  EXPECT_FALSE(this->index_.find({"alice"}).has_value());
  EXPECT_EQ(this->index_.find({"bob"}), 1u);
  EXPECT_TRUE(this->index_.insert(3));  // the name is free again
  EXPECT_EQ(this->index_.find({"alice"}), 3u);
}

TEST(KeyedHash, DependsOnKeyAndBytes) {
  const KeyedHash a({1});
  const KeyedHash b({2});
  EXPECT_EQ(a("lobby"), a("lobby"));
  EXPECT_NE(a("lobby"), b("lobby"));
  EXPECT_NE(a("lobby"), a("lobbz"));
  EXPECT_NE(a(""), a(std::string_view("\0", 1)));
}

// The SipHash-2-4 paper's own test vector: key 00..0f, input 00..0e.
TEST(KeyedHash, IsSipHash24) {
  KeyedHash::Key key{};
  std::string input;
  for (std::uint8_t i = 0; i < 16; ++i) key[i] = i;
  for (char c = 0; c < 15; ++c) input.push_back(c);
  EXPECT_EQ(KeyedHash(key)(input), 0xa129ca6149be45e5u);
}

// Somebody who knows one server's key can find names that share a place there; under another key
// they are names like any other. Keys are secret and never the same.
TEST(KeyedHashTest, NamesThatCollideUnderOneKeyDoNotUnderAnother) {
  constexpr std::uint64_t kPlaces = 1'024;
  KeyedHash::Key secret{};
  secret[3] = 7;
  const KeyedHash known({});
  const KeyedHash unknown(secret);
  std::vector<std::uint32_t> in_place(kPlaces, 0);
  std::uint32_t colliding = 0;
  for (int i = 0; colliding < 2'000; ++i) {
    const std::string name = "room " + std::to_string(i);
    if (known(name) % kPlaces != 0) continue;
    ++colliding;
    ++in_place[unknown(name) % kPlaces];
  }
  // Two a place on average; by chance one place in a billion would hold 20.
  EXPECT_LT(*std::max_element(in_place.begin(), in_place.end()), 20u);
}

}  // namespace
}  // namespace chatd
