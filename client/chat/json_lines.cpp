#include "client/chat/json_lines.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "client/lib/json_text.h"
#include "core/base/hidden.h"

namespace chatd::client {
namespace {

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

template <typename WriteFields>
std::string json_line(std::string_view type, WriteFields write_fields) {
  rapidjson::StringBuffer json;
  Writer writer(json);
  writer.StartObject();
  write_member(writer, "type", type);
  write_fields(writer);
  writer.EndObject();
  return escape_hidden(as_view(json));
}

std::string json_text(std::string_view type, std::string_view key, std::string_view text) {
  return json_line(type, [&](Writer& writer) { write_member(writer, key, text); });
}

}  // namespace

std::string json_ready(std::string_view room, std::string_view username) {
  return json_line("ready", [&](Writer& writer) {
    write_member(writer, "room", room);
    write_member(writer, "username", username);
  });
}

std::string json_event(const Event& event) {
  switch (event.kind) {
    case Event::Kind::kMessage:
      return json_line("message", [&](Writer& writer) {
        write_member(writer, "sender", event.name);
        write_member(writer, "message", event.text);
      });
    case Event::Kind::kJoined:
      return json_text("joined", "username", event.name);
    case Event::Kind::kLeft:
      return json_text("left", "username", event.name);
    case Event::Kind::kNotice:
      return json_text("notice", "message", event.text);
    case Event::Kind::kMalformed:
      return json_text("malformed", "message", event.text);
    case Event::Kind::kUnanswered:
      return json_text("unanswered", "message", event.text);
    case Event::Kind::kAnswered:
      return json_text("answered", "message", event.text);
    case Event::Kind::kHeartbeat:
    case Event::Kind::kDisconnected:
    case Event::Kind::kNotAuthenticated:
    case Event::Kind::kServerGone:
      break;
  }
  return json_text("disconnected", "message", event.text);
}

std::string json_room(const RoomInfo& room) {
  return json_line("room", [&](Writer& writer) {
    write_member(writer, "name", room.name);
    writer.Key("members");
    writer.StartArray();
    for (const std::string& member : room.members) write_string(writer, member);
    writer.EndArray();
    writer.Key("count");
    writer.Uint64(room.count);
    writer.Key("password_required");
    writer.Bool(room.password_required);
  });
}

std::string json_refused(const Error& error) {
  return json_line("refused", [&](Writer& writer) {
    writer.Key("status");
    writer.Int(error.status);
    write_member(writer, "message", error.reason);
  });
}

}  // namespace chatd::client
