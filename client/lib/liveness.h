// Whether the server is there and knows this member, and when to ask.
//
// The server forgets a member that is silent for too long, so a heartbeat goes out in each
// interval. A heartbeat asks, and the server answers it to those whom it knows
// (docs/reference/protocol.md, "Heartbeats"). One that stays unanswered is asked again soon, since
// UDP loses datagrams: the first ones, too, which tell a server behind whose NAT the member sits.
//
// What is not believed at once:
//  - silence. After kUnansweredUntilTold heartbeats the user is told, and asking goes on ever more
//    slowly; when the idle timeout has passed, the server has forgotten this member: the end.
//  - a claim that the member is not known, or is removed. Whoever knows the member's address can
//    forge one, but not the number of the next heartbeat: it is believed when kProbesPerClaim
//    heartbeats that were sent after it have not been answered.
//  - an ICMP refusal, which may be a mistake (a server that restarts): three in a row.
//
// A member that the server does not know takes its seat again, which is not done here. When that
// fails for a reason that may pass, the member is lost: it tries again, ever more slowly, until the
// idle timeout has passed. Its heartbeats go on meanwhile, since one that is answered says that the
// server knows it after all; claims about it say nothing new, and are ignored.
//
// An older server answers no heartbeat: silence means nothing then, and a second claim has to
// confirm the first.
//
// Thread: none of its own; no I/O. Times are milliseconds of any steady clock.
#pragma once

#include <cstdint>
#include <optional>

namespace chatd::client {

inline constexpr std::int64_t kDefaultHeartbeatMs = 20'000;  // half of what a home NAT remembers
inline constexpr int kRefusalsUntilGone = 3;
inline constexpr std::int64_t kProbeIntervalMs = 1000;
inline constexpr std::int64_t kClaimProbeIntervalMs = 500;
inline constexpr int kEarlyHeartbeats = 2;  // after the first one
inline constexpr std::uint64_t kUnansweredUntilTold = 3;
inline constexpr std::uint64_t kProbesPerClaim = 2;
inline constexpr std::int64_t kFirstReturnWaitMs = 1000;
inline constexpr std::int64_t kMaxReturnWaitMs = 30'000;

class Liveness {
 public:
  // `idle_timeout_ms`: as the server tells it; one that tells nothing answers no heartbeats.
  Liveness(std::int64_t heartbeat_ms, std::optional<std::int64_t> idle_timeout_ms,
           std::int64_t now_ms);

  // When a heartbeat is due.
  std::int64_t next_heartbeat_ms() const { return next_heartbeat_ms_; }
  // When find() may find something new although nothing has come: then, or sooner.
  std::int64_t next_deadline_ms() const;
  // The number of the next heartbeat, if it has to be one that asks: 1, 2, …
  std::optional<std::uint64_t> next_number() const;
  // It went out, or could not.
  void on_heartbeat_sent(std::int64_t now_ms, bool has_left);
  // Any datagram went out.
  void on_sent(std::int64_t now_ms);

  // What comes back.
  void on_received() { refusals_ = 0; }
  void on_answer(std::uint64_t number);
  enum class Claim : std::uint8_t { kNone, kNotKnown, kRemoved };
  void on_claim(std::int64_t now_ms, Claim claim);
  // True when the server must be taken for gone.
  bool on_unreachable(std::int64_t now_ms);
  // What came has not been looked at since the last heartbeat: its silence says nothing.
  void on_not_listened(std::int64_t now_ms);

  // After kNotKnown: the seat could not be taken again, for a reason that may pass. How long to
  // wait for the next kNotKnown.
  std::int64_t on_return_failed(std::int64_t now_ms);
  bool is_lost() const { return failed_returns_ > 0; }

  // A heartbeat is due at once. Its number.
  std::uint64_t ask(std::int64_t now_ms);
  bool is_answered(std::uint64_t number) const { return answered_ >= number; }
  // The number of the last heartbeat that asked. What is sent now has arrived when a later one is
  // answered.
  std::uint64_t last_number() const { return sent_; }

  // What is to be made of all that. Each kUnanswered is followed by a kAnswered or an end.
  enum class Finding : std::uint8_t {
    kNone,
    kUnanswered,
    kAnswered,  // again
    kNotKnown,  // the server does not know this member; when it is lost: try again to return
    kRemoved,   // it has removed it
    kGone,      // unanswered for the idle timeout
  };
  Finding find(std::int64_t now_ms);

  bool answers_are_due() const { return is_answering_; }
  // An older server never answers.
  bool has_been_answered() const { return is_answering_ && answered_ > 0; }
  // Whether that which was sent last is known not to have arrived.
  bool last_was_refused() const { return refused_since_sent_; }
  Claim claim() const { return claim_; }
  std::int64_t idle_timeout_ms() const { return idle_timeout_ms_; }

 private:
  std::uint64_t unanswered() const { return is_answering_ ? sent_ - answered_ : failed_; }
  std::int64_t interval_ms() const;
  Finding judge_claim();
  Finding judge_return(std::int64_t now_ms) const;

  std::int64_t heartbeat_ms_;
  std::int64_t idle_timeout_ms_;
  bool is_answering_;

  std::int64_t next_heartbeat_ms_;
  int early_heartbeats_left_ = kEarlyHeartbeats;
  std::uint64_t sent_ = 0;      // the number of the last one that asked
  std::uint64_t answered_ = 0;  // the highest number that was answered
  std::uint64_t failed_ = 0;    // heartbeats in a row that could not be sent
  std::int64_t beat_at_ms_;
  std::int64_t well_at_ms_;  // the last time that all was well
  bool is_told_ = false;     // that heartbeats are unanswered

  Claim claim_ = Claim::kNone;
  bool is_confirmed_ = false;
  std::uint64_t sent_before_claim_ = 0;

  std::uint64_t failed_returns_ = 0;  // in a row; more than none: lost
  std::int64_t next_return_ms_ = 0;

  std::int64_t sent_at_ms_;
  int refusals_ = 0;
  bool refused_since_sent_ = false;
};

}  // namespace chatd::client
