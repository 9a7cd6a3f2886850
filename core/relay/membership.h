// The life of members: they arrive, leave, fall silent, keep refusing, or lose their room, and
// those who must hear of it do. The only place where rooms and members come and go, timers are
// armed and notices are written. Thread: one at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/limits.h"
#include "core/relay/counters.h"
#include "core/relay/fan_out.h"
#include "core/relay/outbox.h"
#include "core/relay/room_events.h"
#include "core/relay/room_returns.h"
#include "core/relay/roster.h"
#include "core/timer/timer_wheel.h"
#include "core/timer/timestamp.h"

namespace chatd {

class Membership {
 public:
  Membership(const Limits& limits, Roster& roster, FanOut& fan_out, Counters& counters,
             RoomReturns& returns, RoomEvents& events, TimeMs now_ms);

  // A room without members, to be filled at once. The name must be free, and the limits must allow
  // one more.
  std::uint32_t open_room(Room room);
  // Ends a room; all members are told.
  void close_room(std::uint32_t room, Outbox& out);

  // A member without a token yet; the limits must allow one more. Its room hears of it, unless the
  // room is large.
  std::uint32_t admit(TimeMs now_ms, std::uint32_t room, Member member, const Endpoint& endpoint,
                      Outbox& out);

  // A member is where its token was shown last, and nowhere else any more: it is told so there.
  // The others hear nothing, for nobody came or went. Port 0: where it is now is not known yet.
  void take_seat(TimeMs now_ms, std::uint32_t member, const IpAddress& peer,
                 const Endpoint& endpoint, Outbox& out);

  // It said goodbye: the others hear of it, it hears nothing.
  void leave(TimeMs now_ms, std::uint32_t member, Outbox& out);
  // An operator wants it gone: it hears of it, too.
  void kick(TimeMs now_ms, std::uint32_t member, Outbox& out);
  // Its address keeps refusing.
  void remove_refusing(TimeMs now_ms, std::uint32_t member, Outbox& out);

  // Removes members whose silence has lasted idle_timeout, until none is left or `out` is full.
  void expire(TimeMs now_ms, Outbox& out);
  std::optional<TimeMs> next_deadline() const { return wheel_.next_deadline(); }
  // The idle timeout is another one now. Takes some 20 ns for each member.
  void rearm_all();
  // Every member may say as much again as if it had been silent.
  void forgive_all();

  // Ends rooms until none is left (true) or `out` is full (false).
  bool disconnect_all(Outbox& out);

 private:
  void remove(TimeMs now_ms, std::uint32_t member, Outbox& out);
  void remove_with_word(TimeMs now_ms, std::uint32_t member, Outbox& out);
  void disconnect(std::uint32_t member, Outbox& out);
  void forget(std::uint32_t member);
  void tell_member(std::uint32_t member, std::string_view payload, Outbox& out);
  void tell_others(TimeMs now_ms, std::uint32_t member, std::string_view payload, Outbox& out);

  const Limits& limits_;
  Roster& roster_;
  FanOut& fan_out_;
  Counters& counters_;
  RoomReturns& returns_;
  RoomEvents& events_;
  TimerWheel wheel_;
};

}  // namespace chatd
