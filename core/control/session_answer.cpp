#include "core/control/session_answer.h"

#include <sodium/utils.h>

#include <array>

#include "core/base/json_writer.h"
#include "core/room/room_log.h"
#include "core/wire/v1/frame.h"
#include "core/wire/v1/status.h"

namespace chatd {
namespace {

std::string hex(v2::SessionId id) {
  std::array<char, sizeof(std::uint64_t)> bytes;
  v2::store_u64(id.value(), bytes.data());
  std::array<char, 2 * bytes.size() + 1> text;
  return sodium_bin2hex(text.data(), text.size(),
                        reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

template <std::size_t kBytes>
std::string base64(const std::array<std::uint8_t, kBytes>& bytes) {
  constexpr int kVariant = sodium_base64_VARIANT_ORIGINAL;
  std::array<char, sodium_base64_ENCODED_LEN(kBytes, kVariant)> text;
  return sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), kVariant);
}

void write_session(JsonWriter& json, const SessionGrant& grant) {
  json.key("session");
  json.begin_object();
  json.member("id", std::string_view(hex(grant.id)));
  json.member("key", std::string_view(base64(grant.secret)));
  json.member("cipher", cipher_name(grant.cipher));
  json.member("reset", std::string_view(base64(grant.reset_token)));
  json.end_object();
}

// The host is left out: it is where the client has called.
void write_endpoints(JsonWriter& json, std::uint16_t udp_port) {
  json.key("endpoints");
  json.begin_array();
  json.begin_object();
  json.member("port", std::uint64_t{udp_port});
  json.end_object();
  json.end_array();
}

void write_log(JsonWriter& json, const SessionGrant& grant) {
  json.key("log");
  json.begin_object();
  json.member("epoch", kFirstLogEpoch);
  json.member("next", grant.next_entry);
  json.member("oldest", grant.oldest_entry);
  json.end_object();
}

void write_roster(JsonWriter& json, const SessionGrant& grant) {
  json.key("roster");
  json.begin_array();
  for (const SessionGrant::Present& present : grant.roster) {
    json.begin_object();
    json.member("id", std::uint64_t{present.id});
    json.member("name", std::string_view(present.name));
    if (present.is_host) json.member("host", true);
    json.end_object();
  }
  json.end_array();
}

}  // namespace

void append_admitted_v2(std::string& reply, std::uint8_t operation, std::string_view message,
                        std::string_view token_hex, std::uint32_t idle_timeout_ms,
                        const SessionGrant& grant, std::uint16_t udp_port) {
  JsonWriter json;
  begin_admitted(json, message, token_hex, idle_timeout_ms);
  json.member("protocol", std::uint64_t{2});
  write_session(json, grant);
  write_endpoints(json, udp_port);
  write_log(json, grant);
  json.member("you", std::uint64_t{grant.member});
  write_roster(json, grant);
  json.end_object();
  append_frame(reply, operation, FrameState::kCompleted, "", json.take());
}

}  // namespace chatd
