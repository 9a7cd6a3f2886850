// A member's side of protocol v2, as a state machine without sockets and clock: datagrams and the
// time go in, datagrams and events come out.
//
//   client::LogSession session(grant, {}, now_ms);
//   auto id = session.say(now_ms, "hi");             // delivered or refused, by an event
//   session.on_datagram(now_ms, bytes);              // whatever came on the socket
//   session.on_deadline(now_ms);                     // when next_deadline() has come
//   while (auto datagram = session.next_datagram(now_ms)) send(*datagram);
//   while (auto event = session.next_event()) handle(*event);
//
// The room is a log: everything that is said, and who comes and goes, is an entry with a number,
// and every member gets the same entries in the same order, the sender its own as well: so it knows
// that a message has arrived. What is lost is asked for again, what the server has lost as well is
// told as a gap, and what is not echoed is said again. Sources: RFC 6298 (how long to wait), RFC
// 5681 (how much may be under way), RFC 9000 (numbers, resets, proof of an address).
//
// Thread: one at a time. Times are milliseconds of any clock that only goes forward.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "client/lib/round_trip.h"
#include "client/lib/session_info.h"
#include "core/base/time.h"
#include "core/crypto/packet_key.h"
#include "core/crypto/replay_window.h"
#include "core/wire/v2/datagram.h"
#include "core/wire/v2/frames.h"

namespace chatd::client {

struct LogSessionOptions {
  // Ask for what was said before, as far as the room lets late members read it.
  bool wants_history = true;
  // What is said arrives in the order in which it was said: while something is under way, what is
  // said later waits, and then goes in as few datagrams as it needs. Without that, what is lost on
  // its way comes behind what was said after it, and up to 64 messages are under way.
  bool keeps_order = false;
  // The number of the first datagram; tests begin shortly before the end of a key's packets.
  std::uint64_t first_packet = 0;
};

// What has happened. Texts and names are as they came: make them harmless before they are shown.
struct LogEvent {
  enum class Kind : std::uint8_t {
    kDelivered,  // what was said with this `id` is entry `number`; 0: one that was lost in a gap
    kRefused,    // it never will be: `text` says why, and `retry_after_ms` when to try again
    kSaid,       // `name` has said `text`
    kJoined,     // `name` has come
    kLeft,       // `name` has gone
    kGap,        // entries `number` to `last_number` are lost for good
    kCaughtUp,   // all that was said before has been told
    kClosed,     // this member is no longer in the room; `text` says why
    kUnknown,    // the server does not know the session (any more)
    kSilent,     // the server does not answer
    kAnswers,    // it does again
  };

  Kind kind = Kind::kSaid;
  v2::ContentType content_type = v2::ContentType::kText;
  v2::CloseReason close_reason = v2::CloseReason::kRemoved;
  bool is_history = false;  // it was there before this member came
  v2::MemberId member = v2::kServerId;
  std::uint64_t id = 0;             // of what this member said; 0: another's
  std::uint64_t client_number = 0;  // kSaid: its sender's own, in the session that it was said in
  std::uint64_t number = 0;         // of the entry
  std::uint64_t last_number = 0;
  TimeMs retry_after_ms = 0;
  std::string name = {};  // empty: not known, or the server
  std::string text = {};
};

// For whoever wants to know how well it goes.
struct LogSessionStats {
  std::uint64_t said = 0;
  std::uint64_t said_again = 0;        // datagrams with something that was said before
  std::uint64_t repairs_asked = 0;     // times that something was asked for again
  std::uint64_t entries = 0;           // that were new
  std::uint64_t entries_repeated = 0;  // that were there already
  std::uint64_t entries_lost = 0;
  std::uint64_t datagrams_dropped = 0;  // not opened, or a second time
};

class LogSession {
 public:
  LogSession(SessionInfo info, const LogSessionOptions& options, TimeMs now_ms);

  // --- In ----------------------------------------------------------------------------------------

  // The number by which an event will say what became of it; 0: it is empty, longer than
  // v2::kMaxSayBytes, or the session is over.
  std::uint64_t say(TimeMs now_ms, std::string_view bytes,
                    v2::ContentType content_type = v2::ContentType::kText);
  // When all that was said is settled, the server is told, until it says kClosed or does not answer
  // several times (which is an event kClosed as well). Until then events may come as before.
  void leave();
  // Whatever is not settled is not said again, and no event tells of it.
  void give_up_unsettled() { says_.clear(); }
  // A datagram that has come. False: it is not for this session.
  bool on_datagram(TimeMs now_ms, std::string_view bytes);
  void on_deadline(TimeMs now_ms);
  // When on_deadline() wants to be called.
  std::optional<TimeMs> next_deadline() const;

  // --- Out ---------------------------------------------------------------------------------------

  // A datagram for the server; nothing when there is none now. Ask after each of the calls above.
  std::optional<std::string> next_datagram(TimeMs now_ms);
  std::optional<LogEvent> next_event();

  // --- What is known -----------------------------------------------------------------------------

  v2::SessionId id() const { return info_.id; }
  v2::MemberId member() const { return info_.member; }
  bool is_over() const { return is_over_; }
  // Everything up to this entry is there.
  std::uint64_t complete() const { return complete_; }
  // Messages that are neither delivered nor refused.
  std::size_t unsettled() const { return says_.size(); }
  const std::map<v2::MemberId, RosterMember>& roster() const { return roster_; }
  TimeMs round_trip_ms() const { return round_trip_.smoothed_ms(); }
  const LogSessionStats& stats() const { return stats_; }

 private:
  // Something that was said and is not settled.
  struct Pending {
    std::uint64_t id = 0;
    v2::ContentType content_type = v2::ContentType::kText;
    std::string bytes;
    TimeMs sent_at_ms = 0;
    std::uint32_t times_sent = 0;
    bool is_due = true;          // to be sent (again)
    std::uint64_t taken_by = 0;  // it is an entry not behind this one; 0: that is not known

    // On its way to the server, as far as is known.
    bool is_under_way() const { return times_sent > 0 && !is_due && taken_by == 0; }
  };
  // For what is missing, or whether the server is there.
  struct Question {
    TimeMs asked_at_ms;
    std::uint64_t wanted;
    bool is_ambiguous = false;  // it was asked again, and the answer may be to that
  };
  // An entry that came before another one that is still missing.
  struct Ahead {
    v2::EntryKind kind;
    v2::MemberId member;
    std::uint64_t client_number;
    v2::ContentType content_type;
    std::string bytes;
  };

  std::string_view open(const v2::Datagram& datagram);
  void take(TimeMs now_ms, const v2::Log& log);
  void take(TimeMs now_ms, const v2::Head& head);
  void take(TimeMs now_ms, const v2::Gap& gap);
  void take(TimeMs now_ms, const v2::Refused& refused);
  void take(TimeMs now_ms, const v2::Taken& taken);
  void take(TimeMs now_ms, const v2::PathChallenge& challenge);
  void take(TimeMs now_ms, const v2::Closed& closed);

  void take_entry(TimeMs now_ms, std::uint64_t number, const v2::Entry& entry);
  void pass_on(std::uint64_t number, const v2::Entry& entry);
  void pass_on_what_follows();
  void pass_gap(std::uint64_t first, std::uint64_t last);
  bool is_own(std::uint64_t number, const v2::Entry& entry) const;
  std::optional<LogEvent> event_of(std::uint64_t number, const v2::Entry& entry);
  void emit(LogEvent event);
  void advance_to(std::uint64_t number);
  void finish_history();
  void end(LogEvent::Kind kind, v2::CloseReason reason, std::string_view text);

  // Sending (log_session_send.cpp).
  void settle(TimeMs now_ms, std::uint64_t client_number, std::uint64_t number);
  void settle_lost_echoes();
  void expect_again(TimeMs now_ms, const Pending& settled);
  std::deque<Pending>::iterator find_pending(std::uint64_t id);
  std::size_t bytes_under_way() const;
  void on_loss(std::uint64_t client_number);
  std::optional<TimeMs> say_deadline() const;
  TimeMs say_pause_ms(const Pending& one) const;
  void on_say_timeout(TimeMs now_ms);
  TimeMs short_pause_ms() const;
  void on_heard(TimeMs now_ms);
  void on_missing(TimeMs now_ms);
  void on_question(TimeMs now_ms, std::uint64_t wanted);
  void on_answer(TimeMs now_ms);
  std::uint64_t missing() const;
  bool has_new_gap() const;
  TimeMs ask_pause_ms() const;
  bool is_missing_something() const;
  void set_have_interval(TimeMs now_ms, TimeMs interval_ms);
  void plan_have(TimeMs now_ms);
  TimeMs random_up_to(TimeMs most_ms) { return random_() % (most_ms + 1); }
  void check_silence(TimeMs now_ms);
  std::optional<TimeMs> leave_deadline() const;
  void write_leave(TimeMs now_ms, v2::ByteWriter& writer);
  void write_have(TimeMs now_ms, v2::ByteWriter& writer);
  void write_says(TimeMs now_ms, v2::ByteWriter& writer, const char* end);
  std::string seal(std::string_view plain);

  SessionInfo info_;
  PacketKey send_key_;
  PacketKey receive_key_;
  Sealer sealer_;
  std::uint64_t next_packet_;
  ReplayWindow received_;
  // Larger than any datagram of a server, which is 8,952 bytes.
  std::array<char, 9216> plain_;

  // What is said.
  std::uint64_t next_id_ = 1;
  std::deque<Pending> says_;
  RoundTrip round_trip_;
  std::uint32_t backoff_ = 0;  // doublings of the timeout
  double window_bytes_ = 10 * v2::kMaxBundleBytes;
  std::uint64_t slower_from_ = 1;  // a loss from this number on makes the window smaller

  // What has come.
  std::uint64_t complete_;
  std::uint64_t last_known_;   // the newest entry that is known to exist
  std::uint64_t history_end_;  // up to here it is history
  std::map<std::uint64_t, Ahead> ahead_;
  std::map<v2::MemberId, RosterMember> roster_;
  std::vector<LogEvent> history_;  // held back until names are known

  // What is to be told to the server, and when.
  static constexpr TimeMs kPromptIntervalMs = 1000;  // above it, the room is large
  TimeMs have_interval_ms_ = kPromptIntervalMs;
  std::optional<TimeMs> have_at_ms_;  // what has come is acknowledged then
  std::optional<TimeMs> ask_at_ms_;   // what is missing is asked for then
  std::uint64_t complete_when_asked_ = 0;
  std::uint64_t asked_up_to_ = 0;     // by any HAVE so far
  std::uint32_t asked_ = 0;           // times, for what is missing now
  std::optional<Question> question_;  // that has no answer yet
  std::minstd_rand random_;   // for when to ask; the seed is the session's id, itself random
  std::uint32_t probes_ = 0;  // that it has not answered
  TimeMs probe_at_ms_;        // when it is asked whether it is there
  std::optional<std::uint64_t> path_response_;
  TimeMs leave_at_ms_ = 0;  // it is said (again) then
  std::uint32_t leaves_ = 0;
  LogSessionOptions options_;
  bool is_in_history_;
  bool wants_probe_ = false;
  bool is_leaving_ = false;
  bool is_over_ = false;
  bool is_silent_ = false;

  std::deque<LogEvent> events_;
  LogSessionStats stats_;
};

}  // namespace chatd::client
