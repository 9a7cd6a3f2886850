// What chatd tells the service manager that has started it: the test is the manager.
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstring>
#include <deque>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "tests/e2e/chatd/server_test.h"
#include "tests/support/temporary_file.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

// A socket as systemd has it, in the abstract namespace: nothing to clean up.
class Manager {
 public:
  Manager() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    // Only the family: the kernel picks a name (unix(7), autobind).
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(sa_family_t)), 0);
    socklen_t size_bytes = sizeof address;
    ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size_bytes);
    const std::size_t name_bytes = size_bytes - offsetof(sockaddr_un, sun_path) - 1;
    name_ = "@" + std::string(address.sun_path + 1, name_bytes);
    reader_ = std::thread([this] { read(); });
  }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;
  ~Manager() {
    is_over_ = true;
    reader_.join();
  }

  ProcessOptions environment(const std::string& watchdog_us = "") const {
    ProcessOptions options{.environment = {{"NOTIFY_SOCKET", name_}}};
    if (!watchdog_us.empty()) options.environment.emplace_back("WATCHDOG_USEC", watchdog_us);
    return options;
  }

  // Whether it has been told this, in this message or a later one.
  bool is_told(std::string_view state) {
    return wait_until([&] {
      const std::lock_guard lock(mutex_);
      while (!told_.empty()) {
        last_ = std::move(told_.front());
        told_.pop_front();
        if (last_.find(state) != std::string::npos) return true;
      }
      return false;
    });
  }
  const std::string& last() const { return last_; }

 private:
  // All the time, as managers do: whoever tells one waits when ten messages have not been read.
  void read() {
    std::array<char, 4096> bytes;
    while (!is_over_) {
      const ssize_t count = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
      if (count < 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        continue;
      }
      const std::lock_guard lock(mutex_);
      told_.emplace_back(bytes.data(), static_cast<std::size_t>(count));
    }
  }

  UniqueFd socket_;
  std::string name_;
  std::string last_;
  std::mutex mutex_;
  std::deque<std::string> told_;  // and not yet asked about
  std::atomic<bool> is_over_ = false;
  std::thread reader_;
};

class ServiceManagerIsTold : public ServerTest {};

TEST_F(ServiceManagerIsTold, ReadyDrainingAndStopping) {
  Manager manager;
  ASSERT_NO_FATAL_FAILURE(start({}, manager.environment()));
  EXPECT_TRUE(manager.is_told("READY=1"));
  EXPECT_NE(manager.last().find("STATUS=Serving on tcp 127.0.0.1:"), std::string::npos)
      << manager.last();
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  server().process().kill(SIGUSR2);
  EXPECT_TRUE(manager.is_told("STATUS=Draining: 2 members"));
  EXPECT_TRUE(server().stop(SIGTERM)) << server().diagnosis();
  EXPECT_TRUE(manager.is_told("STOPPING=1"));
}

// The watchdog's time is the service's, whichever process that is.
TEST_F(ServiceManagerIsTold, WhoTakesOver) {
  Manager manager;
  ASSERT_NO_FATAL_FAILURE(start({}, manager.environment("20000")));
  EXPECT_TRUE(manager.is_told("READY=1"));
  ASSERT_TRUE(server().hand_over()) << server().diagnosis();
  EXPECT_TRUE(manager.is_told("RELOADING=1"));
  EXPECT_TRUE(manager.is_told("MAINPID=" + std::to_string(server().pid())));
  EXPECT_TRUE(manager.is_told("READY=1"));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(manager.is_told("WATCHDOG=1")) << i;
}

TEST_F(ServiceManagerIsTold, ThatItIsAlive) {
  Manager manager;
  ASSERT_NO_FATAL_FAILURE(start({}, manager.environment("20000")));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(manager.is_told("WATCHDOG=1")) << i;
}

TEST_F(ServiceManagerIsTold, NothingWhenThereIsNone) {
  ASSERT_NO_FATAL_FAILURE(start({}, {.environment = {{"NOTIFY_SOCKET", "/nowhere/at/all"}}}));
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  EXPECT_TRUE(all_is_heard(room));
}

// Newer managers believe only a reload that is not older than their asking (systemd.service(5),
// Type=notify-reload).
TEST_F(ServiceManagerIsTold, OfAReloadWithItsTime) {
  Manager manager;
  const TemporaryFile file("");
  ASSERT_NO_FATAL_FAILURE(start({"--config", file.path()}, manager.environment()));
  EXPECT_TRUE(manager.is_told("READY=1"));
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  const auto asked_us = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  server().process().kill(SIGHUP);
  ASSERT_TRUE(manager.is_told("RELOADING=1"));
  const std::string_view label = "MONOTONIC_USEC=";
  const std::size_t at = manager.last().find(label);
  ASSERT_NE(at, std::string::npos) << manager.last();
  EXPECT_GE(std::stoll(manager.last().substr(at + label.size())), asked_us);
  EXPECT_TRUE(manager.is_told("READY=1"));
}

// A terminal that is closed sends SIGHUP, and without a configuration file there is nothing else
// that it could mean.
TEST_F(ServiceManagerIsTold, HangUpWithoutAConfigurationFileIsAStop) {
  ASSERT_NO_FATAL_FAILURE(start());
  EXPECT_TRUE(server().stop(SIGHUP)) << server().diagnosis();
}

}  // namespace
}  // namespace chatd::test
