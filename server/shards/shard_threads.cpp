#include "server/shards/shard_threads.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <thread>
#include <vector>

#include "server/process/processors.h"

namespace chatd {
namespace {

void stop_all(int stop_fd) {
  const std::uint64_t one = 1;
  (void)!::write(stop_fd, &one, sizeof one);
}

// An exception must neither pass for a clean stop nor take the other shards' members down without a
// word: it stops all shards, and they say goodbye.
void run_one(const std::function<void()>& shard, std::string& failure, int stop_fd) {
  try {
    shard();
  } catch (const std::exception& error) {
    failure = error.what();
  } catch (...) {
    failure = "unknown exception";
  }
  stop_all(stop_fd);
}

void wait_for_either(int signal_fd, int stop_fd) {
  std::array<pollfd, 2> watched{pollfd{.fd = signal_fd, .events = POLLIN, .revents = 0},
                                pollfd{.fd = stop_fd, .events = POLLIN, .revents = 0}};
  while (::poll(watched.data(), watched.size(), -1) < 0 && errno == EINTR) {
  }
}

}  // namespace

tl::expected<void, std::string> run_shards(std::span<const std::function<void()>> shards,
                                           int signal_fd, int stop_fd) {
  const std::vector<std::size_t> processors = usable_processors();
  std::vector<std::string> failures(shards.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    threads.emplace_back([&, i] {
      name_thread("shard-" + std::to_string(i));
      if (shards.size() > 1) pin_thread(processors[i % processors.size()]);
      run_one(shards[i], failures[i], stop_fd);
    });
  }
  wait_for_either(signal_fd, stop_fd);
  stop_all(stop_fd);
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < failures.size(); ++i) {
    if (failures[i].empty()) continue;
    return tl::unexpected("shard " + std::to_string(i) + " failed: " + failures[i]);
  }
  return {};
}

}  // namespace chatd
