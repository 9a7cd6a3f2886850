#include "core/wire/v1/notice.h"

#include <algorithm>
#include <array>

#include "core/base/limits.h"
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

// "bob joined", without an allocation: it is written whenever such an entry is sent.
void write_notice_about(JsonWriter& json, NoticeOperation operation, std::string_view username,
                        std::string_view what) {
  std::array<char, kMaxNameBytes + 16> message;
  char* const middle = std::copy(username.begin(), username.end(), message.data());
  const char* const end = std::copy(what.begin(), what.end(), middle);
  write_notice(json, operation, username,
               {message.data(), static_cast<std::size_t>(end - message.data())});
}

}  // namespace

void write_joined_notice(JsonWriter& json, std::string_view username) {
  write_notice_about(json, NoticeOperation::kJoined, username, " joined");
}

void write_left_notice(JsonWriter& json, std::string_view username) {
  write_notice_about(json, NoticeOperation::kLeft, username, " left");
}

void write_message(JsonWriter& json, std::string_view username, std::string_view text) {
  json.begin_object();
  json.member("sender", username);
  json.member("message", text);
  json.end_object();
}

std::string disconnected_notice(std::string_view username, std::string_view text) {
  JsonWriter json;
  write_notice(json, NoticeOperation::kLeft, username, text);
  return json.take();
}

}  // namespace chatd
