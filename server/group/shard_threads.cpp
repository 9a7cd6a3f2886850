#include "server/group/shard_threads.h"

#include <system_error>
#include <utility>

#include "server/os/processors.h"
#include "server/os/system_error.h"
#include "server/os/wait.h"

namespace chatd {
namespace {

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

ShardThreads::ShardThreads(std::vector<std::function<void()>> shards, int stop_fd)
    : shards_(std::move(shards)),
      stop_fd_(stop_fd),
      processors_(usable_processors()),
      failures_(shards_.size()),
      arrivals_(static_cast<std::ptrdiff_t>(shards_.size())) {}

ShardThreads::~ShardThreads() {
  join();
}

tl::expected<void, std::string> ShardThreads::start() {
  threads_.reserve(shards_.size());
  try {
    for (std::size_t i = 0; i < shards_.size(); ++i)
      threads_.emplace_back([this, i] { body_of(i); });
  } catch (const std::system_error& error) {
    join();
    return tl::unexpected(system_error("a shard gets no thread", error.code().value()));
  }
  arrivals_.wait();
  return {};
}

// An exception must neither pass for a clean stop nor take the other shards' members down without a
// word: it stops all shards, and they say goodbye.
void ShardThreads::body_of(std::size_t shard) {
  name_thread("shard-" + std::to_string(shard));
  if (shards_.size() > 1) pin_thread(processors_[shard % processors_.size()]);
  arrivals_.count_down();
  release_.wait();
  try {
    if (may_run_) shards_[shard]();
  } catch (...) {
    failures_[shard] = std::current_exception();
  }
  wake(stop_fd_);
}

void ShardThreads::run() {
  let_through(true);
}

// Only the first call counts.
void ShardThreads::let_through(bool may_run) {
  if (release_.try_wait()) return;
  may_run_ = may_run;
  release_.count_down();
}

tl::expected<void, std::string> ShardThreads::stop() {
  join();
  for (std::size_t i = 0; i < failures_.size(); ++i) {
    if (!failures_[i]) continue;
    return tl::unexpected("shard " + std::to_string(i) + " failed: " + reason_of(failures_[i]));
  }
  return {};
}

void ShardThreads::join() {
  if (threads_.empty()) return;
  let_through(false);
  wake(stop_fd_);
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace chatd
