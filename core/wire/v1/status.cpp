#include "core/wire/v1/status.h"

#include "core/wire/v1/frame.h"

namespace chatd {
namespace {

void begin_status(JsonWriter& json, Status status, std::string_view message) {
  json.begin_object();
  json.member("status", static_cast<std::uint64_t>(status));
  json.member("message", message);
}

std::string status_payload(Status status, std::string_view message) {
  JsonWriter json;
  begin_status(json, status, message);
  json.end_object();
  return json.take();
}

// 300, or 0.25: a whole number where it is one.
void write_seconds(JsonWriter& json, std::string_view key, std::uint32_t time_ms) {
  constexpr std::uint32_t kSecondMs = 1000;
  if (time_ms % kSecondMs == 0) {
    json.member(key, std::uint64_t{time_ms / kSecondMs});
  } else {
    json.member(key, static_cast<double>(time_ms) / kSecondMs);
  }
}

}  // namespace

void append_accepted(std::string& reply, std::uint8_t operation) {
  append_frame(reply, operation, FrameState::kAccepted, "",
               status_payload(Status::kAccepted, "request received"));
}

void append_outcome(std::string& reply, std::uint8_t operation, Status status,
                    std::string_view message) {
  append_frame(reply, operation, FrameState::kCompleted, "", status_payload(status, message));
}

void begin_admitted(JsonWriter& json, std::string_view message, std::string_view token_hex,
                    std::uint32_t idle_timeout_ms) {
  begin_status(json, Status::kCreated, message);
  json.member("token", token_hex);
  write_seconds(json, "idle_timeout", idle_timeout_ms);
}

void append_admitted(std::string& reply, std::uint8_t operation, std::string_view message,
                     std::string_view token_hex, std::uint32_t idle_timeout_ms) {
  JsonWriter json;
  begin_admitted(json, message, token_hex, idle_timeout_ms);
  json.end_object();
  append_frame(reply, operation, FrameState::kCompleted, "", json.take());
}

}  // namespace chatd
