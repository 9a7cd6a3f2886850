#include "client/answer.h"

#include <simdjson.h>

#include "core/limits.h"

namespace chatd::client {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::int64_t kStatusCreated = 201;

tl::unexpected<Error> nonsense(const char* what) {
  return failure(ErrorKind::kUnreachable, std::string("the server's answer ") + what);
}

tl::unexpected<Error> refusal(const object& answer, std::int64_t status) {
  std::string_view message;
  if (answer["message"].get(message) != simdjson::SUCCESS || message.empty()) {
    message = "no reason given";
  }
  return failure(ErrorKind::kRefused, std::string(message), static_cast<int>(status));
}

bool is_status(std::int64_t status) {
  return status >= 100 && status <= 999;
}

// Nothing for a room whose description is not of the agreed form.
bool read_room(std::string_view name, const element& value, RoomInfo& room) {
  object fields;
  if (value.get(fields) != simdjson::SUCCESS) return false;
  simdjson::dom::array members;
  if (fields["members"].get(members) != simdjson::SUCCESS) return false;
  for (const element member : members) {
    // More than a chatd names: a server that means harm could fill the memory with them.
    if (room.members.size() == kMaxListedMembers) break;
    std::string_view member_name;
    if (member.get(member_name) != simdjson::SUCCESS) return false;
    room.members.emplace_back(member_name);
  }
  room.name = name;
  if (fields["count"].get(room.count) != simdjson::SUCCESS) room.count = members.size();
  if (fields["password_required"].get(room.password_required) != simdjson::SUCCESS) {
    room.password_required = false;
  }
  return true;
}

}  // namespace

tl::expected<Token, Error> parse_entry_answer(std::string_view payload) {
  simdjson::dom::parser parser;
  object answer;
  if (parser.parse(payload.data(), payload.size()).get(answer) != simdjson::SUCCESS) {
    return nonsense("is not a JSON object");
  }
  std::int64_t status = 0;
  if (answer["status"].get(status) != simdjson::SUCCESS || !is_status(status)) {
    return nonsense("has no status");
  }
  if (status != kStatusCreated) return refusal(answer, status);
  std::string_view text;
  if (answer["token"].get(text) != simdjson::SUCCESS || text.size() != kTokenHexBytes) {
    return nonsense("has no token");
  }
  const auto token = Token::parse(text);
  if (!token) return nonsense("has a token that is not hexadecimal");
  return *token;
}

tl::expected<RoomList, Error> parse_room_list(std::string_view payload) {
  simdjson::dom::parser parser;
  object answer;
  if (parser.parse(payload.data(), payload.size()).get(answer) != simdjson::SUCCESS) {
    return nonsense("is not a JSON object");
  }
  object rooms;
  if (answer["rooms"].get(rooms) != simdjson::SUCCESS) {
    std::int64_t status = 0;
    if (answer["status"].get(status) == simdjson::SUCCESS && is_status(status)) {
      return refusal(answer, status);
    }
    return nonsense("has no list of rooms");
  }
  RoomList list;
  for (const simdjson::dom::key_value_pair field : rooms) {
    RoomInfo room;
    if (!read_room(field.key, field.value, room)) return nonsense("describes a room wrongly");
    list.rooms.push_back(std::move(room));
  }
  if (answer["total"].get(list.total) != simdjson::SUCCESS) list.total = list.rooms.size();
  return list;
}

}  // namespace chatd::client
