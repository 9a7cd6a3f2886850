// What the simulator's machine must do like a real one, or shards would wait where no real one
// does.
#include "tests/sim/machine.h"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace chatd::sim {
namespace {

struct NoPeers final : Peers {
  void hears(std::uint32_t, std::string_view) override {}
  void hears_end(std::uint32_t) override {}
  void closed(std::uint32_t) override {}
};

class MachineTest : public testing::Test {
 protected:
  int wait(std::size_t max_events) {
    return machine_.epoll_wait(epoll_, std::span(events_).first(max_events), -1);
  }
  int add_event(std::uint64_t id) {
    const int fd = machine_.eventfd();
    machine_.epoll_add(epoll_, fd, EPOLLIN | EPOLLET, id);
    return fd;
  }

  World world_{/*seed=*/1, /*print_trace=*/false};
  Network network_{world_};
  NoPeers peers_;
  int ready_calls_ = 0;
  Machine machine_{world_, network_, peers_, [this](std::uint32_t) { ++ready_calls_; }};
  const int epoll_ = machine_.epoll_create();
  std::array<epoll_event, 2> events_{};
};

TEST_F(MachineTest, AfterAnInterruptedWaitTheShardGoesOnWithWhatIsReady) {
  const int event = add_event(1);
  int count = 0;
  for (int i = 0; i < 10'000 && count >= 0; ++i) {
    machine_.wake(event);
    ready_calls_ = 0;
    count = wait(2);
  }
  ASSERT_EQ(count, -1);
  EXPECT_EQ(errno, EINTR);
  EXPECT_EQ(ready_calls_, 1);
}

TEST_F(MachineTest, AfterAWaitThatHasNotToldOfAllTheShardGoesOn) {
  const int first = add_event(1);
  const int second = add_event(2);
  int count = -1;
  while (count < 0) {
    machine_.wake(first);
    machine_.wake(second);
    ready_calls_ = 0;
    count = wait(1);
  }
  EXPECT_EQ(count, 1);
  EXPECT_EQ(ready_calls_, 1);
}

TEST_F(MachineTest, AfterAWaitThatHasToldOfAllTheShardMayWait) {
  const int event = add_event(1);
  int count = -1;
  while (count < 0) {
    machine_.wake(event);
    ready_calls_ = 0;
    count = wait(2);
  }
  EXPECT_EQ(count, 1);
  EXPECT_EQ(ready_calls_, 0);
}

}  // namespace
}  // namespace chatd::sim
