#include "tests/sim/sealed_expectations.h"

#include <array>

namespace chatd::sim {

std::string SealedExpectations::missing() const {
  const auto certain = std::find_if(frames_.begin(), frames_.end(),
                                    [](const Expected& one) { return one.is_certain; });
  if (certain == frames_.end()) return "";
  constexpr std::array<const char*, std::variant_size_v<Frame>> kNames = {
      "where the log ends", "that something is refused", "that something was taken",
      "that it is over", "to prove its address"};
  return "member " + std::to_string(certain->session->member) + " is not told " +
         kNames[certain->frame.index()];
}

// The first of what is missing answers the question.
bool SealedExpectations::take_repair(const SealedSession& session, const v2::Range& numbers) {
  for (Repair& repair : repairs_) {
    if (repair.session != &session) continue;
    for (std::size_t i = 0; i < repair.missing.size(); ++i) {
      const v2::Range& missing = repair.missing[i];
      if (numbers.first < missing.first || numbers.last > missing.last) continue;
      if (i == 0 && numbers.first == missing.first) repair.is_answered = true;
      return true;
    }
  }
  return false;
}

}  // namespace chatd::sim
