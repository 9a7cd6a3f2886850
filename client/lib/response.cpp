#include "client/lib/response.h"

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#include <simdjson.h>
#include <sodium/utils.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
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

// --- Protocol v2 ---------------------------------------------------------------------------------

template <std::size_t kBytes>
bool read_base64(const object& from, std::string_view key, std::array<std::uint8_t, kBytes>& to) {
  std::string_view text;
  std::size_t size_bytes = 0;
  return from[key].get(text) == simdjson::SUCCESS &&
         sodium_base642bin(to.data(), to.size(), text.data(), text.size(), nullptr, &size_bytes,
                           nullptr, sodium_base64_VARIANT_ORIGINAL) == 0 &&
         size_bytes == to.size();
}

bool read_number(const object& from, std::string_view key, std::uint64_t& to) {
  return from[key].get(to) == simdjson::SUCCESS;
}

bool read_id(const object& from, std::string_view key, v2::MemberId& to) {
  std::uint64_t id = 0;
  if (!read_number(from, key, id) || id == 0 || id > std::numeric_limits<v2::MemberId>::max()) {
    return false;
  }
  to = static_cast<v2::MemberId>(id);
  return true;
}

std::optional<Cipher> cipher_named(std::string_view name) {
  for (const Cipher cipher : {Cipher::kAes256Gcm, Cipher::kChaCha20Poly1305}) {
    if (name == cipher_name(cipher)) return cipher;
  }
  return std::nullopt;
}

bool read_keys(const object& answer, SessionInfo& to) {
  object session;
  std::string_view id;
  std::string_view cipher;
  if (answer["session"].get(session) != simdjson::SUCCESS ||
      session["id"].get(id) != simdjson::SUCCESS ||
      session["cipher"].get(cipher) != simdjson::SUCCESS) {
    return false;
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), value, 16);
  const auto known = cipher_named(cipher);
  if (id.size() != 16 || error != std::errc{} || end != id.data() + id.size() || !known) {
    return false;
  }
  to.id = v2::SessionId(value);
  to.cipher = *known;
  return read_base64(session, "key", to.secret) && read_base64(session, "reset", to.reset_token);
}

bool read_log(const object& answer, SessionInfo& to) {
  object log;
  return answer["log"].get(log) == simdjson::SUCCESS && read_number(log, "epoch", to.log_epoch) &&
         read_number(log, "next", to.next_entry) && read_number(log, "oldest", to.oldest_entry) &&
         to.oldest_entry > 0 && to.oldest_entry <= to.next_entry && to.next_entry <= v2::kMaxVarint;
}

bool read_roster(const object& answer, SessionInfo& to) {
  simdjson::dom::array members;
  if (answer["roster"].get(members) != simdjson::SUCCESS) return false;
  for (const simdjson::dom::element each : members) {
    object described;
    std::string_view name;
    RosterMember& member = to.roster.emplace_back();
    if (each.get(described) != simdjson::SUCCESS || !read_id(described, "id", member.id) ||
        described["name"].get(name) != simdjson::SUCCESS) {
      return false;
    }
    member.name = name;
    if (described["host"].get(member.is_host) != simdjson::SUCCESS) member.is_host = false;
  }
  return true;
}

std::optional<SessionInfo> read_session_info(const object& answer) {
  SessionInfo info;
  if (read_keys(answer, info) && read_log(answer, info) && read_roster(answer, info) &&
      read_id(answer, "you", info.member)) {
    return info;
  }
  return std::nullopt;
}

// Of endpoints of a later protocol only those that are known.
std::vector<UdpEndpoint> read_endpoints(const object& answer) {
  std::vector<UdpEndpoint> endpoints;
  simdjson::dom::array list;
  if (answer["endpoints"].get(list) != simdjson::SUCCESS) return endpoints;
  for (const simdjson::dom::element each : list) {
    object described;
    std::uint64_t port = 0;
    std::string_view host;
    if (each.get(described) != simdjson::SUCCESS || !read_number(described, "port", port) ||
        port == 0 || port > std::numeric_limits<std::uint16_t>::max()) {
      continue;
    }
    if (described["host"].get(host) != simdjson::SUCCESS) host = {};
    endpoints.push_back({.host = std::string(host), .port = static_cast<std::uint16_t>(port)});
  }
  return endpoints;
}

// --- Room lists ----------------------------------------------------------------------------------

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
  Entry entry{.token = *token, .idle_timeout_ms = read_seconds(answer, "idle_timeout")};
  std::uint64_t protocol = 1;
  if (answer["protocol"].get(protocol) != simdjson::SUCCESS || protocol != 2) return entry;
  auto session = read_session_info(answer);
  entry.endpoints = read_endpoints(answer);
  if (!session || entry.endpoints.empty()) return nonsense("describes the session wrongly");
  if (entry.idle_timeout_ms) {
    session->idle_timeout_ms = static_cast<TimeMs>(*entry.idle_timeout_ms);
  }
  entry.session = std::move(*session);
  return entry;
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
