// One direction of a line, with the faults that it is told to have. Which packet suffers what
// follows from the seed and the packets' order alone, and everything is counted: so a test can ask
// for an exact sum where tc netem allows for a likely one only. Knows neither sockets nor the
// clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace chatd::test {

// Probabilities, from 0 to 1.
struct Faults {
  double loss = 0;
  double duplication = 0;  // of what is not lost: it comes twice
  double reordering = 0;   // of what is not lost: kReorderingMs late, while others pass
  int delay_ms = 0;        // of everything
  bool is_cut = false;     // nothing passes
  // What is larger is lost, and nobody is told: a black hole. 0: everything fits.
  std::size_t max_packet_bytes = 0;
};

// Of a path so far: entered + duplicated = lost + left + waiting.
struct Traffic {
  std::uint64_t entered = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t lost = 0;
  std::uint64_t left = 0;
  std::uint64_t waiting = 0;
  std::uint64_t overtaken = 0;  // left after one that had entered later
};

// Thread: one at a time.
class Path {
 public:
  using TimeUs = std::int64_t;
  static constexpr int kReorderingMs = 3;

  explicit Path(std::uint64_t seed) : random_(seed) {}

  void set(const Faults& faults) { faults_ = faults; }
  void enter(TimeUs now_us, std::string packet);
  // The packets that are due, in the order in which they leave.
  std::vector<std::string> leave(TimeUs now_us);
  std::optional<TimeUs> next_due_us() const;
  Traffic traffic() const;

 private:
  struct Waiting {
    std::uint64_t number;
    std::string packet;
  };

  bool happens(double probability);
  void put(TimeUs due_us, std::string packet);

  std::mt19937_64 random_;
  Faults faults_;
  Traffic traffic_;
  std::uint64_t next_number_ = 0;
  std::uint64_t highest_left_ = 0;
  // By when they are due; those of one moment in the order in which they came.
  std::multimap<TimeUs, Waiting> waiting_;
};

}  // namespace chatd::test
