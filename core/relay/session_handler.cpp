#include "core/relay/session_handler.h"

#include <simdjson.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <variant>

namespace chatd {
namespace {

// An address that is to be proven is asked so often, at most.
constexpr TimeMs kProbeIntervalMs = 200;
// Who says more than it may is asked to wait for so long before it says that again.
constexpr std::uint64_t kRetryAfterMs = 500;

bool is_control(char byte) {
  const auto value = static_cast<unsigned char>(byte);
  return (value < 0x20 && byte != '\n' && byte != '\t') || value == 0x7f;
}

// Most text has no byte below a space at all, which shows eight bytes at a time: byte by byte this
// was a third of what it costs to take a message. Source: S. E. Anderson, Bit Twiddling Hacks,
// "Determine if a word has a byte less than n" and "… equal to n".
bool has_control(std::string_view text) {
  constexpr std::uint64_t kOnes = ~std::uint64_t{0} / 0xff;
  constexpr std::uint64_t kHighs = kOnes * 0x80;
  std::uint64_t suspects = 0;
  std::size_t at = 0;
  for (; at + sizeof(std::uint64_t) <= text.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + at, sizeof word);
    const std::uint64_t delete_is_zero = word ^ kOnes * 0x7f;
    suspects |= (word - kOnes * 0x20) & ~word & kHighs;
    suspects |= (delete_is_zero - kOnes) & ~delete_is_zero & kHighs;
  }
  if (suspects != 0) at = 0;
  return std::any_of(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), is_control);
}

}  // namespace

SessionHandler::SessionHandler(const Limits& limits, const LocalEndpoints& local_endpoints,
                               Roster& roster, Membership& membership, Dispatcher& dispatcher,
                               Counters& counters, SourceAnswers& answers,
                               const ResetKey& reset_key, RandomStream& random)
    : limits_(limits),
      own_sockets_(local_endpoints),
      roster_(roster),
      membership_(membership),
      dispatcher_(dispatcher),
      counters_(counters),
      answers_(answers),
      reset_key_(reset_key),
      random_(random) {}

void SessionHandler::on_datagram(TimeMs now_ms, const Endpoint& from, const v2::Datagram& datagram,
                                 Outbox& out) {
  const std::uint32_t slot = find(datagram.session);
  if (slot == kNoSlot) {
    counters_.add(Counter::kDroppedUnknownSession);
    return answer_unknown(now_ms, from, datagram, out);
  }
  Member& member = roster_.members()[slot];
  Session& session = roster_.v2_session_of(member);
  const bool is_newest = datagram.packet_number >= session.received.next();
  const std::string_view plain = open(session, datagram);
  if (plain.empty()) return;
  counters_.add(Counter::kSealedDatagrams);
  member.last_heard_ms = now_ms;
  member.unreachable_count = 0;
  const Sender sender{now_ms, from, slot, out};
  accept_address(sender, session, is_newest);
  read_frames(sender, plain);
}

std::uint32_t SessionHandler::find(v2::SessionId id) const {
  const Member* const member = roster_.members().find(id.slot());
  if (member == nullptr) return kNoSlot;
  const Session* const session = roster_.session_of(*member);
  return session != nullptr && session->id == id ? id.slot() : kNoSlot;
}

std::string_view SessionHandler::open(Session& session, const v2::Datagram& datagram) {
  switch (
      open_once(session.cipher, session.receive_key, session.received, datagram, plain_.data())) {
    case Opening::kOpened:
      return {plain_.data(), datagram.sealed.size() - v2::kTagBytes};
    case Opening::kReplayed:
      counters_.add(Counter::kDroppedReplayed);
      return {};
    case Opening::kFailed:
      counters_.add(Counter::kDroppedNotOpened);
      return {};
  }
  return {};
}

// Where the newest datagram came from, that is where the member is. TCP has proven one address; any
// other could be a victim's, whom the member wants to be sent what its room says: it is asked to
// answer from there first.
void SessionHandler::accept_address(const Sender& sender, Session& session, bool is_newest) {
  const Member& member = roster_.members()[sender.slot];
  const Endpoint& bound = roster_.endpoint_of(member);
  if (sender.from == bound) {
    if (sender.from.via != bound.via) roster_.speak_via(sender.slot, sender.from.via);
    return;
  }
  if (!is_newest || sender.from.port == 0 || own_sockets_.contains(sender.from)) return;
  if (sender.from.ip == member.tcp_peer) {
    dispatcher_.bind_v2(sender.slot, sender.from);
  } else {
    challenge(sender, session);
  }
}

void SessionHandler::challenge(const Sender& sender, Session& session) {
  PathProbe& probe = session.probe;
  if (!sender.from.ip.is_unicast()) return;
  if (probe.endpoint.port != 0 && sender.now_ms < probe.sent_at_ms + kProbeIntervalMs) return;
  // Asked again it is asked the same: the answer may be longer on its way than that.
  if (!(probe.endpoint == sender.from)) {
    const auto random = random_.next<sizeof(std::uint64_t)>();
    probe.endpoint = sender.from;
    probe.data = v2::load_u64(reinterpret_cast<const char*>(random.data()));
  }
  probe.sent_at_ms = sender.now_ms;
  counters_.add(Counter::kPathChallenges);
  dispatcher_.send_frame(sender.slot, sender.from, v2::PathChallenge{probe.data}, sender.out);
}

void SessionHandler::read_frames(const Sender& sender, std::string_view plain) {
  answer_.wants_head = answer_.has_repaired = answer_.is_paid = false;
  answer_.size_bytes = Answer::kHeadBytes;
  v2::ByteReader reader(plain);
  v2::ClientFrame frame;
  for (;;) {
    const v2::ReadResult result = v2::read_frame(reader, frame);
    if (result != v2::ReadResult::kFrame) {
      if (result == v2::ReadResult::kUnknown) counters_.add(Counter::kFramesUnknown);
      if (result == v2::ReadResult::kMalformed) counters_.add(Counter::kFramesMalformed);
      return send_answer(sender);
    }
    if (!std::visit([&](const auto& one) { return take(sender, one); }, frame)) return;
  }
}

// --- What a datagram draws -----------------------------------------------------------------------

void SessionHandler::add_refusal(std::uint64_t client_number, v2::RefusalReason reason) {
  const bool may_pass = reason == v2::RefusalReason::kOverLimit;
  add_to_answer(v2::Refused{.client_number = client_number,
                            .reason = reason,
                            .retry_after_ms = may_pass ? kRetryAfterMs : 0});
}

void SessionHandler::add_to_answer(const auto& frame) {
  if (answer_.size_bytes + v2::kMaxSmallFrameBytes > answer_.frames.size()) return;
  v2::ByteWriter writer(answer_.frames.data() + answer_.size_bytes);
  v2::write_frame(writer, frame);
  answer_.size_bytes = static_cast<std::size_t>(writer.end() - answer_.frames.data());
}

// `frames` lie in the answer, with room before them.
std::string_view SessionHandler::put_head_before(std::string_view frames, const v2::Head& head) {
  std::array<char, Answer::kHeadBytes> bytes;
  v2::ByteWriter writer(bytes.data());
  v2::write_frame(writer, head);
  const auto head_bytes = static_cast<std::size_t>(writer.end() - bytes.data());
  char* const begin = answer_.frames.data() + Answer::kHeadBytes - head_bytes;
  std::copy_n(bytes.data(), head_bytes, begin);
  return {begin, head_bytes + frames.size()};
}

// Nobody can be told whose address is not known yet.
bool SessionHandler::may_answer(const Sender& sender) {
  if (!roster_.is_bound(sender.slot)) return false;
  if (answer_.is_paid) return true;
  Session& session = roster_.v2_session_of(roster_.members()[sender.slot]);
  answer_.is_paid = session.take_answer(sender.now_ms);
  if (!answer_.is_paid) counters_.add(Counter::kAnswersOverLimit);
  return answer_.is_paid;
}

// HEAD stands before what is told of single messages: all of them are entries before its end.
void SessionHandler::send_answer(const Sender& sender) {
  std::string_view frames(answer_.frames.data() + Answer::kHeadBytes,
                          answer_.size_bytes - Answer::kHeadBytes);
  if ((!answer_.wants_head && frames.empty()) || !may_answer(sender)) return;
  if (answer_.wants_head) {
    frames = put_head_before(frames, dispatcher_.tell_head(sender.slot));
  }
  dispatcher_.send_frames(sender.slot, frames, sender.out);
}

// --- Frames --------------------------------------------------------------------------------------

// Said twice: its echo was lost, or is late. The member is told that it was taken and where the log
// ends, and asks for what it misses.
bool SessionHandler::take(const Sender& sender, const v2::Say& say) {
  Session& session = roster_.v2_session_of(roster_.members()[sender.slot]);
  switch (session.says.take(say.client_number)) {
    case SayWindow::Result::kNew:
      accept(sender, say);
      return true;
    case SayWindow::Result::kTaken:
      add_to_answer(v2::Taken{say.client_number});
      [[fallthrough]];
    case SayWindow::Result::kTooFarBehind:
      counters_.add(Counter::kSaysDuplicate);
      answer_.wants_head = true;
      return true;
    case SayWindow::Result::kRefused:
      counters_.add(Counter::kSaysDuplicate);
      add_refusal(say.client_number, fault_of(say).value_or(v2::RefusalReason::kOverLimit));
      return true;
    case SayWindow::Result::kTooFarAhead:
      counters_.add(Counter::kSaysTooFarAhead);
      return true;
  }
  return true;
}

void SessionHandler::accept(const Sender& sender, const v2::Say& say) {
  Member& member = roster_.members()[sender.slot];
  const std::size_t receivers = roster_.room_of(member).members.size();
  // What cannot be taken costs as much to read: it counts towards the rate as well.
  const bool is_within_rate = member.rate_limiter.take_payload(sender.now_ms, limits_.abuse);
  if (const auto fault = fault_of(say)) {
    counters_.add(Counter::kSaysRefused);
    return refuse(sender, say, *fault);
  }
  if (!is_within_rate ||
      !member.rate_limiter.take_bytes(sender.now_ms, limits_.abuse, say.bytes.size(), receivers)) {
    counters_.add(Counter::kMessagesSealed);
    dispatcher_.refuse(sender.slot);
    return refuse(sender, say, v2::RefusalReason::kOverLimit);
  }
  counters_.add(Counter::kMessagesSealed);
  if (!dispatcher_.accept(sender.now_ms, sender.slot, say)) {
    counters_.add(Counter::kSaysRefused);
    refuse(sender, say, v2::RefusalReason::kOverLimit);
  }
}

// What speaks against it whenever it is said.
std::optional<v2::RefusalReason> SessionHandler::fault_of(const v2::Say& say) {
  if (say.bytes.size() > v2::kMaxSayBytes) return v2::RefusalReason::kTooLong;
  if (!is_sound(say)) return v2::RefusalReason::kBadContent;
  return std::nullopt;
}

// Text has to be fit for JSON, in which members with protocol v1 get it.
bool SessionHandler::is_sound(const v2::Say& say) {
  if (say.bytes.empty()) return false;
  switch (say.content_type) {
    case v2::ContentType::kText:
      return simdjson::validate_utf8(say.bytes) && !has_control(say.bytes);
    case v2::ContentType::kSealed:
      return true;
    default:
      return false;
  }
}

void SessionHandler::refuse(const Sender& sender, const v2::Say& say, v2::RefusalReason reason) {
  roster_.v2_session_of(roster_.members()[sender.slot]).says.refuse(say.client_number);
  add_refusal(say.client_number, reason);
}

// Of several in one datagram, which is not what a client needs, one is answered. Who asks for the
// next one only does not know how many there are.
bool SessionHandler::take(const Sender& sender, const v2::Have& have) {
  if (!dispatcher_.take_have(sender.now_ms, sender.slot, have)) {
    counters_.add(Counter::kHavesImpossible);
    return true;
  }
  counters_.add(Counter::kHavesTaken);
  if (dispatcher_.has_new_have_interval(sender.slot)) answer_.wants_head = true;
  if (have.wanted == 0 || answer_.has_repaired || !may_answer(sender)) return true;
  answer_.has_repaired = true;
  dispatcher_.send_missing(sender.now_ms, sender.slot, have, sender.out);
  const bool asks_for_next = have.wanted == have.complete + 1 && have.range_count == 0;
  if (asks_for_next || have.wanted > dispatcher_.head_for(sender.slot).last) {
    answer_.wants_head = true;
  }
  return true;
}

bool SessionHandler::take(const Sender& sender, const v2::Leave& /*leave*/) {
  counters_.add(Counter::kLeavesSealed);
  membership_.leave(sender.now_ms, sender.slot, sender.out);
  return false;
}

bool SessionHandler::take(const Sender& sender, const v2::PathResponse& response) {
  const Member& member = roster_.members()[sender.slot];
  if (sender.from == roster_.endpoint_of(member) &&
      dispatcher_.take_probe_response(sender.slot, response)) {
    return true;
  }
  PathProbe& probe = roster_.v2_session_of(member).probe;
  const bool is_answer =
      probe.endpoint.port != 0 && probe.endpoint == sender.from && probe.data == response.data;
  if (is_answer) {
    probe = {};
    dispatcher_.bind_v2(sender.slot, sender.from);
  } else if (roster_.endpoint_of(member) != sender.from) {  // it was asked more than once
    counters_.add(Counter::kPathResponsesWrong);
  }
  return true;
}

void SessionHandler::answer_unknown(TimeMs now_ms, const Endpoint& from,
                                    const v2::Datagram& datagram, Outbox& out) {
  if (!answers_.take(now_ms, from, dispatcher_.owes_farewells())) return;
  counters_.add(Counter::kResetsSent);
  const auto reset = v2::make_reset(datagram, reset_key_.token_of(datagram.session));
  char* const bytes = out.allocate(reset.size());
  std::copy(reset.begin(), reset.end(), bytes);
  out.open(Outbox::Kind::kAnswer, {bytes, reset.size()});
  out.add(from);
}

}  // namespace chatd
