#include "core/wire/status.h"

#include "core/wire/frame.h"
#include "core/wire/json_writer.h"

namespace chatd {
namespace {

std::string status_payload(Status status, std::string_view message, std::string_view token_hex) {
  JsonWriter json;
  json.begin_object();
  json.member("status", static_cast<std::uint64_t>(status));
  json.member("message", message);
  if (!token_hex.empty()) json.member("token", token_hex);
  json.end_object();
  return json.take();
}

}  // namespace

void append_accepted(std::string& reply, std::uint8_t operation) {
  append_frame(reply, operation, FrameState::kAccepted, "",
               status_payload(Status::kAccepted, "request received", ""));
}

void append_outcome(std::string& reply, std::uint8_t operation, Status status,
                    std::string_view message) {
  append_frame(reply, operation, FrameState::kCompleted, "", status_payload(status, message, ""));
}

void append_admitted(std::string& reply, std::uint8_t operation, std::string_view message,
                     std::string_view token_hex) {
  append_frame(reply, operation, FrameState::kCompleted, "",
               status_payload(Status::kCreated, message, token_hex));
}

}  // namespace chatd
