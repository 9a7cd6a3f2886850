// One thread a shard: they stop together, whether they are told to or one of them fails.
#include "server/group/shard_threads.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include <array>
#include <functional>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "server/os/unique_fd.h"
#include "server/os/wait.h"

namespace chatd {
namespace {

class ShardThreadsTest : public testing::Test {
 protected:
  // What a shard does, as far as its thread is concerned.
  void serve() const { wait_readable({stop_.get()}); }

  UniqueFd stop_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
};

TEST_F(ShardThreadsTest, StopWhenTheyAreTold) {
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
  ShardThreads threads(shards, stop_.get());
  ASSERT_TRUE(threads.start());
  threads.run();
  EXPECT_TRUE(threads.stop());
  EXPECT_EQ(names, (std::array<std::string, 2>{"shard-0", "shard-1"}));
}

TEST_F(ShardThreadsTest, DoNotRunWhatMustNotBegin) {
  const std::vector<std::function<void()>> shards(2, [] { FAIL() << "it runs"; });
  ShardThreads threads(shards, stop_.get());
  ASSERT_TRUE(threads.start());
}

TEST_F(ShardThreadsTest, AllStopWhenOneFails) {
  bool other_has_stopped = false;
  const std::vector<std::function<void()>> shards = {
      [&] {
        serve();
        other_has_stopped = true;
      },
      [] { throw std::runtime_error("out of luck"); }};
  ShardThreads threads(shards, stop_.get());
  ASSERT_TRUE(threads.start());
  threads.run();
  wait_readable({stop_.get()});
  const auto stopped = threads.stop();
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error(), "shard 1 failed: out of luck");
  EXPECT_TRUE(other_has_stopped);
}

TEST_F(ShardThreadsTest, AllStopWhenTheirStarterFails) {
  bool has_stopped = false;
  const auto start_and_fail = [&] {
    ShardThreads threads({[&] {
                           serve();
                           has_stopped = true;
                         }},
                         stop_.get());
    ASSERT_TRUE(threads.start());
    threads.run();
    throw std::bad_alloc();
  };
  EXPECT_THROW(start_and_fail(), std::bad_alloc);
  EXPECT_TRUE(has_stopped);
}

}  // namespace
}  // namespace chatd
