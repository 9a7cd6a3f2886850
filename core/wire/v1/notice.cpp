#include "core/wire/v1/notice.h"

#include "core/base/json_writer.h"
#include "core/base/names.h"

namespace chatd {
namespace {

static_assert(kNotAuthenticatedDatagram.back() == '}');
static_assert(kTooFastDatagram.back() == '}');

void write_notice(JsonWriter& json, NoticeOperation operation, std::string_view username,
                  std::string_view message) {
  json.begin_object();
  json.member("sender", kSystemSender);
  json.member("operation", static_cast<std::uint64_t>(operation));
  json.member("username", username);
  json.member("message", message);
  json.end_object();
}

}  // namespace

void write_joined_notice(JsonWriter& json, std::string_view username) {
  write_notice(json, NoticeOperation::kJoined, username, std::string(username) + " joined");
}

void write_left_notice(JsonWriter& json, std::string_view username) {
  write_notice(json, NoticeOperation::kLeft, username, std::string(username) + " left");
}

void write_message(JsonWriter& json, std::string_view username, std::string_view text) {
  json.begin_object();
  json.member("sender", username);
  json.member("message", text);
  json.end_object();
}

std::string joined_notice(std::string_view username) {
  JsonWriter json;
  write_joined_notice(json, username);
  return json.take();
}

std::string left_notice(std::string_view username) {
  JsonWriter json;
  write_left_notice(json, username);
  return json.take();
}

std::string disconnected_notice(std::string_view username) {
  JsonWriter json;
  write_notice(json, NoticeOperation::kLeft, username, "You have been disconnected");
  return json.take();
}

}  // namespace chatd
