#include "client/lib/member_session.h"

#include <simdjson.h>

#include <array>
#include <charconv>
#include <cinttypes>
#include <cstdio>

#include "core/base/json_writer.h"
#include "core/base/limits.h"
#include "core/base/names.h"
#include "core/wire/v1/datagram.h"

namespace chatd::client {
namespace {

using simdjson::dom::object;

constexpr std::string_view kNotAuthenticatedText = "You are not authenticated";

constexpr std::int64_t kJoinedOperation = 1;
constexpr std::int64_t kLeftOperation = 2;

Event malformed(const char* why) {
  return {Event::Kind::kMalformed, "", why};
}

Event system_event(const object& payload, std::string_view text, std::string_view own_username) {
  std::int64_t operation = 0;
  std::string_view username;
  if (payload["operation"].get(operation) != simdjson::SUCCESS ||
      payload["username"].get(username) != simdjson::SUCCESS) {
    return {Event::Kind::kNotice, "", std::string(text)};
  }
  if (operation == kJoinedOperation) {
    return {Event::Kind::kJoined, std::string(username), std::string(text)};
  }
  if (operation == kLeftOperation) {
    const auto kind = username == own_username ? Event::Kind::kDisconnected : Event::Kind::kLeft;
    return {kind, std::string(username), std::string(text)};
  }
  return {Event::Kind::kNotice, "", std::string(text)};
}

}  // namespace

Event parse_event(std::string_view datagram, std::string_view own_username) {
  const auto payload = parse_server_datagram(datagram);
  if (!payload) return malformed("a datagram does not start as the server's do");
  return parse_payload(*payload, own_username);
}

Event parse_payload(std::string_view payload, std::string_view own_username) {
  simdjson::dom::parser parser;
  object fields;
  if (parser.parse(payload.data(), payload.size()).get(fields) != simdjson::SUCCESS) {
    return malformed("a message is not a JSON object");
  }
  std::string_view sender;
  if (fields["sender"].get(sender) != simdjson::SUCCESS) {
    std::string_view heartbeat;
    if (fields["heartbeat"].get(heartbeat) == simdjson::SUCCESS) {
      return {Event::Kind::kHeartbeat, "", std::string(heartbeat)};
    }
    return malformed("a message names no sender");
  }
  std::string_view text;
  const bool has_text = fields["message"].get(text) == simdjson::SUCCESS;
  if (sender == kSystemSender) return system_event(fields, text, own_username);
  if (!has_text) return malformed("a message has no text");
  if (sender == kServerSender) {
    const auto kind =
        text == kNotAuthenticatedText ? Event::Kind::kNotAuthenticated : Event::Kind::kNotice;
    return {kind, "", std::string(text)};
  }
  return {Event::Kind::kMessage, std::string(sender), std::string(text)};
}

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

MemberSession::MemberSession(MemberSessionConfig config, std::int64_t now_ms)
    : config_(std::move(config)),
      liveness_(config_.heartbeat_ms, config_.idle_timeout_ms, now_ms) {}

std::string MemberSession::datagram(std::string_view payload) const {
  std::string bytes;
  append_client_datagram(bytes, config_.room, config_.token, payload);
  return bytes;
}

tl::expected<std::string, Error> MemberSession::message(std::string_view text) const {
  if (!simdjson::validate_utf8(text.data(), text.size())) {
    return failure(ErrorKind::kNotSendable, "not sent: it is not valid UTF-8");
  }
  JsonWriter json;
  json.begin_object();
  json.member("sender", config_.username);
  json.member("message", text);
  json.end_object();

  std::string bytes = datagram(json.take());
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
  const auto number = liveness_.next_number();
  if (!number) return datagram("");
  return datagram(R"({"heartbeat":")" + in_digits(config_.secret + *number) + R"("})");
}

std::string MemberSession::leave() const {
  JsonWriter json;
  json.begin_object();
  json.member("sender", kSystemSender);
  json.member("operation", std::uint64_t{kLeaveOperation});
  json.member("username", config_.username);
  json.end_object();
  return datagram(json.take());
}

void MemberSession::on_answer(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped_at, error] = std::from_chars(text.data(), end, number, 16);
  if (error != std::errc{} || stopped_at != end) return;
  liveness_.on_answer(number - config_.secret);
}

}  // namespace chatd::client
