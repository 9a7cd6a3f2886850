// What a datagram from the server means to this member.
// Thread: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace chatd::client {

struct Event {
  enum class Kind : std::uint8_t {
    kMessage,           // `name` says `text`
    kJoined,            // `name` is in the room now
    kLeft,              // `name` is no longer in the room
    kDisconnected,      // this member is no longer in the room; `text` is the server's word for it
    kNotAuthenticated,  // the server does not know this member; `text` is the server's word for it
    kNotice,            // the server says `text`
    kHeartbeat,         // the answer to one: `text` is what stood in it
    // What is found by asking, never parsed.
    kUnanswered,  // the server does not answer; `text` says since when and why
    kAnswered,    // it does again
    kServerGone,  // `text` says how that is known
    kMalformed,   // not to be understood; `text` says why
  };

  Kind kind = Kind::kMalformed;
  // As they came, that is valid UTF-8 with anything in it: sanitize them before they are shown.
  std::string name;
  std::string text;
};

Event parse_event(std::string_view datagram, std::string_view own_username);

}  // namespace chatd::client
