// Randomness of the model tests. The seeds are fixed, so that a test that passed will pass again;
// CHATD_MODEL_SEED=n in the environment tries others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <vector>

namespace chatd::test {

inline std::vector<std::uint64_t> model_seeds() {
  if (const char* text = std::getenv("CHATD_MODEL_SEED")) {
    return {std::strtoull(text, nullptr, 10)};
  }
  return {1, 2, 3, 4, 5};
}

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}

  // 0 to below - 1.
  std::uint64_t roll(std::uint64_t below) { return engine_() % below; }
  std::uint32_t roll32(std::uint32_t below) { return static_cast<std::uint32_t>(roll(below)); }
  bool one_in(std::uint64_t chances) { return roll(chances) == 0; }
  std::uint64_t any() { return engine_(); }

  template <class Container>
  const typename Container::value_type& pick(const Container& from) {
    return from[static_cast<std::size_t>(roll(from.size()))];
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace chatd::test
