#include "server/shards/shard_threads.h"

#include <cstddef>
#include <exception>
#include <latch>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "server/process/processors.h"
#include "server/process/system_error.h"
#include "server/process/wake.h"

namespace chatd {
namespace {

// Keeps threads until all of them are there and are let through: to run, or with nothing to do.
class Gate {
 public:
  explicit Gate(std::size_t threads) : arrivals_(static_cast<std::ptrdiff_t>(threads)) {}

  // The threads'. Whether to run.
  bool pass() {
    arrivals_.count_down();
    release_.wait();
    return may_run_;
  }

  void await_all() { arrivals_.wait(); }
  // Only the first call counts.
  void let_through(bool may_run) {
    if (release_.try_wait()) return;
    may_run_ = may_run;
    release_.count_down();
  }

 private:
  std::latch arrivals_;
  std::latch release_{1};
  bool may_run_ = false;
};

// The shards' threads. Whatever becomes of the one that has started them, they are told to stop and
// waited for.
class Threads {
 public:
  Threads(std::size_t count, Gate& gate, int stop_fd) : gate_(gate), stop_fd_(stop_fd) {
    threads_.reserve(count);
  }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  ~Threads() {
    gate_.let_through(false);
    wake(stop_fd_);
    for (std::thread& thread : threads_) thread.join();
  }

  // 0, or the errno of what failed.
  template <class Body>
  int start_all(std::size_t count, const Body& body) {
    try {
      for (std::size_t i = 0; i < count; ++i) threads_.emplace_back([&body, i] { body(i); });
    } catch (const std::system_error& error) {
      return error.code().value();
    }
    return 0;
  }

 private:
  Gate& gate_;
  int stop_fd_;
  std::vector<std::thread> threads_;
};

std::string reason_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "unknown exception";
  }
}

}  // namespace

tl::expected<void, std::string> run_shards(
    std::span<const std::function<void()>> shards, int stop_fd,
    const std::function<tl::expected<void, std::string>()>& begin,
    const std::function<void(int)>& attend) {
  const std::vector<std::size_t> processors = usable_processors();
  std::vector<std::exception_ptr> failures(shards.size());
  Gate gate(shards.size());
  // An exception must neither pass for a clean stop nor take the other shards' members down without
  // a word: it stops all shards, and they say goodbye.
  const auto run_one = [&](std::size_t i) {
    name_thread("shard-" + std::to_string(i));
    if (shards.size() > 1) pin_thread(processors[i % processors.size()]);
    try {
      if (gate.pass()) shards[i]();
    } catch (...) {
      failures[i] = std::current_exception();
    }
    wake(stop_fd);
  };
  {
    Threads threads(shards.size(), gate, stop_fd);
    if (const int error = threads.start_all(shards.size(), run_one); error != 0) {
      return tl::unexpected(system_error("a shard gets no thread", error));
    }
    gate.await_all();
    if (auto begun = begin(); !begun) return begun;
    gate.let_through(true);
    attend(stop_fd);
  }
  for (std::size_t i = 0; i < failures.size(); ++i) {
    if (!failures[i]) continue;
    return tl::unexpected("shard " + std::to_string(i) + " failed: " + reason_of(failures[i]));
  }
  return {};
}

}  // namespace chatd
