// Asks shards something for somebody who waits on the other end of an HTTP connection, by errands
// (server/shards/errand.h). Waiting ends at once when chatd stops: whoever asks must not hold that
// up. Thread: ask on any, end() on any.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "server/shards/ask_shards.h"
#include "server/shards/switchboard.h"

namespace chatd {

class Questions {
 public:
  explicit Questions(Switchboard& board) : board_(board) {}

  std::uint32_t shard_count() const { return board_.shard_count(); }
  std::uint32_t connections() const { return board_.connections(); }

  // Nobody is waited for any more.
  void end() { is_ending_.store(true, std::memory_order_relaxed); }
  bool is_ending() const { return is_ending_.load(std::memory_order_relaxed); }

  // All shards at the same time; the answers in their order. An error is a sentence.
  template <class Work>
  tl::expected<std::vector<AnswerOf<Work>>, std::string> ask_all(const Work& work) {
    const auto give_up_at = Clock::now() + kAskTimeout;
    std::vector<std::future<AnswerOf<Work>>> asked;
    for (std::uint32_t shard = 0; shard < shard_count(); ++shard) {
      asked.push_back(send_errand(board_, static_cast<std::uint8_t>(shard), work));
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
    auto asked = send_errand(board_, static_cast<std::uint8_t>(shard), work);
    return wait_for(asked, shard, Clock::now() + kAskTimeout);
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kLook{20};

  template <class Answer>
  tl::expected<Answer, std::string> wait_for(std::future<Answer>& asked, std::uint32_t shard,
                                             Clock::time_point give_up_at) {
    while (asked.wait_until(std::min(give_up_at, Clock::now() + kLook)) !=
           std::future_status::ready) {
      if (is_ending()) return tl::unexpected<std::string>("chatd is stopping");
      if (Clock::now() < give_up_at) continue;
      return tl::unexpected("shard " + std::to_string(shard) + " has not answered within " +
                            std::to_string(kAskTimeout.count()) + " ms");
    }
    return asked.get();
  }

  Switchboard& board_;
  std::atomic<bool> is_ending_ = false;
};

}  // namespace chatd
