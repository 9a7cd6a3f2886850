// The timer wheel against std::multimap: any deadline, any jump of the clock, timers moved and
// stopped while others fire.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "core/base/timer_wheel.h"
#include "tests/unit/core/model/seeds.h"

namespace chatd {
namespace {

using test::Dice;

constexpr std::uint32_t kSlots = 200;

struct Timer {
  std::uint32_t slot;
  bool was_ahead;  // when it was armed; those that had passed by then fire at once, in any order
};

class WheelAndModel {
 public:
  WheelAndModel(TimeMs now_ms, Dice& dice) : wheel_(kSlots, now_ms), now_ms_(now_ms), dice_(dice) {}

  void step() {
    const std::uint32_t slot = dice_.roll32(kSlots);
    switch (dice_.roll(10)) {
      case 0:
        disarm(slot);
        break;
      case 1:
      case 2:
        advance();
        break;
      default:
        arm(slot, random_deadline());
    }
    check_slot(slot);
    check_next_deadline();
  }

  void finish() {
    now_ms_ = ~TimeMs{0};
    pop(kSlots + 1, false);
    EXPECT_TRUE(model_.empty());
    EXPECT_FALSE(wheel_.next_deadline().has_value());
  }

 private:
  // Distances of every size, so that every level is used; some lie in the past.
  TimeMs random_distance() {
    const std::uint64_t bits = dice_.one_in(20) ? dice_.roll(63) : dice_.roll(20);
    return dice_.any() >> (63 - bits) >> 1;
  }
  TimeMs random_deadline() {
    const TimeMs distance = random_distance();
    if (dice_.one_in(10)) return now_ms_ - std::min(now_ms_, distance);
    return now_ms_ + std::min(distance, ~TimeMs{0} - now_ms_);
  }

  void arm(std::uint32_t slot, TimeMs deadline_ms) {
    disarm_in_model(slot);
    model_.emplace(deadline_ms, Timer{slot, deadline_ms > now_ms_});
    wheel_.arm(slot, deadline_ms);
  }
  void disarm(std::uint32_t slot) {
    disarm_in_model(slot);
    wheel_.disarm(slot);
  }
  void disarm_in_model(std::uint32_t slot) {
    std::erase_if(model_, [slot](const auto& timer) { return timer.second.slot == slot; });
  }

  // Jumps are small mostly: a jump to the end of time leaves nothing to test after it.
  void advance() {
    const std::uint64_t bits = dice_.one_in(500) ? dice_.roll(50) : dice_.roll(14);
    now_ms_ += dice_.any() >> (63 - bits) >> 1;
    pop(dice_.one_in(4) ? dice_.roll(5) : 10 * kSlots, true);
  }

  // Fires at most `most` timers, and now and then arms one again meanwhile.
  void pop(std::uint64_t most, bool may_rearm) {
    TimeMs last_ms = 0;
    for (; most > 0; --most) {
      const auto fired = wheel_.pop_expired(now_ms_);
      if (!fired) {
        const bool none_due = model_.empty() || model_.begin()->first > now_ms_;
        ASSERT_TRUE(none_due) << "late: " << model_.begin()->first << " at " << now_ms_;
        return;
      }
      const auto timer = std::find_if(model_.begin(), model_.end(),
                                      [&](const auto& t) { return t.second.slot == *fired; });
      ASSERT_NE(timer, model_.end()) << "fired without a timer";
      ASSERT_LE(timer->first, now_ms_) << "early";
      if (timer->second.was_ahead) {
        ASSERT_GE(timer->first, last_ms) << "out of order";
        last_ms = timer->first;
      }
      model_.erase(timer);
      ASSERT_FALSE(wheel_.is_armed(*fired));
      if (may_rearm && dice_.one_in(5)) arm(*fired, random_deadline());
    }
  }

  void check_slot(std::uint32_t slot) {
    const bool armed = std::any_of(model_.begin(), model_.end(),
                                   [slot](const auto& timer) { return timer.second.slot == slot; });
    ASSERT_EQ(wheel_.is_armed(slot), armed);
  }

  void check_next_deadline() {
    const auto next = wheel_.next_deadline();
    ASSERT_EQ(next.has_value(), !model_.empty());
    if (!next) return;
    ASSERT_LE(*next, std::max(now_ms_, model_.begin()->first));
  }

  TimerWheel wheel_;
  std::multimap<TimeMs, Timer> model_;
  TimeMs now_ms_;
  Dice& dice_;
};

class TimerWheelModel : public testing::TestWithParam<TimeMs> {};

TEST_P(TimerWheelModel, AgreesWithMultimap) {
  for (const std::uint64_t seed : test::model_seeds()) {
    SCOPED_TRACE(seed);
    Dice dice(seed);
    WheelAndModel both(GetParam(), dice);
    for (int i = 0; i < 20'000 && !testing::Test::HasFatalFailure(); ++i) both.step();
    both.finish();
    if (testing::Test::HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Starts, TimerWheelModel,
                         testing::Values(TimeMs{0}, TimeMs{1'700'000'000'000},
                                         (TimeMs{1} << 32) - 5'000, (TimeMs{1} << 63) - 5'000));

}  // namespace
}  // namespace chatd
