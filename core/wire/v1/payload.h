// The check that every payload passes before it is relayed: one JSON object in valid UTF-8 with
// exactly one `sender` at its top level, and that is the member's own username. Keys and values are
// compared after unescaping, so that {"s\u0065nder": …} cannot smuggle in a second one. The rest of
// the object is the clients' business.
//
// simdjson's DOM parser reads the whole text (its on-demand one skips over what nobody asks for,
// unchecked) and works in memory that is allocated here once, for the largest datagram.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

// simdjson.h is the work of seconds for a compiler, and this header is included almost everywhere.
namespace simdjson::dom {
class parser;
}

namespace chatd {

// So many bytes after a payload must be readable (their content does not matter).
inline constexpr std::size_t kPayloadPaddingBytes = 64;

// A leave is no longer, unless its name is escaped without need.
inline constexpr std::size_t kMaxForServerBytes = 1024;

enum class PayloadKind : std::uint8_t {
  kMessage,      // to be relayed as it is
  kLeave,        // {"sender": "system", "operation": 2, "username": the member's own}
  kHeartbeat,    // {"heartbeat": …} and no sender: it wants to be answered
  kWrongSender,  // JSON, but in somebody else's name, in nobody's, or in two
  kMalformed,    // not one JSON object
};

// Whether it may be a leave or a heartbeat, by its length and by "system" or "heartbeat" in plain
// letters: a look, at a fraction of what reading may cost.
bool may_be_for_server(std::string_view payload);

// Thread: one at a time.
class PayloadReader {
 public:
  PayloadReader();
  ~PayloadReader();
  // `payload` is at most kMaxDatagramBytes long and has kPayloadPaddingBytes readable bytes behind
  // it.
  PayloadKind read(std::string_view payload, std::string_view username);

 private:
  std::unique_ptr<simdjson::dom::parser> parser_;
};

}  // namespace chatd
