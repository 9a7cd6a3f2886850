#include "client/lib/event.h"

#include <simdjson.h>

#include "core/wire/v1/datagram.h"

namespace chatd::client {
namespace {

using simdjson::dom::object;

// The names that the server speaks under. It gives them to nobody else.
constexpr std::string_view kSystem = "system";
constexpr std::string_view kServer = "Server";
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
  simdjson::dom::parser parser;
  object fields;
  if (parser.parse(payload->data(), payload->size()).get(fields) != simdjson::SUCCESS) {
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
  if (sender == kSystem) return system_event(fields, text, own_username);
  if (!has_text) return malformed("a message has no text");
  if (sender == kServer) {
    const auto kind =
        text == kNotAuthenticatedText ? Event::Kind::kNotAuthenticated : Event::Kind::kNotice;
    return {kind, "", std::string(text)};
  }
  return {Event::Kind::kMessage, std::string(sender), std::string(text)};
}

}  // namespace chatd::client
