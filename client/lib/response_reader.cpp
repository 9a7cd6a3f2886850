#include "client/lib/response_reader.h"

#include <utility>

#include "core/wire/v1/frame.h"

namespace chatd::client {

tl::expected<std::optional<std::string>, Error> ResponseReader::push(std::string_view bytes) {
  received_.append(bytes);
  for (;;) {
    const DecodedFrame decoded = decode_frame(received_, max_frame_bytes_);
    if (decoded.status == FrameStatus::kIncomplete) {
      // Once, instead of doubling what is there: a long list is in memory once, then. What has not
      // come costs nothing but addresses.
      if (decoded.whole_bytes > received_.capacity()) received_.reserve(decoded.whole_bytes);
      return std::nullopt;
    }
    if (decoded.status == FrameStatus::kTooLarge) {
      return failure(ErrorKind::kUnreachable,
                     "what answers there does not speak chatd's protocol, or announces an answer "
                     "that is too large to be true");
    }
    if (decoded.frame.is(FrameState::kCompleted)) {
      const std::size_t payload_bytes = decoded.frame.payload.size();
      received_.resize(decoded.size_bytes);
      received_.erase(0, decoded.size_bytes - payload_bytes);
      return std::move(received_);
    }
    if (decoded.frame.is(FrameState::kAccepted)) accepted_ = true;
    if (++skipped_frames_ > kMaxFramesBeforeAnswer) {
      return failure(ErrorKind::kUnreachable,
                     "the server sends one frame after another, and none "
                     "of them is an answer");
    }
    received_.erase(0, decoded.size_bytes);
  }
}

Error ResponseReader::closed() const {
  return Error{ErrorKind::kUnreachable,
               accepted_ ? "the server accepted the request and closed the connection without "
                           "saying how it ended"
                         : "the server closed the connection before it answered"};
}

}  // namespace chatd::client
