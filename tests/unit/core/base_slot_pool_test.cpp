// The slot pool: reuse of slots, its capacity, and that values stay where they are.
#include "core/base/slot_pool.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace chatd {
namespace {

TEST(SlotPool, GivesSlotsInOrder) {
  SlotPool<std::string> pool(3);
  EXPECT_EQ(pool.insert("a"), 0u);
  EXPECT_EQ(pool.insert("b"), 1u);
  EXPECT_EQ(pool[0], "a");
  EXPECT_EQ(pool[1], "b");
  EXPECT_EQ(pool.size(), 2u);
}

TEST(SlotPool, IsFullAtItsCapacity) {
  SlotPool<int> pool(2);
  EXPECT_TRUE(pool.insert(1));
  EXPECT_TRUE(pool.insert(2));
  EXPECT_FALSE(pool.insert(3).has_value());
  EXPECT_EQ(pool.size(), 2u);
  pool.erase(0);
  EXPECT_EQ(pool.insert(4), 0u);
  EXPECT_FALSE(pool.insert(5).has_value());
}

TEST(SlotPool, OfNoCapacityTakesNothing) {
  SlotPool<int> pool(0);
  EXPECT_FALSE(pool.insert(1).has_value());
}

TEST(SlotPool, UsesTheLastFreedSlotFirst) {
  SlotPool<int> pool(4);
  for (int i = 0; i < 4; ++i) pool.insert(i);
  pool.erase(1);
  pool.erase(3);
  EXPECT_EQ(pool.insert(10), 3u);
  EXPECT_EQ(pool.insert(11), 1u);
}

TEST(SlotPool, IsFilledAtGivenSlots) {
  SlotPool<int> pool(6);
  EXPECT_TRUE(pool.insert_at(2, 20));
  EXPECT_TRUE(pool.insert_at(4, 40));
  EXPECT_FALSE(pool.insert_at(4, 41));
  EXPECT_FALSE(pool.insert_at(3, 30));  // behind the last one only
  EXPECT_FALSE(pool.insert_at(6, 60));
  EXPECT_EQ(pool.size(), 2u);
  EXPECT_EQ(pool[2], 20);
  EXPECT_EQ(pool[4], 40);
  EXPECT_FALSE(pool.contains(3));
  std::set<std::uint32_t> others;
  for (int i = 0; i < 4; ++i) others.insert(pool.insert(i).value());
  EXPECT_EQ(others, (std::set<std::uint32_t>{0, 1, 3, 5}));
  EXPECT_FALSE(pool.insert(0).has_value());
}

TEST(SlotPool, KnowsWhatIsInUse) {
  SlotPool<int> pool(4);
  pool.insert(7);
  EXPECT_TRUE(pool.contains(0));
  EXPECT_FALSE(pool.contains(1));
  EXPECT_FALSE(pool.contains(0xffff'ffff));
  EXPECT_EQ(pool.find(0), &pool[0]);
  EXPECT_EQ(pool[0], 7);
  pool.erase(0);
  EXPECT_FALSE(pool.contains(0));
  EXPECT_EQ(pool.find(0), nullptr);
  EXPECT_EQ(pool.size(), 0u);
}

TEST(SlotPool, GivesBackWhatAnErasedValueHolds) {
  SlotPool<std::shared_ptr<int>> pool(1);
  const auto held = std::make_shared<int>(1);
  pool.insert(held);
  EXPECT_EQ(held.use_count(), 2);
  pool.erase(0);
  EXPECT_EQ(held.use_count(), 1);
}

TEST(SlotPool, NeverMovesAValue) {
  constexpr std::uint32_t kCapacity = 10'000;
  SlotPool<std::string> pool(kCapacity);
  pool.insert("first");
  const std::string* const first = &pool[0];
  for (std::uint32_t i = 1; i < kCapacity; ++i) pool.insert("x");
  EXPECT_EQ(&pool[0], first);
  EXPECT_EQ(*first, "first");
}

}  // namespace
}  // namespace chatd
