// What a member learns of its room and its server, whichever protocol it speaks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace chatd::client {

struct Event {
  enum class Kind : std::uint8_t {
    kMessage,           // `name` says `text`
    kJoined,            // `name` is in the room now
    kLeft,              // `name` is no longer in the room
    kDisconnected,      // this member is no longer in the room; `text` is what the server said
    kNotAuthenticated,  // the server does not know this member; `text` is what the server said
    kNotice,            // the server says `text`
    kHeartbeat,         // the answer to one: `text` is what stood in it
    // What is found by asking, never parsed.
    kUnanswered,  // the server does not answer; `text` says since when and why
    kAnswered,    // it does again
    kServerGone,  // `text` says how that is known
    kMalformed,   // not to be understood; `text` says why
    // With protocol v2 alone.
    kDelivered,   // what was said with this `id` is in the room
    kRefused,     // it never will be; `text` says why
    kLost,        // `count` entries of the room, for good
    kUnreadable,  // `name` has said something that is sealed; `text` says why it does not open
    kCaughtUp,    // all that was said before this member came has been told
  };

  Kind kind = Kind::kMalformed;
  // As they came, that is valid UTF-8 with anything in it: sanitize them before they are shown.
  std::string name = {};
  std::string text = {};
  // With protocol v2 alone.
  bool is_own = false;      // this member has said it
  bool is_history = false;  // it was said before this member came
  // Whether it was said under the room's key; nothing: this member has none.
  std::optional<bool> is_sealed = {};
  std::uint64_t id = 0;  // of what this member has said; 0: another's, or said in an earlier run
  std::uint64_t count = 0;
};

}  // namespace chatd::client
