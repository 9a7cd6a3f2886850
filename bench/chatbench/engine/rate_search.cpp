#include "bench/chatbench/engine/rate_search.h"

namespace chatd::bench {

void RateSearch::report(bool holds) {
  (holds ? best_ : worst_) = *next_;
  if (!worst_) {
    next_ = 2 * *best_;
    if (*next_ > kHighestRate) next_.reset();
  } else if (!best_) {
    next_ = *worst_ / 2;
    if (*next_ < kLowestRate) next_.reset();
  } else if (*worst_ <= *best_ * (1 + kPrecision)) {
    next_.reset();
  } else {
    next_ = (*best_ + *worst_) / 2;
  }
}

}  // namespace chatd::bench
