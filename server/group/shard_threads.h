// A thread for each shard. With several, each thread is pinned to one of the process's processors,
// so that a shard's members stay in that processor's cache and two shards do not share one while
// another is idle. A single shard is left to the scheduler: there is nothing to keep apart, and it
// may have to make way for other programs.
//
// It starts in two steps: first every shard gets its thread, which may fail, then they run, which
// does not fail. Between the two a hand-over is committed. Thread: one that is none of these.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <latch>
#include <string>
#include <thread>
#include <tl/expected.hpp>
#include <vector>

namespace chatd {

class ShardThreads {
 public:
  // `shards` are what each thread runs, until the eventfd `stop_fd` is readable. It also becomes
  // readable when one of them has thrown, so that the others end, too. Signals must be blocked
  // already: threads inherit that.
  ShardThreads(std::vector<std::function<void()>> shards, int stop_fd);
  ShardThreads(const ShardThreads&) = delete;
  ShardThreads& operator=(const ShardThreads&) = delete;
  // Whatever becomes of the one that has started them, they are told to stop and waited for.
  ~ShardThreads();

  // Returns when each shard has its thread; none of them runs yet.
  tl::expected<void, std::string> start();
  void run();
  // Tells them to stop, and waits. An error: one of them has thrown, and what.
  tl::expected<void, std::string> stop();

 private:
  void body_of(std::size_t shard);
  void let_through(bool may_run);
  void join();

  std::vector<std::function<void()>> shards_;
  int stop_fd_;
  std::vector<std::size_t> processors_;
  std::vector<std::exception_ptr> failures_;
  std::latch arrivals_;
  std::latch release_{1};
  bool may_run_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace chatd
