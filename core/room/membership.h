// The life of members: they arrive, leave, fall silent, keep refusing, or lose their room, and
// those who must hear of it do. The only place where rooms and members come and go, timers are
// armed and notices are written. Thread: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/base/timer_wheel.h"
#include "core/room/dispatcher.h"
#include "core/room/outbox.h"
#include "core/room/quota_releases.h"
#include "core/room/room_events.h"
#include "core/room/roster.h"
#include "core/stats/counters.h"

namespace chatd {

class Membership {
 public:
  Membership(const Limits& limits, Roster& roster, Dispatcher& dispatcher, Counters& counters,
             QuotaReleases& quota_releases, RoomEvents& events, TimeMs now_ms);

  // A room without members, to be filled at once. The name must be free, and the limits must allow
  // one more.
  std::uint32_t open_room(Room room);
  // Ends a room: nobody is a member any more. All are told, after what waits there.
  void close_room(std::uint32_t room);

  // A member whose token names the roster's next slot; the limits must allow one more. Its room
  // hears of it, unless the room is large.
  // With a session it speaks protocol v2.
  void admit(TimeMs now_ms, std::uint32_t room, Member member, const Endpoint& endpoint,
             std::unique_ptr<Session> session = nullptr);

  // A member is where its token was shown last, and nowhere else any more: it is told so there.
  // The others hear nothing, for nobody came or went. Port 0: where it is now is not known yet.
  void take_seat(TimeMs now_ms, std::uint32_t member, const IpAddress& peer,
                 const Endpoint& endpoint, Outbox& out);
  // The same for one with protocol v2: under another session.
  void take_v2_seat(TimeMs now_ms, std::uint32_t member, const IpAddress& peer,
                    std::unique_ptr<Session> session, Outbox& out);

  // It said goodbye: the others hear of it, it hears nothing.
  void leave(TimeMs now_ms, std::uint32_t member, Outbox& out);
  // An operator wants it gone: it hears of it, too.
  void kick(TimeMs now_ms, std::uint32_t member, Outbox& out);
  // The same, and it hears this text: it is banned.
  void ban(TimeMs now_ms, std::uint32_t member, std::string_view text, Outbox& out);
  // Its address keeps refusing.
  void remove_refusing(TimeMs now_ms, std::uint32_t member, Outbox& out);

  // Removes members whose silence has lasted idle_timeout, until none is left, `out` is full, or
  // it has been enough for a turn; then next_deadline() has passed already.
  void expire(TimeMs now_ms, Outbox& out);
  std::optional<TimeMs> next_deadline() const { return wheel_.next_deadline(); }
  // The idle timeout is another one now. Takes some 20 ns for each member.
  void rearm_all();
  // Every member may say as much again as if it had been silent.
  void forgive_all();

  // Ends rooms until none is left and all members are told (true) or `out` is full (false).
  bool disconnect_all(Outbox& out);

 private:
  void remove(TimeMs now_ms, std::uint32_t member, v2::CloseReason reason, Outbox& out);
  void remove(TimeMs now_ms, std::uint32_t member, std::string farewell, const v2::Closed& closed,
              Outbox& out);
  void notify_room(TimeMs now_ms, std::uint32_t room, const v2::Entry& entry, bool is_limited);

  const Limits& limits_;
  Roster& roster_;
  Dispatcher& dispatcher_;
  Counters& counters_;
  QuotaReleases& quota_releases_;
  RoomEvents& events_;
  TimerWheel wheel_;
};

}  // namespace chatd
