// One thread a shard: they stop together, whether they are told to or one of them fails.
#include "server/shards/shard_threads.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "server/net/unique_fd.h"
#include "server/process/wait_readable.h"

namespace chatd {
namespace {

class ShardThreads : public testing::Test {
 protected:
  // What a shard does, as far as its thread is concerned.
  void serve() const {
    pollfd stop{.fd = stop_.get(), .events = POLLIN, .revents = 0};
    while (::poll(&stop, 1, -1) != 1) {
    }
  }
  static void raise(const UniqueFd& event) {
    const std::uint64_t one = 1;
    ASSERT_EQ(::write(event.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
  }

  UniqueFd signal_{::eventfd(0, EFD_CLOEXEC)};
  UniqueFd stop_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  const std::function<tl::expected<void, std::string>()> begin_ = [] {
    return tl::expected<void, std::string>();
  };
  const std::function<void(int)> attend_ = [this](int failed_fd) {
    wait_readable({signal_.get(), failed_fd});
  };
};

TEST_F(ShardThreads, StopWhenASignalComes) {
  std::array<std::string, 2> names;
  std::vector<std::function<void()>> shards;
  for (std::string& name : names) {
    shards.emplace_back([this, &name] {
      std::array<char, 16> text{};
      ::pthread_getname_np(::pthread_self(), text.data(), text.size());
      name = text.data();
      serve();
    });
  }
  raise(signal_);
  EXPECT_TRUE(run_shards(shards, stop_.get(), begin_, attend_));
  EXPECT_EQ(names, (std::array<std::string, 2>{"shard-0", "shard-1"}));
}

TEST_F(ShardThreads, DoNotRunWhatMustNotBegin) {
  const std::vector<std::function<void()>> shards(2, [] { FAIL() << "it runs"; });
  const auto result = run_shards(
      shards, stop_.get(), [] { return tl::unexpected<std::string>("not today"); },
      [](int) { FAIL() << "it is attended to"; });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), "not today");
}

TEST_F(ShardThreads, AllStopWhenOneFails) {
  bool other_has_stopped = false;
  const std::vector<std::function<void()>> shards = {
      [&] {
        serve();
        other_has_stopped = true;
      },
      [] { throw std::runtime_error("out of luck"); }};
  const auto result = run_shards(shards, stop_.get(), begin_, attend_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), "shard 1 failed: out of luck");
  EXPECT_TRUE(other_has_stopped);
}

TEST_F(ShardThreads, AllStopWhenTheirStarterFails) {
  bool has_stopped = false;
  const std::vector<std::function<void()>> shards = {[&] {
    serve();
    has_stopped = true;
  }};
  EXPECT_THROW((void)run_shards(shards, stop_.get(), begin_, [](int) { throw std::bad_alloc(); }),
               std::bad_alloc);
  EXPECT_TRUE(has_stopped);
}

}  // namespace
}  // namespace chatd
