#include "client/conversation.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <simdjson.h>

#include <algorithm>

#include "client/json_text.h"
#include "core/limits.h"
#include "core/wire/datagram.h"

namespace chatd::client {
namespace {

// An answer to what was sent comes within a round trip. A datagram that drew no refusal for this
// long has arrived.
constexpr std::int64_t kRoundTripMs = 500;

constexpr unsigned kLeaveOperation = 2;

}  // namespace

Conversation::Conversation(ConversationConfig config, std::int64_t now_ms)
    : config_(std::move(config)), next_heartbeat_ms_(now_ms), sent_at_ms_(now_ms) {}

std::string Conversation::datagram(std::string_view payload) const {
  std::string bytes;
  append_client_datagram(bytes, config_.room, config_.token, payload);
  return bytes;
}

tl::expected<std::string, Error> Conversation::message(std::string_view text) const {
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

std::string Conversation::heartbeat() const {
  return datagram("");
}

std::string Conversation::leave() const {
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

void Conversation::on_sent(std::int64_t now_ms) {
  if (!refused_since_sent_ && now_ms - sent_at_ms_ >= kRoundTripMs) refusals_ = 0;
  refused_since_sent_ = false;
  sent_at_ms_ = now_ms;
  const bool is_soon = refusals_ > 0 || early_heartbeats_left_ > 0;
  if (early_heartbeats_left_ > 0) --early_heartbeats_left_;
  next_heartbeat_ms_ =
      now_ms + (is_soon ? std::min(config_.heartbeat_ms, kProbeIntervalMs) : config_.heartbeat_ms);
}

bool Conversation::on_refused(std::int64_t now_ms) {
  refused_since_sent_ = true;
  next_heartbeat_ms_ = std::min(next_heartbeat_ms_, now_ms + kProbeIntervalMs);
  return ++refusals_ >= kRefusalsUntilGone;
}

}  // namespace chatd::client
