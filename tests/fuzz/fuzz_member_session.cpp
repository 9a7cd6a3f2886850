// A member's timing under any sequence of sending, receiving, refusals, answers, forged words and
// waiting: its heartbeats keep coming, never in a rush, and it believes that the server is gone, or
// does not know it, for the reasons that it may have (client/lib/liveness.h) and for no other.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "client/lib/member_session.h"
#include "core/wire/v1/datagram.h"
#include "tests/fuzz/targets.h"
#include "tests/model/input.h"

namespace chatd::fuzz {
namespace {

using test::Input;

using client::MemberSession;

// What the next heartbeat would answer with, if the server knew the member.
std::string number_in(const MemberSession& session) {
  const std::string heartbeat = session.heartbeat();
  const auto read = parse_client_datagram(heartbeat);
  require(read && read->room == "room", "a heartbeat is a datagram");
  const auto event = client::parse_event(std::string(kServerPrefix).append(read->payload), "me");
  require(read->payload.empty() || event.kind == client::Event::Kind::kHeartbeat,
          "what it asks with is understood when it comes back");
  return event.text;
}

class Member {
 public:
  Member(std::int64_t heartbeat_ms, std::optional<std::int64_t> idle_timeout_ms,
         std::int64_t now_ms)
      : heartbeat_ms_(heartbeat_ms),
        is_answering_(idle_timeout_ms.has_value()),
        now_ms_(now_ms),
        session_({.room = "room",
                  .username = "me",
                  .token = {},
                  .heartbeat_ms = heartbeat_ms,
                  .idle_timeout_ms = idle_timeout_ms,
                  .secret = ~std::uint64_t{3}},  // the numbers pass zero
                 now_ms) {
    require(liveness().next_heartbeat_ms() == now_ms, "the first heartbeat is due at once");
  }

  void step(Input& decisions) {
    switch (decisions.index(8)) {
      case 0:
        now_ms_ += decisions.two_bytes();
        break;
      case 1:
        beat(decisions.flag());
        break;
      case 2:
        liveness().on_received();
        refusals_in_a_row_ = 0;
        break;
      case 3:
        refuse();
        break;
      case 4:
        answer();
        break;
      case 5:
        claim(decisions.flag() ? Liveness::Claim::kRemoved : Liveness::Claim::kNotKnown);
        break;
      case 6:
        liveness().on_sent(now_ms_);
        break;
      default:
        session_.on_answer(decisions.text());  // forged, or of long ago
    }
    find();
    require(liveness().next_heartbeat_ms() <= std::max(beat_at_ms_, now_ms_) + heartbeat_ms_,
            "a heartbeat is never further away than the interval");
  }

 private:
  using Liveness = client::Liveness;
  Liveness& liveness() { return session_.liveness(); }

  void beat(bool has_left) {
    const std::string number = number_in(session_);
    require(!is_answering_ || !number.empty(), "a server that answers is asked");
    liveness().on_sent(now_ms_);
    liveness().on_heartbeat_sent(now_ms_, has_left);
    beat_at_ms_ = now_ms_;
    last_number_ = number;
    if (claimed_ != Liveness::Claim::kNone) ++beats_since_claim_;
    ++beats_since_answer_;
    require(!liveness().last_was_refused(), "a datagram that just left is not refused yet");
    require(liveness().next_heartbeat_ms() >= now_ms_ + 1, "heartbeats do not rush");
  }

  void answer() {
    liveness().on_received();
    refusals_in_a_row_ = 0;
    if (last_number_.empty()) return;
    session_.on_answer(last_number_);
    if (!is_answering_) return;
    beats_since_answer_ = 0;
    if (beats_since_claim_ > 0) forget_claim();
  }

  void claim(Liveness::Claim claim) {
    liveness().on_claim(now_ms_, claim);
    claimed_ = std::max(claimed_, claim);
  }

  void forget_claim() {
    claimed_ = Liveness::Claim::kNone;
    beats_since_claim_ = 0;
  }

  void find() {
    switch (liveness().find(now_ms_)) {
      case Liveness::Finding::kNone:
      case Liveness::Finding::kAnswered:
        break;
      case Liveness::Finding::kNotKnown:
        require(claimed_ != Liveness::Claim::kNone, "it was said");
        require(beats_since_claim_ >= client::kProbesPerClaim, "and asked whether it is true");
        break;
      case Liveness::Finding::kRemoved:
        require(claimed_ == Liveness::Claim::kRemoved, "it was said");
        require(!is_answering_ || beats_since_claim_ >= client::kProbesPerClaim,
                "and asked whether it is true");
        break;
      case Liveness::Finding::kUnanswered:
      case Liveness::Finding::kGone:
        require(beats_since_answer_ >= client::kUnansweredUntilTold,
                "one lost datagram is no silence");
    }
    if (liveness().claim() == Liveness::Claim::kNone) forget_claim();
  }

  void refuse() {
    ++refusals_in_a_row_;
    const bool is_gone = liveness().on_unreachable(now_ms_);
    require(liveness().last_was_refused(), "it was refused");
    require(liveness().next_heartbeat_ms() <= now_ms_ + client::kProbeIntervalMs,
            "after a refusal it soon asks again");
    require(!is_gone || refusals_in_a_row_ >= client::kRefusalsUntilGone,
            "a server that answered in between is not gone");
  }

  std::int64_t heartbeat_ms_;
  bool is_answering_;
  std::int64_t now_ms_;
  std::int64_t beat_at_ms_ = 0;
  int refusals_in_a_row_ = 0;
  std::string last_number_;
  std::uint64_t beats_since_answer_ = 0;
  std::uint64_t beats_since_claim_ = 0;
  Liveness::Claim claimed_ = Liveness::Claim::kNone;
  MemberSession session_;
};

void check_datagrams(std::string_view room, std::string_view name) {
  if (room.empty()) return;
  const MemberSession session({.room = std::string(room),
                               .username = std::string(name),
                               .token = {},
                               .heartbeat_ms = 1,
                               .idle_timeout_ms = {}},
                              0);
  const std::string heartbeat = session.heartbeat();
  const auto read = parse_client_datagram(heartbeat);
  require(read && read->room == room && read->payload.empty(), "a heartbeat is one");
}

}  // namespace

void fuzz_member_session(std::string_view input) {
  Input decisions(input);
  check_datagrams(decisions.text(), "me");
  const std::int64_t heartbeat_ms = 1 + decisions.two_bytes();
  const std::int64_t start_ms = decisions.two_bytes();
  const std::int64_t idle_timeout_ms = decisions.two_bytes();
  const bool is_answering = idle_timeout_ms > 0;
  Member member(heartbeat_ms, is_answering ? std::optional(idle_timeout_ms) : std::nullopt,
                start_ms);
  while (!decisions.at_end()) member.step(decisions);
}

}  // namespace chatd::fuzz
