// What the simulator's machine must do like a real one, or shards would wait where no real one
// does.
#include "tests/sim/machine.h"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
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

  // Into the socket, to the first client of this host. 0, or why not.
  int send(int fd, std::uint32_t port) {
    std::string text = "hello";
    iovec piece{.iov_base = text.data(), .iov_len = text.size()};
    SocketAddress to{};
    mmsghdr header{};
    header.msg_hdr.msg_namelen = to_socket_address(network_.endpoint(port), AF_INET6, to);
    header.msg_hdr.msg_name = &to;
    header.msg_hdr.msg_iov = &piece;
    header.msg_hdr.msg_iovlen = 1;
    return machine_.send_batch(fd, {&header, 1}) == 1 ? 0 : errno;
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

TEST_F(MachineTest, WhatIsStuckFillsTheSocketForAllUntilItsPathIsFree) {
  const int fd = machine_.open_udp(0);
  const std::uint32_t stuck = network_.open_port(/*host=*/0, /*client=*/0);
  const std::uint32_t other = network_.open_port(/*host=*/1, /*client=*/1);
  world_.hosts[0].stuck = 1;
  int sent = 0;
  while (sent < 1000 && send(fd, stuck) == 0) ++sent;
  ASSERT_LT(sent, 1000);
  EXPECT_EQ(world_.events.size(), 0u);
  EXPECT_EQ(send(fd, other), EAGAIN);
  EXPECT_NE(machine_.unsent_bytes(fd), 0);
  world_.hosts[0].stuck = 0;
  machine_.release_path(0);
  EXPECT_EQ(world_.events.size(), static_cast<std::size_t>(sent));
  EXPECT_EQ(machine_.unsent_bytes(fd), 0);
  EXPECT_EQ(send(fd, other), 0);
}

TEST_F(MachineTest, ABusyPathRefusesForItselfAlone) {
  const int fd = machine_.open_udp(0);
  const std::uint32_t busy = network_.open_port(/*host=*/0, /*client=*/0);
  const std::uint32_t other = network_.open_port(/*host=*/1, /*client=*/1);
  world_.hosts[0].busy = 1;
  EXPECT_EQ(send(fd, busy), EAGAIN);
  EXPECT_EQ(send(fd, other), 0);
}

TEST_F(MachineTest, WhatASocketHoldsLeavesAlsoWhenItIsClosed) {
  const int fd = machine_.open_udp(0);
  const std::uint32_t stuck = network_.open_port(/*host=*/0, /*client=*/0);
  world_.hosts[0].stuck = 1;
  ASSERT_EQ(send(fd, stuck), 0);
  machine_.end_process();
  machine_.release_path(0);
  EXPECT_EQ(world_.events.size(), 1u);
}

}  // namespace
}  // namespace chatd::sim
