// A member of a chatd room, for programs: bots, bridges, loggers, tests.
//
//   auto room = chatd_client::Room::enter(
//       {.server = "chat.example:8001", .room = "kitchen", .name = "bot"});
//   if (!room) return complain(room.error().reason);
//   room->say("hello");
//   while (!room->is_over()) {
//     if (const auto event = room->next(60'000)) handle(*event);
//   }
//
// Protocol 2: all is sealed; every member gets the same messages in the same order; what is said
// arrives, or it is told that it does not; what is lost on the way is asked for again. A room lives
// on as long as somebody is in it. If the server restarts, or this machine gets another address,
// the member takes its seat again by itself: events tell.
//
// Two ways to use it:
//  - Blocking: next() waits. One room and one thread.
//  - In a loop of your own (poll, epoll, libuv …): wait until fd() is readable or wait_ms() have
//    passed, then call next(0) until it gives nothing. Many rooms may share a thread that way;
//    Rooms does it with poll(2). One call can still take up to two seconds: that in which the
//    member, lost to its server, asks for its seat over TCP.
//
// Errors are values. Strings that come from others are valid UTF-8 with anything in them: make them
// harmless before a terminal shows them. Nothing is thrown but std::bad_alloc.
//
// Thread: a Room (or Rooms) belongs to one thread at a time; different ones need not be the same.
// Link with `pkg-config --static --libs chatd-client`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace chatd_client {

struct Error {
  enum class Kind : std::uint8_t {
    kUnreachable,  // no connection, no answer in time, or an answer that is not chatd's
    kRefused,      // the server has answered `status`: 401 wrong password, 404 no such room …
    kUntrusted,    // nobody says that it is the server that is meant
    kNotSendable,  // this message cannot go out; the next one may
    kInternal,     // this machine refuses: no descriptors, no memory for a socket
  };

  Kind kind = Kind::kInternal;
  std::string reason;  // a sentence for people, without a full stop; it may quote the server
  int status = 0;      // kRefused: as in HTTP; otherwise 0
};

struct RoomOptions {
  std::string server = "localhost:8001";  // HOST or HOST:PORT, its port with TLS
  std::string room;                       // 1 to 255 bytes
  std::string name;                       // 1 to 255 bytes: the member's
  std::string password = {};              // of the room; empty: it has none
  // Make the room, whose host this member is then: with it the room ends. Late members may read so
  // many messages from before they came, as far as the server keeps them.
  bool create = false;
  std::uint32_t history_messages = 0;
  // A passphrase that the room's members share: what this member says is sealed under it, from the
  // server as well, and what others say is opened. Empty: nothing is.
  std::string room_key = {};
  // Be told what was said before, as far as the room lets late members.
  bool wants_history = false;
  // Of an earlier run of this program: take the seat again that it had (Room::token()).
  std::string token = {};

  // Whom to trust: an authority that this machine trusts, for the name in `server`. Or:
  // "sha256:…", the fingerprint of the server's certificate, as chatd logs it; then that alone.
  std::string pin = {};
  // Servers on this machine (127.0.0.0/8, ::1) are trusted, unless there is a pin.

  // For the connection, and again for the answer.
  std::int64_t timeout_ms = 5'000;
};

struct Event {
  enum class Kind : std::uint8_t {
    kMessage,     // `name` says `text`; also what this member has said itself (is_own)
    kUnreadable,  // `name` has said something under a room key; `text` says why it does not open
    kJoined,      // `name` is in the room now
    kLeft,        // `name` is no longer in the room
    kDelivered,   // what was said with this `id` is in the room
    kRefused,     // it never will be; `text` says why
    kLost,        // `count` entries of the room's log never come
    kCaughtUp,    // what was said before this member came has been told
    kNotice,      // the server says `text`
    kSilent,      // the server does not answer, or does not know this member; `text` says more. The
                  // member goes on asking
    kAnswers,     // it does again, and the member is in its room
    kEnded,       // this member is out, or the server is gone; `text` says why. Nothing follows
  };

  Kind kind = Kind::kNotice;
  std::string name = {};
  std::string text = {};
  bool is_own = false;
  bool is_history = false;  // it was said before this member came
  // kMessage: whether it was said under the room key; nothing: this member has none. What is not
  // may be the server's invention.
  std::optional<bool> is_sealed = {};
  std::uint64_t id = 0;  // as say() gave it; 0: another's
  std::uint64_t count = 0;
};

class Room {
 public:
  // Joins the room, or makes it. Blocks for as long as the timeouts say. A second member of the
  // same name is refused (409), unless it has the token.
  static tl::expected<Room, Error> enter(const RoomOptions& options);

  Room(Room&&) noexcept;
  Room& operator=(Room&&) noexcept;
  // Goes without a word: the seat stays for the server's idle timeout (see leave()).
  ~Room();

  // Says this to everybody else: 1 to 1,100 bytes (1,059 under a room key) of UTF-8 without control
  // characters but newline and tab. Its number, by which kDelivered or kRefused tell what became of
  // it. It waits for nothing: what is not delivered is said again by itself, and what is said
  // meanwhile comes behind it, in the order of the calls.
  tl::expected<std::uint64_t, Error> say(std::string_view text);
  // Messages that are neither delivered nor refused. Wait for events before there are very many.
  std::size_t undelivered() const;

  // The next event, waiting for at most so long. Call it again and again, for it does all the work:
  // who does not call it for the server's idle timeout is out.
  std::optional<Event> next(std::int64_t timeout_ms);

  // For loops of your own. The descriptor may be another one after each call of next().
  int fd() const;
  // Until next(0) is due although nothing is readable; at most a minute.
  std::int64_t wait_ms() const;

  // Tells the server, and waits a second or two until it knows. Returns how many messages were not
  // delivered. Nothing else may be called afterwards.
  std::size_t leave();

  bool is_over() const;  // after kEnded
  std::string room() const;
  std::string name() const;
  // Everybody who is here, by name.
  std::vector<std::string> members() const;
  // For another run of the program: 32 hexadecimal characters, as secret as a password.
  std::string token() const;

 private:
  class Implementation;
  explicit Room(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

// Several rooms, or several members of one, in one thread.
class Rooms {
 public:
  // The number by which next() names it: 0, 1, 2 …
  std::size_t add(Room room);
  Room& operator[](std::size_t number) { return rooms_[number]; }
  std::size_t size() const { return rooms_.size(); }

  // The next event of any of them, and whose it is; each gets its turn.
  std::optional<std::pair<std::size_t, Event>> next(std::int64_t timeout_ms);

 private:
  std::optional<std::pair<std::size_t, Event>> look();

  std::vector<Room> rooms_;
  std::size_t turn_ = 0;  // who is looked at first
};

}  // namespace chatd_client
