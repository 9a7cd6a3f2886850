// A member with protocol v2 for as long as it wants to be in its room, over as many sessions as
// that takes.
//
// A session can get lost: the server has forgotten it, or does not answer, or was started afresh.
// Then the seat is asked for again by its token, over TLS, which is not done here but by whoever
// has the sockets: wants_entry() says when and what. What the room has said meanwhile is read in
// the new session, from the last entry on that was told. What this member has said and was not
// echoed may have been taken or not: the entries tell, and only the rest is said again. So each
// message is told once, in the log's order, and each of the member's own is in the room once.
//
// Where there is no seat, and the server has not said that the member was removed, it was started
// afresh, most likely: its rooms begin anew, each when its host comes back, or whoever else creates
// it. (If that word was lost, who was removed comes back once. It could as well join again.)
//
// What makes a session count as lost:
//  - the server's proof that it does not know it (a reset);
//  - silence: its questions stay unanswered, or for five seconds something that was said;
//  - an answer that proves nothing, as a server that was started afresh gives, if nothing else is
//    heard within two seconds: it may be forged;
//  - three refusals (ICMP) with nothing heard between them, which may be mistakes.
// In all but the first the session goes on beside the asking: one datagram that opens, and all is
// well again.
//
// Thread: one at a time; no I/O. Times are milliseconds of any clock that only goes forward.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "client/lib/error.h"
#include "client/lib/event.h"
#include "client/lib/liveness.h"
#include "client/lib/log_session.h"
#include "client/lib/request.h"
#include "client/lib/response.h"
#include "client/lib/room_cipher.h"
#include "core/wire/v1/token.h"

namespace chatd::client {

// What is not delivered is kept, and more of it than this is not wanted.
inline constexpr std::size_t kMaxUndelivered = 256;

class LogMember {
 public:
  struct Options {
    std::string server_name = {};  // for people: "the server at 127.0.0.1:9000"
    bool wants_history = false;    // what was said before this member came
    TimeMs heartbeat_ms = kDefaultHeartbeatMs;
    std::unique_ptr<RoomCipher> cipher = {};  // all that is said is sealed by it; null: nothing is
  };

  // `request` was answered with `entry`, which has a session.
  LogMember(EntryRequest request, Entry entry, Options options, TimeMs now_ms);

  // --- In ----------------------------------------------------------------------------------------

  // Why this text cannot be said; kNotSendable.
  tl::expected<void, Error> check(std::string_view text) const;
  // The number by which events will tell of it. `text` has passed check().
  std::uint64_t say(TimeMs now_ms, std::string_view text);
  // At once: what is not delivered by now is not said again.
  void leave();
  void on_datagram(TimeMs now_ms, std::string_view bytes);
  // Nobody listens where the datagrams go.
  void on_unreachable(TimeMs now_ms);
  // A datagram could not even leave, for this reason; empty: one has left.
  void on_send_result(std::string reason) { send_failure_ = std::move(reason); }
  void on_deadline(TimeMs now_ms);
  std::optional<TimeMs> next_deadline() const;

  // --- Out ---------------------------------------------------------------------------------------

  // Ask for both after each of the calls above.
  std::optional<std::string> next_datagram(TimeMs now_ms);
  std::optional<Event> next_event();

  // --- The seat, again ---------------------------------------------------------------------------

  // A request whose time has come. Its answer is said to one of the two below, unless the asking
  // was interrupted; then ask again, for another one may follow.
  std::optional<EntryRequest> wants_entry(TimeMs now_ms) const;
  void on_entered(TimeMs now_ms, Entry entry);
  void on_not_entered(TimeMs now_ms, const Error& error);

  // --- What is known -----------------------------------------------------------------------------

  const std::string& room() const { return request_.room; }
  const std::string& username() const { return request_.username; }
  const Token& token() const { return token_; }
  bool has_room_key() const { return options_.cipher != nullptr; }
  std::size_t max_text_bytes() const;
  std::size_t undelivered() const { return said_.size(); }
  const std::map<v2::MemberId, RosterMember>& roster() const { return session_->roster(); }
  // The server does not answer, or does not know this member.
  bool is_lost() const { return loss_.has_value(); }
  // It has been asked for the seat, in vain.
  bool has_failed_to_return() const { return loss_ && loss_->failed > 0; }
  // Nothing more will come.
  bool is_over() const { return is_over_; }
  // It has left, and the server knows.
  bool has_left() const { return session_->is_over(); }

 private:
  // What it asks for: its seat; the room once more, as it has entered it; or, if somebody else has
  // created it meanwhile, to join.
  enum class Wish : std::uint8_t { kSeat, kAnew, kJoinAnew };
  struct Said {
    std::string text;
    std::string sealed;  // by the cipher, and the same when it is said again
  };
  struct Loss {
    TimeMs since_ms;
    TimeMs next_try_ms;
    Wish wish = Wish::kSeat;
    bool is_told = false;
    bool is_back = false;  // the seat is taken again, and nothing was heard there yet
    std::uint32_t failed = 0;
    std::string why = {};  // the last time
  };

  bool next_wish(const Error& error);
  void on_seat(TimeMs now_ms, SessionInfo info);
  void fail(TimeMs now_ms, const Error& error);
  void start(TimeMs now_ms, SessionInfo info, bool wants_history);
  void give(TimeMs now_ms, std::uint64_t id);
  void give_all(TimeMs now_ms);
  void on_heard(TimeMs now_ms);
  void lose(TimeMs now_ms, const std::string& told);
  TimeMs next_wait_ms();
  void look(TimeMs now_ms);
  std::optional<TimeMs> gone_deadline() const;
  void take_events(TimeMs now_ms);
  void take(TimeMs now_ms, LogEvent event);
  void take_delivered(const LogEvent& event);
  void take_said(LogEvent event);
  std::optional<Event> read(LogEvent& event);
  Event open(const std::string& speaker, std::string_view bytes);
  std::optional<bool> is_sealed_if(bool is_sealed) const;
  void take_closed(TimeMs now_ms, LogEvent event);
  bool is_history(const LogEvent& event) const { return event.is_history && !is_return_; }
  std::string name_of(const LogEvent& event) const;
  void settle(std::uint64_t id);
  void tell(Event::Kind kind, std::string text);
  void end(Event::Kind kind, std::string text);

  EntryRequest request_;
  Token token_;
  Options options_;
  std::unique_ptr<LogSession> session_;
  TimeMs idle_timeout_ms_ = 0;
  bool is_return_ = false;  // the session is not the first: nothing in it is history

  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, Said> said_;               // not delivered yet, by our number
  std::map<std::uint64_t, std::uint64_t> ids_;       // our number by this session's
  std::map<std::uint64_t, std::uint64_t> lost_ids_;  // and by that of the session that was lost
  bool is_caught_up_ = true;                         // what the lost session has left open is known
  std::uint64_t told_ = 0;                           // the newest entry that was told

  TimeMs heard_at_ms_;
  TimeMs waiting_since_ms_ = 0;          // for what was said to be delivered
  std::optional<TimeMs> doubted_at_ms_;  // an answer that proves nothing, and nothing heard since
  int refusals_ = 0;
  std::string send_failure_;
  std::optional<Loss> loss_;
  bool is_over_ = false;
  std::deque<Event> events_;
};

}  // namespace chatd::client
