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

// The shards' threads. Whatever becomes of the one that has started them, they are told to stop and
// waited for.
class Threads {
 public:
  Threads(std::size_t count, int stop_fd) : stop_fd_(stop_fd) { threads_.reserve(count); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  ~Threads() {
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

tl::expected<void, std::string> run_shards(std::span<const std::function<void()>> shards,
                                           int stop_fd, const std::function<void(int)>& attend) {
  const std::vector<std::size_t> processors = usable_processors();
  std::vector<std::exception_ptr> failures(shards.size());
  // Nobody is told that chatd serves before each of them can.
  std::latch begun(static_cast<std::ptrdiff_t>(shards.size()));
  // An exception must neither pass for a clean stop nor take the other shards' members down without
  // a word: it stops all shards, and they say goodbye.
  const auto run_one = [&](std::size_t i) {
    try {
      name_thread("shard-" + std::to_string(i));
      if (shards.size() > 1) pin_thread(processors[i % processors.size()]);
      begun.count_down();
      shards[i]();
    } catch (...) {
      failures[i] = std::current_exception();
    }
    wake(stop_fd);
  };
  {
    Threads threads(shards.size(), stop_fd);
    if (const int error = threads.start_all(shards.size(), run_one); error != 0) {
      return tl::unexpected(system_error("a shard gets no thread", error));
    }
    begun.wait();
    attend(stop_fd);
  }
  for (std::size_t i = 0; i < failures.size(); ++i) {
    if (!failures[i]) continue;
    return tl::unexpected("shard " + std::to_string(i) + " failed: " + reason_of(failures[i]));
  }
  return {};
}

}  // namespace chatd
