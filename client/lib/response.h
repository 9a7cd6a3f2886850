// The answer to one request: taken out of the stream of a control connection, and what it says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/lib/error.h"
#include "client/lib/session_info.h"
#include "core/base/limits.h"
#include "core/wire/v1/token.h"
#include "core/wire/v2/roster.h"

namespace chatd::client {

// Whole frames, header included. A list of 100,000 rooms takes some 20 MB, and a server cuts one
// that would be longer than this; every other answer is a status, a sentence and a token.
using chatd::kMaxListBytes;
inline constexpr std::size_t kMaxEntryAnswerBytes = 16 * 1024;
// With protocol v2 it has the room's roster.
inline constexpr std::size_t kMaxSessionAnswerBytes = v2::kMaxAnswerBytes;
// A chatd sends two; a peer that sends more is not one.
inline constexpr int kMaxFramesBeforeAnswer = 8;

// Takes the answer to one request out of what a control connection delivers, however it is cut up.
//
// Before the answer come other frames: the greeting (State 0) and "accepted" (State 1). The answer
// is the first frame with State 2, whatever its operation: a server that is full says so before it
// has read what was asked.
//
// Thread: none of its own; no I/O.
class ResponseReader {
 public:
  explicit ResponseReader(std::size_t max_frame_bytes) : max_frame_bytes_(max_frame_bytes) {}

  // The answer's payload once it is whole; nothing while more bytes are needed. Do not call it
  // again after an answer or an error.
  tl::expected<std::optional<std::string>, Error> push(std::string_view bytes);

  // Why an answer will not come any more, now that the server has closed the connection.
  Error closed() const;

 private:
  std::size_t max_frame_bytes_;
  std::string received_;
  int skipped_frames_ = 0;
  bool accepted_ = false;
};

// What the payload of an answer says.
struct RoomInfo {
  std::string name;
  // At most kMaxListedMembers names, and none of a room with a password.
  std::vector<std::string> members;
  std::uint64_t count = 0;
  bool password_required = false;
};

// In the server's order.
struct RoomList {
  std::vector<RoomInfo> rooms;
  std::uint64_t total = 0;
};

// Where datagrams of protocol v2 go.
struct UdpEndpoint {
  std::string host = {};
  std::uint16_t port = 0;

  // No host, or one that stands for every address.
  bool is_where_tcp_went() const { return host.empty() || host == "0.0.0.0" || host == "::"; }
};

// What a member gets to know about itself.
struct Entry {
  Token token;
  // How long the server waits to hear from it. Nothing: an older server, which does not say.
  std::optional<std::int64_t> idle_timeout_ms = {};
  // With protocol v2, and where its datagrams may go, the first that works.
  std::optional<SessionInfo> session = {};
  std::vector<UdpEndpoint> endpoints = {};
};

// kRefused with the server's words for every status but 201.
tl::expected<Entry, Error> parse_entry_answer(std::string_view payload);

// kRefused when the server answered with a status instead of a list.
tl::expected<RoomList, Error> parse_room_list(std::string_view payload);

}  // namespace chatd::client
