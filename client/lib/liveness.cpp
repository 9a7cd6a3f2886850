#include "client/lib/liveness.h"

#include <algorithm>
#include <utility>

namespace chatd::client {
namespace {

// An answer to what was sent comes within a round trip. A datagram that drew no refusal for this
// long has arrived.
constexpr std::int64_t kRoundTripMs = 500;

// What a server that tells nothing has unless it is set otherwise.
constexpr std::int64_t kUsualIdleTimeoutMs = 300'000;

// Clients keep below a third of the timeout, so that two heartbeats in a row may be lost.
constexpr std::int64_t kHeartbeatsPerTimeout = 4;

constexpr std::uint64_t kMaxDoublings = 10;

}  // namespace

Liveness::Liveness(std::int64_t heartbeat_ms, std::optional<std::int64_t> idle_timeout_ms,
                   std::int64_t now_ms)
    : heartbeat_ms_(heartbeat_ms),
      idle_timeout_ms_(idle_timeout_ms.value_or(kUsualIdleTimeoutMs)),
      is_answering_(idle_timeout_ms.has_value()),
      next_heartbeat_ms_(now_ms),
      beat_at_ms_(now_ms),
      well_at_ms_(now_ms),
      sent_at_ms_(now_ms) {
  heartbeat_ms_ = std::min(heartbeat_ms_, idle_timeout_ms_ / kHeartbeatsPerTimeout);
  heartbeat_ms_ = std::max<std::int64_t>(heartbeat_ms_, 1);
}

std::int64_t Liveness::next_deadline_ms() const {
  return is_lost() ? std::min(next_heartbeat_ms_, next_return_ms_) : next_heartbeat_ms_;
}

std::optional<std::uint64_t> Liveness::next_number() const {
  if (!is_answering_ && claim_ == Claim::kNone) return std::nullopt;
  return sent_ + 1;
}

// Silence makes it ask soon, three times, and then ever more slowly: a server that comes back
// must not be asked by all its members at once, every second.
std::int64_t Liveness::interval_ms() const {
  if (claim_ != Claim::kNone && !is_lost()) return std::min(heartbeat_ms_, kClaimProbeIntervalMs);
  const std::uint64_t unanswered = this->unanswered();
  if (unanswered == 0 && refusals_ == 0 && early_heartbeats_left_ == 0) return heartbeat_ms_;
  std::uint64_t doublings = 0;
  if (unanswered > kUnansweredUntilTold) {
    doublings = std::min(unanswered - kUnansweredUntilTold, kMaxDoublings);
  }
  return std::min(heartbeat_ms_, kProbeIntervalMs << doublings);
}

void Liveness::on_heartbeat_sent(std::int64_t now_ms, bool has_left) {
  const auto number = next_number();
  if (number) sent_ = *number;
  if (!is_answering_) answered_ = sent_;
  failed_ = has_left ? 0 : failed_ + 1;
  if (!is_answering_ && has_left) well_at_ms_ = now_ms;
  beat_at_ms_ = now_ms;
  next_heartbeat_ms_ = now_ms + interval_ms();
  if (early_heartbeats_left_ > 0) --early_heartbeats_left_;
}

void Liveness::on_sent(std::int64_t now_ms) {
  if (!refused_since_sent_ && now_ms - sent_at_ms_ >= kRoundTripMs) refusals_ = 0;
  refused_since_sent_ = false;
  sent_at_ms_ = now_ms;
}

void Liveness::on_answer(std::uint64_t number) {
  if (!is_answering_ || number <= answered_ || number > sent_) return;
  answered_ = number;
  refusals_ = 0;
  early_heartbeats_left_ = 0;
  well_at_ms_ = beat_at_ms_;
  // An answer that was under way already refutes nothing.
  if (number > sent_before_claim_) {
    claim_ = Claim::kNone;
    failed_returns_ = 0;
  }
  next_heartbeat_ms_ = beat_at_ms_ + interval_ms();
}

// Who is lost may hear that it has been disconnected: from where it was, if the server has let it
// back and only the answer was lost. The next try to return tells.
void Liveness::on_claim(std::int64_t now_ms, Claim claim) {
  if (is_lost()) return;
  if (claim_ == Claim::kNone) {
    is_confirmed_ = false;
    sent_before_claim_ = sent_;
    // However many are forged, they do not make it ask more often.
    const std::int64_t soonest_ms = beat_at_ms_ + std::min(heartbeat_ms_, kClaimProbeIntervalMs);
    next_heartbeat_ms_ = std::min(next_heartbeat_ms_, std::max(now_ms, soonest_ms));
  } else if (sent_ > sent_before_claim_) {
    is_confirmed_ = true;
  }
  claim_ = std::max(claim_, claim);
}

bool Liveness::on_unreachable(std::int64_t now_ms) {
  next_heartbeat_ms_ = std::min(next_heartbeat_ms_, now_ms + kProbeIntervalMs);
  if (!refused_since_sent_) ++refusals_;  // one datagram is refused once
  refused_since_sent_ = true;
  return refusals_ >= kRefusalsUntilGone;
}

void Liveness::on_not_listened(std::int64_t now_ms) {
  answered_ = sent_;
  well_at_ms_ = now_ms;
}

// It counts as told: either an answer or an end follows.
std::int64_t Liveness::on_return_failed(std::int64_t now_ms) {
  const std::int64_t wait_ms =
      std::min(kMaxReturnWaitMs, kFirstReturnWaitMs << std::min(failed_returns_, kMaxDoublings));
  ++failed_returns_;
  next_return_ms_ = now_ms + wait_ms;
  is_told_ = true;
  return wait_ms;
}

std::uint64_t Liveness::ask(std::int64_t now_ms) {
  next_heartbeat_ms_ = now_ms;
  return sent_ + 1;
}

Liveness::Finding Liveness::judge_claim() {
  const std::uint64_t probes = sent_ - sent_before_claim_;
  if (claim_ == Claim::kRemoved) {
    // An older server has nothing more to say about it.
    const bool is_sure = !is_answering_ || probes >= kProbesPerClaim;
    return is_sure ? Finding::kRemoved : Finding::kNone;
  }
  if (probes < kProbesPerClaim) return Finding::kNone;
  if (is_answering_ || is_confirmed_) return Finding::kNotKnown;
  claim_ = Claim::kNone;  // an older server is silent towards whom it knows
  return Finding::kNone;
}

Liveness::Finding Liveness::judge_return(std::int64_t now_ms) const {
  if (now_ms - well_at_ms_ >= idle_timeout_ms_) return Finding::kGone;
  return now_ms >= next_return_ms_ ? Finding::kNotKnown : Finding::kNone;
}

Liveness::Finding Liveness::find(std::int64_t now_ms) {
  if (is_told_ && unanswered() == 0) {
    is_told_ = false;
    return Finding::kAnswered;
  }
  if (is_lost()) return judge_return(now_ms);
  if (now_ms < next_heartbeat_ms_) return Finding::kNone;  // an answer may still come
  if (claim_ != Claim::kNone) {
    const Finding finding = judge_claim();
    if (finding != Finding::kNone) return finding;
  }
  if (unanswered() < kUnansweredUntilTold) return Finding::kNone;
  if (std::exchange(is_told_, true)) {
    return now_ms - well_at_ms_ >= idle_timeout_ms_ ? Finding::kGone : Finding::kNone;
  }
  return Finding::kUnanswered;
}

}  // namespace chatd::client
