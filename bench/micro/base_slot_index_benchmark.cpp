// core/base/slot_index.h against std::unordered_map: a member is found by its name among a
// million. Both hash with SipHash under a key, since clients choose the names.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/keyed_hash.h"
#include "core/base/slot_index.h"

namespace chatd::bench {
namespace {

constexpr KeyedHash::Key kHashKey = {1, 2, 3, 4, 5, 6, 7, 8};

struct Name {
  std::string_view text;
  bool operator==(const Name&) const = default;
  std::uint64_t hash_with(const KeyedHash& hash) const { return hash(text); }
};

struct NameOfSlot {
  const std::vector<std::string>* names;
  Name operator()(std::uint32_t slot) const { return {(*names)[slot]}; }
};

using Flat = SlotIndex<Name, NameOfSlot>;

struct HashOfName {
  std::size_t operator()(const std::string& name) const { return KeyedHash(kHashKey)(name); }
};
using Unordered = std::unordered_map<std::string, std::uint32_t, HashOfName>;

// Made once: Google Benchmark calls each function several times.
const std::vector<std::string>& names_for(std::int64_t count) {
  static std::map<std::int64_t, std::vector<std::string>> made;
  std::vector<std::string>& names = made[count];
  while (static_cast<std::int64_t>(names.size()) < count) {
    names.push_back("member-" + std::to_string(names.size()));
  }
  return names;
}

// Visits all names in an order that no cache foresees: the factor has no divisor in common with the
// counts below, which are powers of ten.
std::size_t visit(std::size_t step, std::size_t count) {
  return step * 7'368'787 % count;
}

void index_find_flat(benchmark::State& state) {
  const auto& names = names_for(state.range(0));
  Flat index(static_cast<std::uint32_t>(names.size()), KeyedHash(kHashKey), NameOfSlot{&names});
  for (std::uint32_t slot = 0; slot < names.size(); ++slot) index.insert(slot);
  std::size_t step = 0;
  for (auto _ : state) {
    const auto slot = index.find({names[visit(step++, names.size())]});
    if (!slot) return state.SkipWithError("a name is missing");
    benchmark::DoNotOptimize(slot);
  }
}
BENCHMARK(index_find_flat)->ArgName("names")->Arg(1'000)->Arg(1'000'000);

void index_find_unordered_map(benchmark::State& state) {
  const auto& names = names_for(state.range(0));
  Unordered index(names.size());
  for (std::uint32_t slot = 0; slot < names.size(); ++slot) index.emplace(names[slot], slot);
  std::size_t step = 0;
  for (auto _ : state) {
    const auto found = index.find(names[visit(step++, names.size())]);
    if (found == index.end()) return state.SkipWithError("a name is missing");
    benchmark::DoNotOptimize(found->second);
  }
}
BENCHMARK(index_find_unordered_map)->ArgName("names")->Arg(1'000)->Arg(1'000'000);

void index_insert_and_erase_flat(benchmark::State& state) {
  const auto& names = names_for(state.range(0));
  Flat index(static_cast<std::uint32_t>(names.size()), KeyedHash(kHashKey), NameOfSlot{&names});
  for (std::uint32_t slot = 1; slot < names.size(); slot += 2) index.insert(slot);
  std::size_t step = 0;
  for (auto _ : state) {
    const auto slot = static_cast<std::uint32_t>(visit(step++, names.size()) & ~std::size_t{1});
    index.insert(slot);
    index.erase(slot);
  }
}
BENCHMARK(index_insert_and_erase_flat)->ArgName("names")->Arg(1'000)->Arg(1'000'000);

void index_insert_and_erase_unordered_map(benchmark::State& state) {
  const auto& names = names_for(state.range(0));
  Unordered index(names.size());
  for (std::uint32_t slot = 1; slot < names.size(); slot += 2) index.emplace(names[slot], slot);
  std::size_t step = 0;
  for (auto _ : state) {
    const auto slot = static_cast<std::uint32_t>(visit(step++, names.size()) & ~std::size_t{1});
    index.emplace(names[slot], slot);
    index.erase(names[slot]);
  }
}
BENCHMARK(index_insert_and_erase_unordered_map)->ArgName("names")->Arg(1'000)->Arg(1'000'000);

}  // namespace
}  // namespace chatd::bench
