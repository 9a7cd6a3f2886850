// The process that was started first ends as the last one that served has ended.
#include "server/lifecycle/keeper.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <optional>
#include <utility>

#include "server/lifecycle/signals.h"

namespace chatd::test {
namespace {

constexpr int kEndOfTheLast = 7;

// A process that has the line, hands over to another one and ends well. The other one fails before
// it can say that it serves.
[[noreturn]] void hand_over(KeeperLine& line) {
  const pid_t successor = ::fork();
  if (successor == 0) ::_exit(kEndOfTheLast);
  line.announce(successor);
  ::_exit(0);
}

int keep() {
  const auto signals = Signals::open();
  if (!signals) return 100;
  auto keeper = Keeper::open(*signals);
  if (!keeper) return 101;
  auto line = std::make_optional(std::move(keeper->second));
  const pid_t serving = ::fork();
  if (serving == 0) hand_over(*line);
  line.reset();
  return keeper->first.run(serving);
}

TEST(KeeperTest, EndsLikeASuccessorThatEndsBeforeItHasSpoken) {
  EXPECT_EXIT(::_exit(keep()), testing::ExitedWithCode(kEndOfTheLast), "");
}

}  // namespace
}  // namespace chatd::test
