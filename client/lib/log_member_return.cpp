// When a session of a member's counts as lost, and how the member comes back to its room.
#include <algorithm>
#include <utility>

#include "client/lib/log_member.h"
#include "client/lib/seat_refusal.h"

namespace chatd::client {
namespace {

constexpr int kRefusalsUntilLost = 3;
constexpr TimeMs kDoubtMs = 2'000;
constexpr TimeMs kUnechoedMs = 5'000;
constexpr TimeMs kFirstWaitMs = 1'000;
constexpr TimeMs kMaxWaitMs = 30'000;
// After a restart the room is there again when its host is. Who is not the host waits so long.
constexpr TimeMs kRoomWaitMs = 30'000;

std::string whole_seconds(TimeMs time_ms) {
  return std::to_string(time_ms / 1000) + " s";
}

}  // namespace

// --- Silence and loss ----------------------------------------------------------------------------

void LogMember::on_heard(TimeMs now_ms) {
  heard_at_ms_ = now_ms;
  refusals_ = 0;
  doubted_at_ms_.reset();
  if (!said_.empty()) waiting_since_ms_ = now_ms;
  const auto loss = std::exchange(loss_, std::nullopt);
  if (!loss || !loss->is_told) return;
  tell(Event::Kind::kAnswered,
       options_.server_name +
           (loss->is_back ? " had lost you: you are back in the room" : " answers again"));
}

void LogMember::on_unreachable(TimeMs now_ms) {
  if (++refusals_ < kRefusalsUntilLost || is_over_) return;
  lose(now_ms, "nothing listens where " + options_.server_name + " was");
}

// `told`: what a person is told at once; empty: nothing before the seat was asked for in vain.
void LogMember::lose(TimeMs now_ms, const std::string& told) {
  if (!loss_) loss_ = Loss{.since_ms = now_ms, .next_try_ms = now_ms};
  // A seat where nothing is heard is no better than none.
  if (std::exchange(loss_->is_back, false)) loss_->next_try_ms = now_ms + next_wait_ms();
  if (told.empty() || loss_->is_told) return;
  loss_->is_told = true;
  tell(Event::Kind::kUnanswered,
       told + (send_failure_.empty() ? "" : ": " + send_failure_) + "; asking again");
}

void LogMember::on_deadline(TimeMs now_ms) {
  if (is_over_) return;
  session_->on_deadline(now_ms);
  take_events(now_ms);
  if (!is_over_) look(now_ms);
}

void LogMember::look(TimeMs now_ms) {
  const std::string silent = options_.server_name + " does not answer";
  if (doubted_at_ms_ && now_ms >= *doubted_at_ms_ + kDoubtMs) {
    doubted_at_ms_.reset();
    lose(now_ms, "");
  }
  if (!said_.empty() && !loss_ && now_ms >= waiting_since_ms_ + kUnechoedMs) {
    lose(now_ms, silent);
  }
  const auto gone_ms = gone_deadline();
  if (!gone_ms || now_ms < *gone_ms) return;
  const std::string time = whole_seconds(idle_timeout_ms_);
  end(Event::Kind::kServerGone,
      options_.server_name + (loss_->why.empty() ? " has not answered for " + time
                                                 : " has not let you back to your seat for " +
                                                       time + " (" + loss_->why + ")"));
}

std::optional<TimeMs> LogMember::next_deadline() const {
  if (is_over_) return std::nullopt;
  std::optional<TimeMs> next = session_->next_deadline();
  if (doubted_at_ms_) next = earliest(next, *doubted_at_ms_ + kDoubtMs);
  if (!said_.empty() && !loss_) next = earliest(next, waiting_since_ms_ + kUnechoedMs);
  if (!loss_) return next;
  if (!loss_->is_back) next = earliest(next, loss_->next_try_ms);
  return earliest(next, gone_deadline());
}

// The server has forgotten this member then; but who has slept for so long asks first.
std::optional<TimeMs> LogMember::gone_deadline() const {
  if (!loss_ || loss_->failed == 0) return std::nullopt;
  return std::max(heard_at_ms_, loss_->since_ms) + idle_timeout_ms_;
}

// --- The seat, again -----------------------------------------------------------------------------

std::optional<EntryRequest> LogMember::wants_entry(TimeMs now_ms) const {
  if (is_over_ || !loss_ || loss_->is_back || now_ms < loss_->next_try_ms) return std::nullopt;
  EntryRequest request = request_;
  request.token.reset();
  if (loss_->wish == Wish::kSeat) request.token = token_;
  if (loss_->wish != Wish::kAnew) request.operation = Operation::kJoin;
  return request;
}

void LogMember::on_entered(TimeMs now_ms, Entry entry) {
  token_ = entry.token;
  if (loss_->wish != Wish::kSeat) {
    // Another room of the same name: what was said in the old one is gone, but for what others have
    // heard of it.
    told_ = entry.session->oldest_entry - 1;
    ids_.clear();
    is_caught_up_ = true;
  }
  on_seat(now_ms, std::move(*entry.session));
}

// What was told last is the end of what need not be read again.
void LogMember::on_seat(TimeMs now_ms, SessionInfo info) {
  const std::uint64_t oldest = info.oldest_entry;
  info.oldest_entry = std::clamp(told_ + 1, oldest, info.next_entry);
  if (oldest > told_ + 1) {
    events_.push_back({.kind = Event::Kind::kLost, .count = oldest - told_ - 1});
    told_ = oldest - 1;
  }
  if (is_caught_up_) lost_ids_ = std::exchange(ids_, {});
  ids_.clear();
  is_return_ = true;
  is_caught_up_ = info.oldest_entry == info.next_entry;
  start(now_ms, std::move(info), /*wants_history=*/true);
  loss_->is_back = loss_->is_told = true;
  loss_->wish = Wish::kSeat;
  if (is_caught_up_) give_all(now_ms);
}

// One more attempt was in vain.
TimeMs LogMember::next_wait_ms() {
  return std::min(kFirstWaitMs << std::min(loss_->failed++, 8u), kMaxWaitMs);
}

// Whether there is something else to ask for, now that this was refused.
bool LogMember::next_wish(const Error& error) {
  if (loss_->wish == Wish::kSeat && is_refused_with(error, kStatusNotFound)) {
    loss_->wish = Wish::kAnew;
    return true;
  }
  if (loss_->wish == Wish::kAnew && request_.operation == Operation::kCreate &&
      is_refused_with(error, kStatusConflict)) {
    loss_->wish = Wish::kJoinAnew;
    return true;
  }
  return false;
}

void LogMember::on_not_entered(TimeMs now_ms, const Error& error) {
  if (next_wish(error)) return;
  loss_->wish = Wish::kSeat;
  const bool has_waited = now_ms >= loss_->since_ms + kRoomWaitMs;
  if (is_final_refusal(error) || (is_refused_with(error, kStatusNotFound) && has_waited)) {
    return end(Event::Kind::kNotAuthenticated, error.reason);
  }
  fail(now_ms, error);
}

void LogMember::fail(TimeMs now_ms, const Error& error) {
  loss_->why = in_words(error);
  const TimeMs wait_ms = next_wait_ms();
  loss_->next_try_ms = now_ms + wait_ms;
  if (std::exchange(loss_->is_told, true)) return;
  tell(Event::Kind::kUnanswered, options_.server_name +
                                     " does not know you, and has not let you back to your seat (" +
                                     loss_->why + "); trying again in " + whole_seconds(wait_ms));
}

}  // namespace chatd::client
