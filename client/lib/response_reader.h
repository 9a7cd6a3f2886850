// Takes the answer to one request out of what a control connection delivers, however it is cut up.
//
// Before the answer come frames that are none: the greeting (State 0) and "accepted" (State 1).
// The answer is the first frame with State 2, whatever its operation: a server that is full says so
// before it has read what was asked.
//
// Thread: none of its own; no I/O.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "client/lib/error.h"
#include "core/base/limits.h"

namespace chatd::client {

// Whole frames, header included. A list of 100,000 rooms takes some 20 MB, and a server cuts one
// that would be longer than this; every other answer is a status, a sentence and a token.
using chatd::kMaxListBytes;
inline constexpr std::size_t kMaxEntryAnswerBytes = 16 * 1024;
// A chatd sends two; a peer that goes on for ever is none.
inline constexpr int kMaxFramesBeforeAnswer = 8;

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

}  // namespace chatd::client
