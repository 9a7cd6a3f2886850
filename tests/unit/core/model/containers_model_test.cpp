// SlotPool and SlotIndex together, as the roster uses them, against std::unordered_map.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/slot_index.h"
#include "core/base/slot_pool.h"
#include "tests/unit/core/model/seeds.h"

namespace chatd {
namespace {

using test::Dice;

struct Name {
  std::string_view text;
  bool operator==(const Name&) const = default;
  std::uint64_t hash_with(const KeyedHash& hash) const { return hash(text); }
};
struct NameIn {
  const SlotPool<std::string>* pool;
  Name operator()(std::uint32_t slot) const { return {(*pool)[slot]}; }
};

// A pool of this capacity under random insertions and erasures of so many names.
void compare(std::uint32_t capacity, std::uint64_t name_count, std::uint64_t seed) {
  Dice dice(seed);
  SlotPool<std::string> pool(capacity);
  SlotIndex<Name, NameIn> index(capacity, KeyedHash({static_cast<std::uint8_t>(seed)}), {&pool});
  std::unordered_map<std::string, std::uint32_t> model;

  for (int step = 0; step < 50'000; ++step) {
    // Lengths on both sides of what a std::string holds without allocating.
    std::string name = std::to_string(dice.roll(name_count));
    if (name.size() % 2 == 0) name += std::string(30, 'x');
    const auto known = model.find(name);
    const auto found = index.find({name});
    ASSERT_EQ(found.has_value(), known != model.end());
    if (found) {
      ASSERT_EQ(*found, known->second);
      ASSERT_EQ(pool[*found], name);
      if (dice.one_in(2)) continue;
      index.erase(*found);
      pool.erase(*found);
      model.erase(known);
      ASSERT_FALSE(pool.contains(*found));
    } else {
      const auto slot = pool.insert(name);
      ASSERT_EQ(slot.has_value(), model.size() < capacity);
      if (!slot) continue;
      ASSERT_TRUE(index.insert(*slot));
      ASSERT_TRUE(model.emplace(name, *slot).second);
    }
    ASSERT_EQ(pool.size(), model.size());
    ASSERT_EQ(index.size(), model.size());
  }
  for (const auto& [name, slot] : model) {
    ASSERT_EQ(index.find({name}), slot);
    ASSERT_EQ(pool[slot], name);
  }
}

TEST(ContainersModel, AgreeWithUnorderedMap) {
  for (const std::uint64_t seed : test::model_seeds()) {
    SCOPED_TRACE(seed);
    compare(/*capacity=*/1'000, /*name_count=*/1'500, seed);
    compare(/*capacity=*/10, /*name_count=*/30, seed);
    compare(/*capacity=*/1, /*name_count=*/5, seed);
  }
}

// Two slots with one key: the second is refused, and the first stays.
TEST(ContainersModel, KeysAreUniqueAmongManySlots) {
  for (const std::uint64_t seed : test::model_seeds()) {
    Dice dice(seed);
    SlotPool<std::string> pool(2'000);
    SlotIndex<Name, NameIn> index(2'000, KeyedHash({}), {&pool});
    std::unordered_map<std::string, std::uint32_t> model;
    for (int i = 0; i < 2'000; ++i) {
      const std::string name = std::to_string(dice.roll(500));
      const std::uint32_t slot = pool.insert(name).value();
      ASSERT_EQ(index.insert(slot), model.emplace(name, slot).second);
      ASSERT_EQ(index.find({name}), model.at(name));
    }
  }
}

}  // namespace
}  // namespace chatd
