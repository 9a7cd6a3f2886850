// What a member sends, and when: what it says (again), what it has, what it misses, and whether the
// server is there at all.
#include <algorithm>

#include "client/lib/log_session.h"

namespace chatd::client {
namespace {

// A gap may be due to a datagram that came by another way and is a little late.
constexpr TimeMs kReorderMs = 5;
// So what is missing is asked for so much later, and at most so much more.
constexpr TimeMs kMinAskDelayMs = 3;
constexpr TimeMs kAskSpreadMs = 4;
// Home routers forget a path after 30 s without a datagram.
constexpr TimeMs kKeepAliveMs = 25'000;
// After so many questions without an answer the server counts as silent, and goes on being asked.
constexpr std::uint32_t kProbesBeforeSilent = 4;

// What is missing is asked for again, later and later, but not for ever later: the server bounds
// what it sends for that, and a network that loses much is no reason to be silent.
constexpr std::uint32_t kMaxAskDoublings = 2;
// So few entries are lost one by one, and not since a buffer was full.
constexpr std::uint64_t kFewMissing = 16;
constexpr std::uint32_t kMaxSayDoublings = 3;

// Whoever goes says so this often; if no answer comes the server will find out by the silence.
constexpr std::uint32_t kMaxLeaves = 6;

// How much may be under way (RFC 5681, and RFC 6928 for its beginning): in bytes, for a path does
// not care how many messages they are. The server keeps track of so many messages.
constexpr double kMinWindowBytes = 4 * v2::kMaxBundleBytes;
constexpr double kMaxWindowBytes = 64 * v2::kMaxBundleBytes;
constexpr std::uint64_t kMaxMessagesUnderWay = 64;

// As in a datagram of its own.
std::size_t sent_bytes(std::string_view message) {
  return v2::kOverheadBytes + v2::kMaxSayHeadBytes + message.size();
}

}  // namespace

// --- What is said --------------------------------------------------------------------------------

std::uint64_t LogSession::say(TimeMs now_ms, std::string_view bytes, v2::ContentType content_type) {
  if (is_over_ || bytes.empty() || bytes.size() > v2::kMaxSayBytes) return 0;
  says_.push_back({.id = next_id_,
                   .content_type = content_type,
                   .bytes = std::string(bytes),
                   .sent_at_ms = now_ms});
  ++stats_.said;
  return next_id_++;
}

void LogSession::leave() {
  is_leaving_ = true;
}

std::deque<LogSession::Pending>::iterator LogSession::find_pending(std::uint64_t id) {
  return std::find_if(says_.begin(), says_.end(),
                      [id](const Pending& one) { return one.id == id; });
}

// It was echoed.
void LogSession::settle(TimeMs now_ms, std::uint64_t client_number, std::uint64_t number) {
  const auto found = find_pending(client_number);
  if (found == says_.end()) return;
  // Of what was sent twice nobody knows which of the two was echoed (Karn's algorithm), and an echo
  // that had to be asked for has taken as long as that took: asking waits for a round trip, so one
  // would make the other longer and longer.
  if (found->times_sent == 1 && number > asked_up_to_) round_trip_.add(now_ms - found->sent_at_ms);
  const Pending settled = std::move(*found);
  says_.erase(found);
  backoff_ = 0;
  window_bytes_ =
      std::min(kMaxWindowBytes, window_bytes_ + static_cast<double>(v2::kMaxBundleBytes) *
                                                    static_cast<double>(sent_bytes(settled.bytes)) /
                                                    window_bytes_);
  expect_again(now_ms, settled);
  events_.push_back({.kind = LogEvent::Kind::kDelivered,
                     .member = info_.member,
                     .id = client_number,
                     .number = number});
}

// Who has all entries up to one by which a message was taken, and not the message, has missed it in
// a gap: everybody else may have it.
void LogSession::settle_lost_echoes() {
  std::erase_if(says_, [this](const Pending& one) {
    if (one.taken_by == 0 || complete_ < one.taken_by) return false;
    events_.push_back(
        {.kind = LogEvent::Kind::kDelivered, .member = info_.member, .id = one.id, .number = 0});
    return true;
  });
}

// What was sent well before something that has been echoed is lost, most likely.
void LogSession::expect_again(TimeMs now_ms, const Pending& settled) {
  std::uint64_t newest_lost = 0;
  for (Pending& one : says_) {
    if (one.id >= settled.id) break;
    if (!one.is_under_way()) continue;
    if (one.sent_at_ms + kReorderMs > settled.sent_at_ms) continue;
    if (one.times_sent > 1 && now_ms - one.sent_at_ms < round_trip_.smoothed_ms()) continue;
    one.is_due = true;
    newest_lost = one.id;
  }
  if (newest_lost > 0) on_loss(newest_lost);
}

// The path is asked too much, perhaps. What was under way when that was noticed tells nothing more.
void LogSession::on_loss(std::uint64_t client_number) {
  if (client_number < slower_from_) return;
  slower_from_ = next_id_;
  window_bytes_ = std::max(kMinWindowBytes, window_bytes_ / 2);
}

std::size_t LogSession::bytes_under_way() const {
  std::size_t bytes = 0;
  for (const Pending& one : says_) {
    if (one.is_under_way()) bytes += sent_bytes(one.bytes);
  }
  return bytes;
}

// Between two in a row that mean the same.
TimeMs LogSession::short_pause_ms() const {
  return std::max(kReorderMs, round_trip_.smoothed_ms() / 4);
}

// What was lost once is said again twice in a row: lost once more, it would be late for everybody.
TimeMs LogSession::say_pause_ms(const Pending& one) const {
  if (one.times_sent == 2 && round_trip_.has_sample()) return short_pause_ms();
  return round_trip_.timeout_ms(backoff_);
}

std::optional<TimeMs> LogSession::say_deadline() const {
  std::optional<TimeMs> next;
  for (const Pending& one : says_) {
    if (one.is_under_way()) next = earliest(next, one.sent_at_ms + say_pause_ms(one));
  }
  return next;
}

void LogSession::on_say_timeout(TimeMs now_ms) {
  std::uint64_t newest_lost = 0;
  for (Pending& one : says_) {
    if (!one.is_under_way() || now_ms < one.sent_at_ms + say_pause_ms(one)) continue;
    one.is_due = true;
    if (one.times_sent != 2) newest_lost = one.id;  // the second in a row proves nothing
  }
  if (newest_lost == 0) return;
  backoff_ = std::min(backoff_ + 1, kMaxSayDoublings);
  on_loss(newest_lost);
}

// --- What has come, and what has not -------------------------------------------------------------

void LogSession::on_heard(TimeMs now_ms) {
  probes_ = 0;
  wants_probe_ = false;
  probe_at_ms_ = now_ms + std::min(kKeepAliveMs, info_.idle_timeout_ms / 3);
  if (!is_silent_) return;
  is_silent_ = false;
  events_.push_back({.kind = LogEvent::Kind::kAnswers});
}

bool LogSession::is_missing_something() const {
  return complete_ < last_known_;
}

// A gap is asked for a moment after it shows, then each time that the answer should have come; and
// a new one does not wait for the answer to an older one. Of what is missing at the end, and
// nothing beyond it, the server sends a part for each question: the next one follows when that has
// come.
//
// Members on one host miss the same entries when its receive buffer overflows. If they asked at the
// same moment, what they get would overflow it again, and again: so each lets pass a random time
// more, and after a question in vain a longer one (SRM: Floyd et al., 1997).
void LogSession::on_missing(TimeMs now_ms) {
  if (!is_missing_something()) {
    ask_at_ms_.reset();
    asked_ = 0;
    return;
  }
  const bool has_part = asked_ > 0 && complete_ > complete_when_asked_;
  if (has_part) asked_ = 0;
  const bool is_new = !ask_at_ms_ || (has_part && ahead_.empty());
  const bool shows_another =
      !is_new && *ask_at_ms_ > now_ms + kMinAskDelayMs + kAskSpreadMs && has_new_gap();
  if (shows_another) asked_ = 0;
  if (is_new || shows_another) ask_at_ms_ = now_ms + kMinAskDelayMs + random_up_to(kAskSpreadMs);
}

std::uint64_t LogSession::missing() const {
  return last_known_ - complete_ - ahead_.size();
}

// Beyond what was asked for. A burst of losses is another matter: what is sent again must not find
// the buffer as full as what was lost.
bool LogSession::has_new_gap() const {
  if (missing() > kFewMissing || last_known_ <= asked_up_to_) return false;
  const std::uint64_t from = std::max(complete_, asked_up_to_);
  const auto there = std::distance(ahead_.upper_bound(from), ahead_.end());
  return static_cast<std::uint64_t>(there) < last_known_ - from;
}

// After a question, until the same is asked again. Question and answer may be lost both, which at
// 5 % each way is one in ten; and meanwhile all that comes has to wait. So what is little is asked
// for twice in a row.
TimeMs LogSession::ask_pause_ms() const {
  if (asked_ == 1 && missing() <= kFewMissing && round_trip_.has_sample()) return short_pause_ms();
  const std::uint32_t in_vain = asked_ > 1 ? asked_ - 2 : 0;
  return round_trip_.timeout_ms(std::min(in_vain, kMaxAskDoublings));
}

void LogSession::on_question(TimeMs now_ms, std::uint64_t wanted) {
  asked_up_to_ = std::max(asked_up_to_, wanted);
  if (!question_) {
    question_ = Question{.asked_at_ms = now_ms, .wanted = wanted};
  } else if (now_ms > question_->asked_at_ms + round_trip_.smoothed_ms() / 2) {
    question_->is_ambiguous = true;
  }
}

// For who says nothing these are the only round trips.
void LogSession::on_answer(TimeMs now_ms) {
  if (!question_) return;
  if (!question_->is_ambiguous) round_trip_.add(now_ms - question_->asked_at_ms);
  question_.reset();
}

void LogSession::on_deadline(TimeMs now_ms) {
  if (is_over_) return;
  on_say_timeout(now_ms);
  check_silence(now_ms);
  const auto leave_ms = leave_deadline();
  if (leaves_ == kMaxLeaves && leave_ms && now_ms >= *leave_ms) {
    end(LogEvent::Kind::kClosed, v2::CloseReason::kLeft, "the server does not answer");
  }
}

void LogSession::check_silence(TimeMs now_ms) {
  if (now_ms < probe_at_ms_) return;
  if (probes_ == kProbesBeforeSilent && !is_silent_) {
    is_silent_ = true;
    events_.push_back({.kind = LogEvent::Kind::kSilent, .text = "the server does not answer"});
  }
  wants_probe_ = true;
}

std::optional<TimeMs> LogSession::next_deadline() const {
  if (is_over_) return std::nullopt;
  std::optional<TimeMs> next = probe_at_ms_;
  next = earliest(next, say_deadline());
  next = earliest(next, have_at_ms_);
  next = earliest(next, leave_deadline());
  return earliest(next, ask_at_ms_);
}

// --- Datagrams -----------------------------------------------------------------------------------

std::optional<std::string> LogSession::next_datagram(TimeMs now_ms) {
  if (is_over_) return std::nullopt;
  std::array<char, v2::kMaxBundlePlainBytes> plain;
  v2::ByteWriter writer(plain.data());
  if (path_response_) {
    v2::write_frame(writer, v2::PathResponse{*path_response_});
    path_response_.reset();
  }
  const bool is_asking = ask_at_ms_ && now_ms >= *ask_at_ms_ && is_missing_something();
  const bool is_acknowledging = have_at_ms_ && now_ms >= *have_at_ms_;
  if (wants_probe_ || is_asking || is_acknowledging) write_have(now_ms, writer);
  write_says(now_ms, writer, plain.data() + plain.size());
  write_leave(now_ms, writer);
  const auto size_bytes = static_cast<std::size_t>(writer.end() - plain.data());
  if (size_bytes == 0) return std::nullopt;
  return seal({plain.data(), size_bytes});
}

// What is there, what is wanted, or both; and if it is time to ask whether the server is there, one
// entry more than is known is wanted, which it has to answer.
void LogSession::write_have(TimeMs now_ms, v2::ByteWriter& writer) {
  v2::Have have{.log_epoch = info_.log_epoch,
                .complete = complete_,
                .wanted = 0,
                .range_count = 0,
                .ranges = {}};
  if (ask_at_ms_ && now_ms >= *ask_at_ms_) {
    have.wanted = last_known_;
    ++asked_;
    complete_when_asked_ = complete_;
    ++stats_.repairs_asked;
    const TimeMs pause_ms = ask_pause_ms();
    ask_at_ms_ = now_ms + pause_ms + random_up_to(pause_ms / 4);
  }
  if (wants_probe_) {
    have.wanted = last_known_ + 1;
    wants_probe_ = false;
    probe_at_ms_ = now_ms + round_trip_.timeout_ms(probes_++);
  }
  for (auto at = ahead_.begin(); at != ahead_.end() && have.range_count < v2::kMaxRanges;) {
    v2::Range range{.first = at->first, .last = at->first};
    for (++at; at != ahead_.end() && at->first == range.last + 1; ++at) ++range.last;
    have.ranges[have.range_count++] = range;
  }
  // Beyond the last range that there was room for, the server would take all as missing.
  if (have.range_count == v2::kMaxRanges) {
    have.wanted = std::min(have.wanted, have.ranges[have.range_count - 1].last);
  }
  if (have.wanted > 0) on_question(now_ms, have.wanted);
  have_at_ms_.reset();
  v2::write_frame(writer, have);
}

void LogSession::write_says(TimeMs now_ms, v2::ByteWriter& writer, const char* end) {
  std::size_t under_way_bytes = bytes_under_way();
  for (Pending& one : says_) {
    if (one.is_under_way() && options_.keeps_order) return;
    if (!one.is_due) continue;
    if (static_cast<double>(under_way_bytes) >= window_bytes_) return;
    if (one.id >= says_.front().id + kMaxMessagesUnderWay) return;
    const std::size_t size_bytes = v2::kMaxSayHeadBytes + one.bytes.size();
    if (static_cast<std::size_t>(end - writer.end()) < size_bytes) return;
    v2::write_frame(
        writer,
        v2::Say{.client_number = one.id, .content_type = one.content_type, .bytes = one.bytes});
    if (one.times_sent++ > 0) ++stats_.said_again;
    one.sent_at_ms = now_ms;
    one.is_due = false;
    under_way_bytes += sent_bytes(one.bytes);
  }
}

// What was said before must have arrived: after LEAVE the server takes nothing any more.
std::optional<TimeMs> LogSession::leave_deadline() const {
  if (!is_leaving_ || !says_.empty()) return std::nullopt;
  return leave_at_ms_;
}

void LogSession::write_leave(TimeMs now_ms, v2::ByteWriter& writer) {
  const auto due_ms = leave_deadline();
  if (!due_ms || now_ms < *due_ms || leaves_ == kMaxLeaves) return;
  v2::write_frame(writer, v2::Leave{});
  leave_at_ms_ = now_ms + round_trip_.timeout_ms(leaves_++);
}

std::string LogSession::seal(std::string_view plain) {
  send_key_.advance_to(next_packet_);
  sealer_.use(info_.cipher, send_key_);
  std::string datagram(plain.size() + v2::kOverheadBytes, '\0');
  sealer_.seal(info_.id, next_packet_++, plain, datagram.data());
  return datagram;
}

}  // namespace chatd::client
