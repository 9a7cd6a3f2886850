#include "client/lib/log_session.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace chatd::client {
namespace {

// How far ahead of a missing entry others are kept; what lies further ahead is asked for later.
constexpr std::size_t kMaxAhead = 4096;

}  // namespace

LogSession::LogSession(SessionInfo info, const LogSessionOptions& options, TimeMs now_ms)
    : info_(std::move(info)),
      send_key_(info_.secret, Direction::kToServer),
      receive_key_(info_.secret, Direction::kToClient),
      next_packet_(options.first_packet),
      complete_(info_.next_entry - 1),
      last_known_(info_.next_entry - 1),
      history_end_(info_.next_entry - 1),
      random_(static_cast<std::minstd_rand::result_type>(info_.id.value())),
      probe_at_ms_(now_ms),
      options_(options),
      is_in_history_(options.wants_history && info_.oldest_entry < info_.next_entry) {
  for (RosterMember& member : info_.roster) roster_[member.id] = std::move(member);
  if (is_in_history_) {
    complete_ = info_.oldest_entry - 1;
    ask_at_ms_ = now_ms;
  }
  wants_probe_ = true;  // so that the server learns where this member is
}

bool LogSession::on_datagram(TimeMs now_ms, std::string_view bytes) {
  const auto datagram = v2::parse_datagram(bytes);
  if (datagram && datagram->session != info_.id) return false;
  const std::string_view plain = datagram ? open(*datagram) : std::string_view{};
  if (plain.empty()) {
    if (is_over_ || !v2::is_reset(bytes, info_.reset_token)) {
      ++stats_.datagrams_dropped;
      return datagram.has_value();
    }
    if (is_leaving_) {
      end(LogEvent::Kind::kClosed, v2::CloseReason::kLeft, v2::text_of(v2::CloseReason::kLeft));
    } else {
      end(LogEvent::Kind::kUnknown, v2::CloseReason::kRemoved,
          "the server does not know this session (any more)");
    }
    return true;
  }
  if (is_over_) return true;
  on_heard(now_ms);
  v2::ByteReader reader(plain);
  v2::ServerFrame frame;
  while (!is_over_ && v2::read_frame(reader, frame) == v2::ReadResult::kFrame) {
    std::visit([&](const auto& one) { take(now_ms, one); }, frame);
  }
  on_missing(now_ms);
  return true;
}

// Empty: it does not open, or has come before.
std::string_view LogSession::open(const v2::Datagram& datagram) {
  if (datagram.sealed.size() > plain_.size() ||
      open_once(info_.cipher, receive_key_, received_, datagram, plain_.data()) !=
          Opening::kOpened) {
    return {};
  }
  return {plain_.data(), datagram.sealed.size() - v2::kTagBytes};
}

// --- Frames --------------------------------------------------------------------------------------

void LogSession::take(TimeMs now_ms, const v2::Log& log) {
  if (log.log_epoch != info_.log_epoch) return;
  v2::ByteReader reader(log.entries);
  v2::Entry entry;
  for (std::uint64_t i = 0; i < log.count && v2::read_entry(reader, entry); ++i) {
    take_entry(now_ms, log.first + i, entry);
  }
}

void LogSession::take_entry(TimeMs now_ms, std::uint64_t number, const v2::Entry& entry) {
  last_known_ = std::max(last_known_, number);
  if (number <= complete_ || ahead_.contains(number)) {
    ++stats_.entries_repeated;
    return;
  }
  if (number > complete_ + 1 && ahead_.size() >= kMaxAhead) return;
  ++stats_.entries;
  if (question_ && number <= question_->wanted) on_answer(now_ms);
  plan_have(now_ms);
  // Its own is settled at once, though it may be told later.
  if (is_own(number, entry)) settle(now_ms, entry.client_number, number);
  if (number == complete_ + 1) {
    pass_on(number, entry);
    return pass_on_what_follows();
  }
  ahead_.emplace(number, Ahead{.kind = entry.kind,
                               .member = entry.member,
                               .client_number = entry.client_number,
                               .content_type = entry.content_type,
                               .bytes = std::string(entry.bytes)});
}

void LogSession::take(TimeMs now_ms, const v2::Head& head) {
  if (head.log_epoch != info_.log_epoch) return;
  last_known_ = std::max(last_known_, head.last);
  on_answer(now_ms);
  if (head.have_interval_ms > 0) set_have_interval(now_ms, head.have_interval_ms);
  if (complete_ != last_known_) return;
  if (have_interval_ms_ > kPromptIntervalMs) return plan_have(now_ms);
  have_at_ms_ = now_ms;  // it asks because it does not know
}

void LogSession::set_have_interval(TimeMs now_ms, TimeMs interval_ms) {
  const bool is_longer = interval_ms > have_interval_ms_;
  have_interval_ms_ = interval_ms;
  if (!is_longer || !have_at_ms_) return;
  have_at_ms_.reset();
  plan_have(now_ms);
}

// In a large room the interval is long, and all members get the same at the same time: they are not
// to acknowledge it at the same time.
void LogSession::plan_have(TimeMs now_ms) {
  if (have_at_ms_) return;
  const bool is_long = have_interval_ms_ > kPromptIntervalMs;
  have_at_ms_ = now_ms + have_interval_ms_ - (is_long ? random_up_to(have_interval_ms_ / 4) : 0);
}

void LogSession::take(TimeMs /*now_ms*/, const v2::Gap& gap) {
  if (gap.log_epoch != info_.log_epoch) return;
  last_known_ = std::max(last_known_, gap.numbers.last);
  // What lies between is still to be asked for.
  if (gap.numbers.first > complete_ + 1 || gap.numbers.last <= complete_) return;
  // Some of it may have come by another way.
  const auto next = ahead_.upper_bound(complete_);
  const std::uint64_t end =
      next == ahead_.end() ? gap.numbers.last + 1 : std::min(next->first, gap.numbers.last + 1);
  pass_gap(complete_ + 1, end - 1);
  pass_on_what_follows();
}

void LogSession::take(TimeMs /*now_ms*/, const v2::Refused& refused) {
  const auto pending = find_pending(refused.client_number);
  if (pending == says_.end()) return;
  std::string_view reason = "the server does not take it";
  if (refused.reason == v2::RefusalReason::kOverLimit) reason = "you say more than you may";
  if (refused.reason == v2::RefusalReason::kTooLong) reason = "it is too long";
  if (refused.reason == v2::RefusalReason::kBadContent) reason = "it is not text";
  events_.push_back({.kind = LogEvent::Kind::kRefused,
                     .member = info_.member,
                     .id = refused.client_number,
                     .retry_after_ms = refused.retry_after_ms,
                     .text = std::string(reason)});
  says_.erase(pending);
}

// It need not be said again. Its echo is among what has come or is still missing, up to the newest
// entry that is known; or it is lost.
void LogSession::take(TimeMs /*now_ms*/, const v2::Taken& taken) {
  const auto pending = find_pending(taken.client_number);
  if (pending == says_.end()) return;
  pending->is_due = false;
  pending->taken_by = last_known_;
  settle_lost_echoes();
}

void LogSession::take(TimeMs /*now_ms*/, const v2::PathChallenge& challenge) {
  path_response_ = challenge.data;
}

void LogSession::take(TimeMs /*now_ms*/, const v2::Closed& closed) {
  end(LogEvent::Kind::kClosed, closed.reason, closed.text);
}

void LogSession::end(LogEvent::Kind kind, v2::CloseReason reason, std::string_view text) {
  finish_history();
  is_over_ = true;
  events_.push_back({.kind = kind, .close_reason = reason, .text = std::string(text)});
}

// --- Events --------------------------------------------------------------------------------------

void LogSession::pass_on_what_follows() {
  while (!ahead_.empty() && ahead_.begin()->first == complete_ + 1) {
    const Ahead next = std::move(ahead_.begin()->second);
    ahead_.erase(ahead_.begin());
    pass_on(complete_ + 1, {.kind = next.kind,
                            .member = next.member,
                            .client_number = next.client_number,
                            .content_type = next.content_type,
                            .bytes = next.bytes});
  }
}

// The next entry, in the log's order.
void LogSession::pass_on(std::uint64_t number, const v2::Entry& entry) {
  if (auto event = event_of(number, entry)) emit(std::move(*event));
  advance_to(number);
}

// In an earlier session the member may have said something under the same number.
bool LogSession::is_own(std::uint64_t number, const v2::Entry& entry) const {
  return entry.member == info_.member && entry.client_number != 0 && number > history_end_;
}

// Nothing for what members need not be told.
std::optional<LogEvent> LogSession::event_of(std::uint64_t number, const v2::Entry& entry) {
  LogEvent event{.content_type = entry.content_type,
                 .is_history = number <= history_end_,
                 .member = entry.member,
                 .client_number = entry.client_number,
                 .number = number,
                 .text = std::string(entry.bytes)};
  if (is_own(number, entry)) event.id = entry.client_number;
  const auto known = roster_.find(entry.member);
  if (known != roster_.end()) event.name = known->second.name;
  switch (entry.kind) {
    case v2::EntryKind::kSaid:
      event.kind = LogEvent::Kind::kSaid;
      break;
    case v2::EntryKind::kJoined:
      if (entry.member == info_.member) return std::nullopt;
      event.kind = LogEvent::Kind::kJoined;
      event.name = std::exchange(event.text, {});
      if (!event.is_history) {
        roster_[entry.member] = {.id = entry.member, .name = event.name, .is_host = false};
      }
      break;
    case v2::EntryKind::kLeft:
      event.kind = LogEvent::Kind::kLeft;
      event.name = std::exchange(event.text, {});
      if (!event.is_history) roster_.erase(entry.member);
      break;
    default:  // of a later protocol
      return std::nullopt;
  }
  return event;
}

void LogSession::pass_gap(std::uint64_t first, std::uint64_t last) {
  stats_.entries_lost += last - first + 1;
  emit({.kind = LogEvent::Kind::kGap,
        .is_history = last <= history_end_,
        .number = first,
        .last_number = last});
  advance_to(last);
}

// History is held back: who has said something and has gone since is named where it goes.
void LogSession::emit(LogEvent event) {
  if (!is_in_history_) return events_.push_back(std::move(event));
  history_.push_back(std::move(event));
}

void LogSession::advance_to(std::uint64_t number) {
  complete_ = number;
  if (complete_ >= history_end_) finish_history();
  settle_lost_echoes();
}

void LogSession::finish_history() {
  if (!std::exchange(is_in_history_, false)) return;
  std::map<v2::MemberId, std::string> names;
  for (const LogEvent& event : history_) {
    if (event.kind != LogEvent::Kind::kSaid) names[event.member] = event.name;
  }
  for (LogEvent& event : history_) {
    const auto known = names.find(event.member);
    if (event.name.empty() && known != names.end()) event.name = known->second;
    events_.push_back(std::move(event));
  }
  history_.clear();
  events_.push_back({.kind = LogEvent::Kind::kCaughtUp, .number = history_end_});
}

std::optional<LogEvent> LogSession::next_event() {
  if (events_.empty()) return std::nullopt;
  LogEvent event = std::move(events_.front());
  events_.pop_front();
  return event;
}

}  // namespace chatd::client
