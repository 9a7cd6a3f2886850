// Sends a task to shards and waits for what they say. A shard answers within a turn, a few
// milliseconds; one that hangs, or has ended, does not, so waiting has an end, and what a task
// says after that is lost without harm. Thread: any but the shards'.
#pragma once

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <type_traits>
#include <utility>
#include <vector>

#include "server/group/shard_group.h"
#include "server/group/task.h"

namespace chatd {

// Long for a shard, short for an operator.
inline constexpr std::chrono::milliseconds kAskTimeout{2000};

template <class Work>
using AnswerOf = std::invoke_result_t<const Work&, const TaskContext&>;

// `work` takes a const TaskContext& and returns the answer; what it refers to must outlive the
// shard (capture by value).
template <class Work>
std::future<AnswerOf<Work>> post_task(ShardGroup& group, std::uint8_t shard, const Work& work) {
  // Shared, since a Task can be copied and a packaged_task cannot.
  const auto task = std::make_shared<std::packaged_task<AnswerOf<Work>(const TaskContext&)>>(work);
  group.mailbox(shard).post(Task([task](const TaskContext& site) { (*task)(site); }));
  return task->get_future();
}

// All shards at the same time; the answers in their order. An error names the one that says
// nothing.
template <class Work>
tl::expected<std::vector<AnswerOf<Work>>, std::string> run_on_shards(
    ShardGroup& group, const Work& work, std::chrono::milliseconds timeout = kAskTimeout) {
  const auto give_up_at = std::chrono::steady_clock::now() + timeout;
  std::vector<std::future<AnswerOf<Work>>> asked;
  for (std::uint32_t shard = 0; shard < group.shard_count(); ++shard) {
    asked.push_back(post_task(group, static_cast<std::uint8_t>(shard), work));
  }
  std::vector<AnswerOf<Work>> answers;
  for (std::future<AnswerOf<Work>>& each : asked) {
    if (each.wait_until(give_up_at) != std::future_status::ready) {
      return tl::unexpected("shard " + std::to_string(answers.size()) +
                            " has not answered within " + std::to_string(timeout.count()) + " ms");
    }
    answers.push_back(each.get());
  }
  return answers;
}

}  // namespace chatd
