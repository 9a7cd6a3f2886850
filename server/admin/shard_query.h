// Asks shards something for somebody who waits on the other end of an HTTP connection, by tasks
// (server/group/task.h). Waiting ends at once when chatd stops: whoever asks must not hold that
// up. Thread: ask on any, end() on any.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "server/group/run_on_shards.h"
#include "server/group/shard_group.h"
#include "server/group/task.h"

namespace chatd {

class ShardQuery {
 public:
  explicit ShardQuery(ShardGroup& group) : group_(group) {}

  std::uint32_t shard_count() const { return group_.shard_count(); }
  std::uint32_t connections() const { return group_.connections(); }
  // Null: there is no TLS port.
  const TlsService* tls() const { return group_.tls(); }

  // Nobody is waited for any more.
  void end() {
    const std::lock_guard lock(bell_->mutex);
    bell_->is_ending = true;
    bell_->rung.notify_all();
  }

  // All shards at the same time; the answers in their order. An error is a sentence.
  template <class Work>
  tl::expected<std::vector<AnswerOf<Work>>, std::string> ask_all(const Work& work) {
    const auto give_up_at = Clock::now() + kAskTimeout;
    std::vector<std::future<AnswerOf<Work>>> asked;
    for (std::uint32_t shard = 0; shard < shard_count(); ++shard) {
      asked.push_back(send(shard, work));
    }
    std::vector<AnswerOf<Work>> answers;
    for (auto& each : asked) {
      auto answer = wait_for(each, static_cast<std::uint32_t>(answers.size()), give_up_at);
      if (!answer) return tl::unexpected(std::move(answer.error()));
      answers.push_back(std::move(*answer));
    }
    return answers;
  }

  // `shard` must be one of them.
  template <class Work>
  tl::expected<AnswerOf<Work>, std::string> ask_one(std::uint32_t shard, const Work& work) {
    auto asked = send(shard, work);
    return wait_for(asked, shard, Clock::now() + kAskTimeout);
  }

 private:
  using Clock = std::chrono::steady_clock;

  // Rung when a shard has answered, and at the end. An task may outlive who has sent it.
  struct Bell {
    std::mutex mutex;
    std::condition_variable rung;
    bool is_ending = false;
  };

  template <class Work>
  std::future<AnswerOf<Work>> send(std::uint32_t shard, const Work& work) {
    const auto task =
        std::make_shared<std::packaged_task<AnswerOf<Work>(const TaskContext&)>>(work);
    group_.mailbox(static_cast<std::uint8_t>(shard))
        .post(Task([task, bell = bell_](const TaskContext& site) {
          (*task)(site);
          const std::lock_guard lock(bell->mutex);
          bell->rung.notify_all();
        }));
    return task->get_future();
  }

  template <class Answer>
  tl::expected<Answer, std::string> wait_for(std::future<Answer>& asked, std::uint32_t shard,
                                             Clock::time_point give_up_at) {
    const auto is_there = [&asked] {
      return asked.wait_for(Clock::duration::zero()) == std::future_status::ready;
    };
    std::unique_lock lock(bell_->mutex);
    bell_->rung.wait_until(lock, give_up_at, [&] { return is_there() || bell_->is_ending; });
    if (is_there()) return asked.get();
    if (bell_->is_ending) return tl::unexpected<std::string>("chatd is stopping");
    return tl::unexpected("shard " + std::to_string(shard) + " has not answered within " +
                          std::to_string(kAskTimeout.count()) + " ms");
  }

  ShardGroup& group_;
  std::shared_ptr<Bell> bell_ = std::make_shared<Bell>();
};

}  // namespace chatd
