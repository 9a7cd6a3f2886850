#include "core/room/train_planner.h"

#include <algorithm>
#include <bit>
#include <cassert>

namespace chatd {
namespace {

// How many sizes are tried for a train. Each costs a walk over all messages; a few are enough to
// find a long run where there is one.
constexpr std::uint32_t kMaxTriedSizes = 8;

class Planner {
 public:
  Planner(std::span<const MessageShape> messages, const TrainLimits& limits, TrainPlan& plan)
      : messages_(messages), limits_(limits), plan_(plan) {
    const auto count = static_cast<std::uint32_t>(messages.size());
    left_ = count == 64 ? ~MessageSet{0} : bit(count) - 1;
    find_earlier();
  }

  void run() {
    plan_.train_count = 0;
    while (left_ != 0) {
      Run run = best_run();
      add_shorter(run);
      emit(run);
    }
  }

 private:
  struct Run {
    MessageSet members = 0;
    std::uint32_t count = 0;
    std::uint32_t segment_bytes = 0;
    std::uint32_t tail = kNoTail;
  };
  static constexpr std::uint32_t kNoTail = 0xff;

  // earlier_[i]: the message that the same sender sent before message i. One bit or none.
  void find_earlier() {
    for (std::uint32_t i = 0; i < messages_.size(); ++i) {
      earlier_[i] = 0;
      for (std::uint32_t j = i; j-- > 0;) {
        if (messages_[j].sender != messages_[i].sender) continue;
        earlier_[i] = bit(j);
        break;
      }
    }
  }

  // Whether message i may go next, when those in `run` go before it.
  bool is_free(std::uint32_t i, MessageSet run) const { return (earlier_[i] & left_ & ~run) == 0; }

  // The messages of this size that can go in one train, one after the other.
  Run run_of(std::uint32_t size_bytes) const {
    Run run{.segment_bytes = size_bytes};
    std::uint32_t most = std::min(limits_.max_segments, kMaxTrainBytes / std::max(size_bytes, 1u));
    if (size_bytes > limits_.max_segment_bytes) most = 1;
    for (MessageSet set = left_; set != 0 && run.count < most; set &= set - 1) {
      const auto i = static_cast<std::uint32_t>(std::countr_zero(set));
      if (messages_[i].size_bytes != size_bytes || !is_free(i, run.members)) continue;
      run.members |= bit(i);
      ++run.count;
    }
    return run;
  }

  // The longest run; of two equally long ones that of larger messages, to which a shorter one can
  // be added.
  Run best_run() const {
    Run best;
    std::array<std::uint32_t, kMaxTriedSizes> tried;
    std::uint32_t tried_count = 0;
    for (MessageSet set = left_; set != 0 && tried_count < kMaxTriedSizes; set &= set - 1) {
      const auto i = static_cast<std::uint32_t>(std::countr_zero(set));
      const std::uint32_t size_bytes = messages_[i].size_bytes;
      const auto end = tried.begin() + tried_count;
      if (!is_free(i, 0) || std::find(tried.begin(), end, size_bytes) != end) continue;
      tried[tried_count++] = size_bytes;
      const Run run = run_of(size_bytes);
      const bool may_take_another = size_bytes <= limits_.max_segment_bytes;
      if (run.count > best.count ||
          (run.count == best.count && may_take_another && run.segment_bytes > best.segment_bytes)) {
        best = run;
      }
    }
    return best;
  }

  // The last segment may be shorter: the longest of the messages that are, so that the run of the
  // others stays whole.
  void add_shorter(Run& run) const {
    const std::uint32_t run_bytes = run.count * run.segment_bytes;
    if (run.count >= limits_.max_segments || run.segment_bytes > limits_.max_segment_bytes) return;
    std::uint32_t best_bytes = 0;
    for (MessageSet set = left_ & ~run.members; set != 0; set &= set - 1) {
      const auto i = static_cast<std::uint32_t>(std::countr_zero(set));
      const std::uint32_t size_bytes = messages_[i].size_bytes;
      if (size_bytes >= run.segment_bytes || size_bytes <= best_bytes) continue;
      if (run_bytes + size_bytes > kMaxTrainBytes || !is_free(i, run.members)) continue;
      run.tail = i;
      best_bytes = size_bytes;
    }
  }

  void emit(const Run& run) {
    const auto first = static_cast<std::uint8_t>(emitted_);
    for (MessageSet set = run.members; set != 0; set &= set - 1) {
      plan_.order[emitted_++] = static_cast<std::uint8_t>(std::countr_zero(set));
    }
    left_ &= ~run.members;
    if (run.tail != kNoTail) {
      plan_.order[emitted_++] = static_cast<std::uint8_t>(run.tail);
      left_ &= ~bit(run.tail);
    }
    plan_.trains[plan_.train_count++] = {.first = first,
                                         .count = static_cast<std::uint8_t>(emitted_ - first)};
  }

  std::span<const MessageShape> messages_;
  const TrainLimits& limits_;
  TrainPlan& plan_;
  MessageSet left_;
  std::uint32_t emitted_ = 0;
  std::array<MessageSet, kMaxPlannedMessages> earlier_;
};

// The common case, and all of a benchmark's: every message has the same size.
bool is_one_train(std::span<const MessageShape> messages, const TrainLimits& limits) {
  const std::uint32_t size_bytes = messages.front().size_bytes;
  if (messages.size() > 1 &&
      (size_bytes > limits.max_segment_bytes || messages.size() > limits.max_segments ||
       messages.size() * size_bytes > kMaxTrainBytes)) {
    return false;
  }
  return std::all_of(messages.begin(), messages.end(), [size_bytes](const MessageShape& message) {
    return message.size_bytes == size_bytes;
  });
}

// In the order in which they came, `train_count` trains of equal length.
void keep_order(std::size_t messages, std::size_t train_count, TrainPlan& plan) {
  const auto length = static_cast<std::uint8_t>(messages / train_count);
  for (std::size_t i = 0; i < messages; ++i) plan.order[i] = static_cast<std::uint8_t>(i);
  for (std::size_t i = 0; i < train_count; ++i) {
    plan.trains[i] = {.first = static_cast<std::uint8_t>(i * length), .count = length};
  }
  plan.train_count = static_cast<std::uint32_t>(train_count);
}

}  // namespace

void plan_trains(std::span<const MessageShape> messages, const TrainLimits& limits,
                 TrainPlan& plan) {
  assert(messages.size() <= kMaxPlannedMessages);
  plan.train_count = 0;
  if (messages.empty()) return;
  if (is_one_train(messages, limits)) return keep_order(messages.size(), 1, plan);
  // Without trains there is nothing to gain by another order.
  if (limits.max_segments == 1) return keep_order(messages.size(), messages.size(), plan);
  Planner(messages, limits, plan).run();
}

}  // namespace chatd
