// Sends an errand to shards and waits for what they say. A shard answers within a turn, a few
// milliseconds; one that hangs, or has ended, does not, so waiting has an end, and what an errand
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

#include "server/group/errand.h"
#include "server/group/switchboard.h"

namespace chatd {

// Long for a shard, short for an operator.
inline constexpr std::chrono::milliseconds kAskTimeout{2000};

template <class Work>
using AnswerOf = std::invoke_result_t<const Work&, const ErrandSite&>;

// `work` takes a const ErrandSite& and returns the answer; what it refers to must outlive the shard
// (capture by value).
template <class Work>
std::future<AnswerOf<Work>> send_errand(Switchboard& board, std::uint8_t shard, const Work& work) {
  // Shared, since an errand can be copied and a task cannot.
  const auto task = std::make_shared<std::packaged_task<AnswerOf<Work>(const ErrandSite&)>>(work);
  board.mailbox(shard).post(Errand([task](const ErrandSite& site) { (*task)(site); }));
  return task->get_future();
}

// All shards at the same time; the answers in their order. An error names the one that says
// nothing.
template <class Work>
tl::expected<std::vector<AnswerOf<Work>>, std::string> ask_shards(
    Switchboard& board, const Work& work, std::chrono::milliseconds timeout = kAskTimeout) {
  const auto give_up_at = std::chrono::steady_clock::now() + timeout;
  std::vector<std::future<AnswerOf<Work>>> asked;
  for (std::uint32_t shard = 0; shard < board.shard_count(); ++shard) {
    asked.push_back(send_errand(board, static_cast<std::uint8_t>(shard), work));
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
