// The admin endpoint beside shards that do not answer: it says which one, and holds up nothing.
#include "server/admin/admin.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "server/group/run_on_shards.h"
#include "tests/integration/server/running_server.h"
#include "tests/support/http.h"
#include "tests/support/json.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

constexpr std::uint8_t kHangs = 1;

// Keeps one shard's thread busy until it is destroyed.
class HangingShard {
 public:
  explicit HangingShard(ShardGroup& group) {
    const auto entered = std::make_shared<std::promise<void>>();
    std::future<void> is_entered = entered->get_future();
    group.mailbox(kHangs).post(
        Task([entered, released = released_.get_future().share()](const TaskContext&) {
          entered->set_value();
          released.wait();
        }));
    is_entered.wait();
  }
  ~HangingShard() { released_.set_value(); }

 private:
  std::promise<void> released_;
};

// An endpoint, and what it hands commands to.
class AdminBeside {
 public:
  explicit AdminBeside(ShardGroup& group)
      : admin_(Admin::open("127.0.0.1:0", {}, group, *bans_, reloader_, *commands_).value()) {
    EXPECT_TRUE(admin_->serve());
  }
  Admin* operator->() { return admin_.get(); }
  void close() { admin_.reset(); }

 private:
  std::unique_ptr<CommandQueue> commands_ = CommandQueue::open().value();
  std::unique_ptr<BanBook> bans_ = BanBook::open("", "").value();
  Reloader reloader_{config::Configuration{}, 0, nullptr};
  std::unique_ptr<Admin> admin_;
};

TEST(AdminBesideShards, NamesTheOneThatHangs) {
  RunningServer server(3);
  AdminBeside admin(server.group());
  EXPECT_EQ(http_get(admin->place(), "/healthz").status, 200);
  {
    const HangingShard hanging(server.group());
    const HttpAnswer answer = http_get(admin->place(), "/healthz");
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(JsonObject(answer.body).text("title"), "shard 1 has not answered within 2000 ms");
  }
  EXPECT_EQ(http_get(admin->place(), "/healthz").status, 200);
}

TEST(AdminBesideShards, NobodyIsWaitedForAtTheEnd) {
  RunningServer server(3);
  const HangingShard hanging(server.group());
  ShardQuery query(server.group());
  const auto is_asked = std::make_shared<std::atomic<bool>>(false);
  std::string error;
  std::thread asker([&] {
    const auto answers = query.ask_all([is_asked](const TaskContext&) {
      *is_asked = true;  // on the shards that do not hang
      return true;
    });
    error = answers ? "all have answered" : answers.error();
  });
  EXPECT_TRUE(wait_until([&] { return is_asked->load(); }));
  query.end();
  asker.join();
  EXPECT_EQ(error, "chatd is stopping");
}

// It ends while the shard still hangs, and somebody may still wait for an answer.
TEST(AdminBesideShards, EndsWithoutWaitingForAShard) {
  RunningServer server(3);
  AdminBeside admin(server.group());
  const HangingShard hanging(server.group());
  const auto began = std::chrono::steady_clock::now();
  std::thread asker([place = admin->place()] {
    // Cut short, or told that it is over; 200 it cannot be.
    EXPECT_NE(http_get(place, "/metrics").status, 200);
  });
  admin.close();
  asker.join();
  EXPECT_LT(std::chrono::steady_clock::now() - began, kAskTimeout);
}

}  // namespace
}  // namespace chatd::test
