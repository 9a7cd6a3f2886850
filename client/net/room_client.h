// A member's place in a room over real sockets, whichever protocol it speaks.
//
// When the server does not know this member any more (its address has changed, the server was
// started afresh), the place is taken again. What may pass (a server that is too busy, or does not
// answer) is tried again, until the idle timeout has passed; a refusal that time does not cure is
// the end.
//
// Thread: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/lib/error.h"
#include "client/lib/event.h"
#include "client/lib/liveness.h"
#include "client/lib/request.h"
#include "client/lib/response.h"
#include "client/net/server_address.h"
#include "core/wire/v1/token.h"

namespace chatd::client {

// Between two looks at the keyboard.
inline constexpr int kMaxDatagramsPerTurn = 256;
// For one attempt to come back, in all. The terminal is dead meanwhile (but for Ctrl-C), so it is
// short: whoever is there answers within a few round trips, and another attempt follows.
inline constexpr std::int64_t kReturnPatienceMs = 2'000;

class RoomClient {
 public:
  struct Wishes {
    std::int64_t heartbeat_ms = kDefaultHeartbeatMs;
    // With protocol 2: to be told what was said before, as far as the room lets late members.
    bool wants_history = false;
    // With protocol 2: a passphrase under which all is said, and read (client/lib/room_cipher.h);
    // empty: none.
    std::string room_key = {};
  };

  // Creates or joins a room, or takes the seat there that `request.token` is for; if that is gone,
  // a new one. With the protocol of `server`. Blocks for as long as the timeouts say.
  static tl::expected<std::unique_ptr<RoomClient>, Error> enter(const ServerAddress& server,
                                                                EntryRequest request,
                                                                const Wishes& wishes);

  RoomClient(const RoomClient&) = delete;
  RoomClient& operator=(const RoomClient&) = delete;
  virtual ~RoomClient() = default;

  virtual int protocol() const = 0;
  virtual const std::string& room() const = 0;
  virtual const std::string& username() const = 0;
  virtual const Token& token() const = 0;
  // All that is said here is sealed under the room's key.
  virtual bool has_room_key() const = 0;
  // Of one message: with protocol 2 its text, with protocol 1 all of its datagram.
  virtual std::size_t max_message_bytes() const = 0;

  // For poll(2): readable when receive() has something to do. Another one after each kAnswered.
  virtual int fd() const = 0;
  // In now_ms(): when on_deadline() and receive() are due although nothing is readable.
  virtual std::int64_t next_deadline_ms() const = 0;

  // The number by which kDelivered or kRefused, and the own kMessage, tell of it. 0: nothing will.
  virtual tl::expected<std::uint64_t, Error> say(std::string_view text) = 0;
  // Whether more should be said before some of it is delivered.
  virtual bool has_room() const = 0;
  virtual void on_deadline() = 0;

  // What has arrived, a bounded number at a time, and then the news.
  virtual std::vector<Event> receive() = 0;
  // What this side has found out about the server since it was asked last (kUnanswered, kAnswered);
  // after kDisconnected, kNotAuthenticated and kServerGone, which are the end of the session, comes
  // nothing more.
  virtual std::vector<Event> take_news() = 0;

  // Whether all that was said has arrived; the session goes on. kAsked: the answer is yet to come,
  // or the news will say what is wrong. kCannotSay: it is an older server with protocol 1, which
  // tells refusals alone. kMayBeLost: it is not known, and will not be soon.
  enum class Arrival : std::uint8_t { kCannotSay, kAsked, kYes, kMayBeLost };
  virtual Arrival ask_arrival() = 0;
  // Nothing listens where the last datagram went, as far as is known by now: the end.
  virtual std::optional<Event> last_refusal() = 0;

  // Who is here. Nothing: the server does not list the room.
  virtual tl::expected<std::optional<RoomInfo>, Error> who() = 0;

  // Tells the server. With protocol 2 it waits for a moment, first until what was said is
  // delivered, and then until the server knows; how many messages are not delivered even so.
  virtual std::size_t leave() = 0;

 protected:
  RoomClient() = default;
};

}  // namespace chatd::client
