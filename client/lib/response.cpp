#include "client/lib/response.h"

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#include <simdjson.h>

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "core/base/limits.h"
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

namespace {

using simdjson::dom::object;

constexpr std::int64_t kStatusCreated = 201;

tl::unexpected<Error> nonsense(const char* what) {
  return failure(ErrorKind::kUnreachable, std::string("the server's answer ") + what);
}

tl::unexpected<Error> refusal(std::string_view message, std::int64_t status) {
  if (message.empty()) message = "no reason given";
  return failure(ErrorKind::kRefused, std::string(message), static_cast<int>(status));
}

bool is_status(std::int64_t status) {
  return status >= 100 && status <= 999;
}

// Some time from a millisecond to a year, in seconds; not always a whole number.
std::optional<std::int64_t> read_seconds(const object& answer, std::string_view key) {
  constexpr double kSecondMs = 1000;
  constexpr double kYear = 366.0 * 24 * 3600;
  double seconds = 0;
  if (answer[key].get(seconds) != simdjson::SUCCESS) return std::nullopt;
  if (!(seconds * kSecondMs >= 1 && seconds <= kYear)) return std::nullopt;
  return std::llround(seconds * kSecondMs);
}

// Takes a room list out of JSON as it is read. A list may be 64 MiB long, and a document in memory
// takes several times that; so there is none, and what is kept is the result.
//
// Of keys that come twice the first one counts.
class RoomListHandler : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, RoomListHandler> {
 public:
  bool is_object() const { return is_object_; }
  bool has_rooms() const { return rooms_ == Part::kSeen; }
  bool describes_rooms_wrongly() const { return is_wrong_; }
  std::optional<std::int64_t> status() const { return status_; }
  const std::string& message() const { return message_; }
  RoomList take() {
    if (!has_total_) list_.total = list_.rooms.size();
    return std::move(list_);
  }

  bool Key(const char* text, rapidjson::SizeType size, bool /*copy*/) {
    const std::string_view key(text, size);
    if (depth_ == 1) key_ = key;
    if (depth_ == kRoomsDepth && is_in_rooms_) {
      list_.rooms.emplace_back().name = key;
      members_ = Part::kAwaited;
      has_count_ = has_password_ = false;
    }
    if (is_in_room()) key_ = key;
    return true;
  }
  bool String(const char* text, rapidjson::SizeType size, bool /*copy*/) {
    const std::string_view value(text, size);
    if (is_in_members()) {
      ++named_members_;
      // More than a chatd names: a server that means harm could fill the memory with them.
      auto& members = list_.rooms.back().members;
      if (members.size() < kMaxListedMembers) members.emplace_back(value);
      return true;
    }
    if (depth_ == 1 && key_ == "message" && message_.empty()) message_ = value;
    return other_value();
  }
  bool Int(int value) { return value < 0 ? integer(value) : Uint64(static_cast<unsigned>(value)); }
  bool Uint(unsigned value) { return Uint64(value); }
  bool Int64(std::int64_t value) { return integer(value); }
  bool Uint64(std::uint64_t value) {
    if (depth_ == 1 && key_ == "total" && !std::exchange(has_total_, true)) list_.total = value;
    if (is_in_room() && key_ == "count" && !std::exchange(has_count_, true)) {
      list_.rooms.back().count = value;
    }
    return integer(static_cast<std::int64_t>(value));
  }
  bool Bool(bool value) {
    if (is_in_room() && key_ == "password_required" && !std::exchange(has_password_, true)) {
      list_.rooms.back().password_required = value;
    }
    return other_value();
  }
  bool Default() { return other_value(); }  // null, a number that is not an integer

  bool StartObject() {
    if (depth_ == 0) is_object_ = true;
    if (depth_ == 1 && key_ == "rooms" && rooms_ == Part::kAwaited) {
      rooms_ = Part::kSeen;
      is_in_rooms_ = true;
    } else if (!(depth_ == kRoomsDepth && is_in_rooms_) && !other_value()) {
      return false;
    }
    ++depth_;
    return true;
  }
  bool EndObject(rapidjson::SizeType /*count*/) {
    --depth_;
    if (depth_ == 1) is_in_rooms_ = false;
    if (depth_ != kRoomsDepth || !is_in_rooms_) return true;
    if (members_ != Part::kSeen) return wrong();
    if (!has_count_) list_.rooms.back().count = named_members_;
    return true;
  }
  bool StartArray() {
    if (is_in_room() && key_ == "members" && members_ == Part::kAwaited) {
      members_ = Part::kOpen;
      named_members_ = 0;
    } else if (!other_value()) {
      return false;
    }
    ++depth_;
    return true;
  }
  bool EndArray(rapidjson::SizeType /*count*/) {
    --depth_;
    if (is_in_room() && members_ == Part::kOpen) {
      members_ = Part::kSeen;
      list_.rooms.back().members.shrink_to_fit();  // there may be a hundred thousand of these
    }
    return true;
  }

 private:
  enum class Part : std::uint8_t { kAwaited, kOpen, kSeen };
  static constexpr std::size_t kRoomsDepth = 2;  // inside "rooms"

  bool is_in_room() const { return is_in_rooms_ && depth_ == kRoomsDepth + 1; }
  bool is_in_members() const {
    return is_in_rooms_ && depth_ == kRoomsDepth + 2 && members_ == Part::kOpen;
  }
  bool wrong() {
    is_wrong_ = true;
    return false;
  }
  bool integer(std::int64_t value) {
    if (depth_ == 1 && key_ == "status" && !status_) status_ = value;
    return other_value();
  }
  // A value where something else has to be makes a description wrong: a room that is not an object,
  // a member that is not text, members that are not an array.
  bool other_value() {
    if (is_in_members() || (depth_ == kRoomsDepth && is_in_rooms_)) return wrong();
    if (is_in_room() && key_ == "members" && members_ == Part::kAwaited) return wrong();
    return true;
  }

  RoomList list_;
  std::size_t depth_ = 0;  // of objects and arrays
  std::string key_;        // at the top, or in a room
  bool is_object_ = false;
  Part rooms_ = Part::kAwaited;
  bool is_in_rooms_ = false;
  bool is_wrong_ = false;
  bool has_total_ = false;
  bool has_count_ = false;  // these of the last room
  bool has_password_ = false;
  Part members_ = Part::kAwaited;
  std::size_t named_members_ = 0;
  std::optional<std::int64_t> status_;
  std::string message_;
};

}  // namespace

tl::expected<Entry, Error> parse_entry_answer(std::string_view payload) {
  simdjson::dom::parser parser;
  object answer;
  if (parser.parse(payload.data(), payload.size()).get(answer) != simdjson::SUCCESS) {
    return nonsense("is not a JSON object");
  }
  std::int64_t status = 0;
  if (answer["status"].get(status) != simdjson::SUCCESS || !is_status(status)) {
    return nonsense("has no status");
  }
  std::string_view text;
  if (status != kStatusCreated) {
    if (answer["message"].get(text) != simdjson::SUCCESS) text = {};
    return refusal(text, status);
  }
  if (answer["token"].get(text) != simdjson::SUCCESS || text.size() != kTokenHexBytes) {
    return nonsense("has no token");
  }
  const auto token = Token::parse(text);
  if (!token) return nonsense("has a token that is not hexadecimal");
  return Entry{.token = *token, .idle_timeout_ms = read_seconds(answer, "idle_timeout")};
}

tl::expected<RoomList, Error> parse_room_list(std::string_view payload) {
  // Neither nesting nor bytes that are not text can break it.
  constexpr unsigned kFlags =
      rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;
  RoomListHandler handler;
  rapidjson::MemoryStream stream(payload.data(), payload.size());
  rapidjson::Reader reader;
  const bool is_json = !reader.Parse<kFlags>(stream, handler).IsError();
  if (handler.describes_rooms_wrongly()) return nonsense("describes a room wrongly");
  if (!is_json || !handler.is_object()) return nonsense("is not a JSON object");
  if (handler.has_rooms()) return handler.take();
  if (handler.status() && is_status(*handler.status())) {
    return refusal(handler.message(), *handler.status());
  }
  return nonsense("has no list of rooms");
}

}  // namespace chatd::client
