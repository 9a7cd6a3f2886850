#include "core/wire/v1/notice.h"

#include "core/base/json_writer.h"
#include "core/base/names.h"

namespace chatd {
namespace {

static_assert(kNotAuthenticatedDatagram.back() == '}');
static_assert(kTooFastDatagram.back() == '}');

std::string notice(NoticeOperation operation, std::string_view username, std::string_view message) {
  JsonWriter json;
  json.begin_object();
  json.member("sender", kSystemSender);
  json.member("operation", static_cast<std::uint64_t>(operation));
  json.member("username", username);
  json.member("message", message);
  json.end_object();
  return json.take();
}

}  // namespace

std::string joined_notice(std::string_view username) {
  return notice(NoticeOperation::kJoined, username, std::string(username) + " joined");
}

std::string left_notice(std::string_view username) {
  return notice(NoticeOperation::kLeft, username, std::string(username) + " left");
}

std::string disconnected_notice(std::string_view username) {
  return notice(NoticeOperation::kLeft, username, "You have been disconnected");
}

}  // namespace chatd
