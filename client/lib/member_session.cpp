#include "client/lib/member_session.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <simdjson.h>

#include <array>
#include <charconv>
#include <cinttypes>
#include <cstdio>

#include "client/lib/json_text.h"
#include "core/base/limits.h"
#include "core/wire/v1/datagram.h"

namespace chatd::client {
namespace {

constexpr unsigned kLeaveOperation = 2;

// So long that a datagram with it, and the shortest of room names, has room for «You are not
// authenticated» in its answer.
constexpr std::size_t kNumberDigits = 16;

std::string in_digits(std::uint64_t number) {
  std::array<char, kNumberDigits + 1> digits{};
  std::snprintf(digits.data(), digits.size(), "%016" PRIx64, number);
  return {digits.data(), kNumberDigits};
}

}  // namespace

MemberSession::MemberSession(ConversationConfig config, std::int64_t now_ms)
    : config_(std::move(config)),
      standing_(config_.heartbeat_ms, config_.idle_timeout_ms, now_ms) {}

std::string MemberSession::datagram(std::string_view payload) const {
  std::string bytes;
  append_client_datagram(bytes, config_.room, config_.token, payload);
  return bytes;
}

tl::expected<std::string, Error> MemberSession::message(std::string_view text) const {
  if (!simdjson::validate_utf8(text.data(), text.size())) {
    return failure(ErrorKind::kNotSendable, "not sent: it is not valid UTF-8");
  }
  rapidjson::StringBuffer json;
  rapidjson::Writer<rapidjson::StringBuffer> writer(json);
  writer.StartObject();
  write_member(writer, "sender", config_.username);
  write_member(writer, "message", text);
  writer.EndObject();

  std::string bytes = datagram(as_view(json));
  if (bytes.size() > kMaxDatagramBytes) {
    const std::size_t too_many = bytes.size() - kMaxDatagramBytes;
    return failure(ErrorKind::kNotSendable,
                   "not sent: it is too long by " + std::to_string(too_many) +
                       (too_many == 1 ? " byte" : " bytes") + " (with its headers a message has " +
                       std::to_string(kMaxDatagramBytes) + " bytes at most)");
  }
  return bytes;
}

std::string MemberSession::heartbeat() const {
  const auto number = standing_.next_number();
  if (!number) return datagram("");
  return datagram(R"({"heartbeat":")" + in_digits(config_.secret + *number) + R"("})");
}

std::string MemberSession::leave() const {
  rapidjson::StringBuffer json;
  rapidjson::Writer<rapidjson::StringBuffer> writer(json);
  writer.StartObject();
  write_member(writer, "sender", "system");
  writer.Key("operation");
  writer.Uint(kLeaveOperation);
  write_member(writer, "username", config_.username);
  writer.EndObject();
  return datagram(as_view(json));
}

void MemberSession::on_answer(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped_at, error] = std::from_chars(text.data(), end, number, 16);
  if (error != std::errc{} || stopped_at != end) return;
  standing_.on_answer(number - config_.secret);
}

}  // namespace chatd::client
