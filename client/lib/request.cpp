#include "client/lib/request.h"

#include <simdjson.h>

#include <algorithm>

#include "core/base/json_writer.h"
#include "core/base/limits.h"
#include "core/crypto/packet_key.h"

namespace chatd::client {
namespace {

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

}  // namespace

tl::expected<void, Error> check_name(std::string_view what, std::string_view name) {
  const std::string subject = "the " + std::string(what);
  const auto refuse = [&](const std::string& why) {
    return failure(ErrorKind::kNotSendable, subject + why);
  };
  if (name.empty()) return refuse(" is empty");
  if (name.size() > kMaxNameBytes) {
    return refuse(" is " + std::to_string(name.size()) + " bytes long; at most " +
                  std::to_string(kMaxNameBytes) + " are allowed");
  }
  if (!simdjson::validate_utf8(name.data(), name.size())) return refuse(" is not valid UTF-8");
  if (std::any_of(name.begin(), name.end(), is_control)) {
    return refuse(" contains a control character");
  }
  return {};
}

namespace {

void write_protocol_2(JsonWriter& json, const EntryRequest& request) {
  json.member("protocol", std::uint64_t{2});
  json.key("ciphers");
  json.begin_array();
  json.value(cipher_name(Cipher::kChaCha20Poly1305));
  if (request.knows_aes) json.value(cipher_name(Cipher::kAes256Gcm));
  json.end_array();
  if (request.operation == Operation::kCreate && request.history_entries > 0) {
    json.member("history", std::uint64_t{request.history_entries});
  }
}

}  // namespace

std::string encode_entry_request(const EntryRequest& request) {
  JsonWriter json;
  json.begin_object();
  json.member("username", request.username);
  json.member("ip", request.udp_ip);
  json.member("port", std::uint64_t{request.udp_port});
  json.member("password", request.password);
  if (request.token) json.member("token", request.token->hex());
  if (request.protocol == 2) write_protocol_2(json, request);
  json.end_object();

  std::string frame;
  append_frame(frame, request.operation, FrameState::kRequest, request.room, json.take());
  return frame;
}

std::string encode_list_request() {
  std::string frame;
  append_frame(frame, Operation::kList, FrameState::kRequest, "", "");
  return frame;
}

}  // namespace chatd::client
