// The JSON of a create or join request, against what the specification says about each field.
#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/lib/request.h"
#include "core/base/limits.h"
#include "core/base/names.h"
#include "core/wire/v1/frame.h"
#include "core/wire/v1/join_request.h"
#include "tests/fuzz/json_maker.h"
#include "tests/fuzz/targets.h"
#include "tests/model/input.h"
#include "tests/model/json_oracle.h"
#include "tests/support/wire.h"

namespace chatd::fuzz {
namespace {

using test::find_field;
using test::Input;
using test::JsonField;
using test::read_object;

std::optional<IpAddress> expected_ip(const JsonField* field) {
  if (field == nullptr || !field->text) return std::nullopt;
  if (field->text->empty()) return IpAddress{};
  const auto ip = IpAddress::parse(*field->text);  // fuzz_address holds it against inet_pton
  if (!ip || ip->is_multicast() || ip->is_broadcast()) return std::nullopt;
  return ip->is_unspecified() ? IpAddress{} : *ip;
}

// A number, or a decimal string; "" stands for 0.
std::optional<std::uint16_t> expected_port(const JsonField* field) {
  if (field == nullptr) return std::nullopt;
  const auto& written = field->text ? field->text : field->integer;
  if (!written) return std::nullopt;
  if (written->empty() || *written == "-0") return std::uint16_t{0};
  if (written->find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  std::uint16_t port = 0;
  const char* const end = written->data() + written->size();
  if (std::from_chars(written->data(), end, port).ec != std::errc{}) return std::nullopt;
  return port;
}

// Absent, null or "" for none; otherwise hexadecimal. False: something else.
bool expected_token(const JsonField* field, std::optional<Token>& token) {
  if (field == nullptr || field->is_null || field->is("")) return true;
  if (!field->text || field->text->size() != kTokenHexBytes) return false;
  token = Token::parse(*field->text);  // fuzz_identity looks after it
  return token.has_value();
}

std::optional<JoinRequest> expected(std::string_view payload) {
  const auto fields = read_object(payload);
  if (!fields) return std::nullopt;
  const JsonField* const username = find_field(*fields, "username");
  if (username == nullptr || !username->text || !is_valid_name(*username->text))
    return std::nullopt;
  if (username->is("system") || username->is("Server")) return std::nullopt;
  const auto ip = expected_ip(find_field(*fields, "ip"));
  const auto port = expected_port(find_field(*fields, "port"));
  if (!ip || !port) return std::nullopt;
  for (const char* key : {"username", "ip", "port", "password", "token"}) {
    const auto times = std::count_if(fields->begin(), fields->end(),
                                     [key](const JsonField& field) { return field.key == key; });
    if (times > 1) return std::nullopt;
  }
  const JsonField* const password = find_field(*fields, "password");
  if (password != nullptr && !password->text) return std::nullopt;
  std::optional<Token> token;
  if (!expected_token(find_field(*fields, "token"), token)) return std::nullopt;
  return JoinRequest{.username = *username->text,
                     .ip = *ip,
                     .port = *port,
                     .password = password == nullptr ? "" : *password->text,
                     .token = token};
}

void require_same(const tl::expected<JoinRequest, std::string_view>& read,
                  const JoinRequest& request) {
  require(read.has_value(), "what was written can be read");
  require(read->username == request.username, "the username stays");
  require(read->ip == request.ip, "the address stays");
  require(read->port == request.port, "the port stays");
  require(read->password == request.password, "the password stays");
  require(read->token == request.token, "the token stays");
}

constexpr std::string_view kKeys[] = {"username", "ip",       "port", "password",
                                      "token",    "Username", "other"};
constexpr std::string_view kTexts[] = {"alice",
                                       "",
                                       "127.0.0.1",
                                       "::1",
                                       "::",
                                       "0.0.0.0",
                                       "255.255.255.255",
                                       "224.0.0.1",
                                       "0x",
                                       "65535",
                                       "655",
                                       "65536",
                                       "system",
                                       "Server",
                                       "0123456789abcdef0123456789ABCDEF",
                                       "0123456789abcdef",
                                       "0123456789abcdef0123456789ABCDEg"};

std::string written(const IpAddress& ip) {
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(AF_INET6, ip.bytes().data(), text, sizeof text);
  return text;
}

std::string hex_of(const std::optional<Token>& token) {
  return token ? token->hex() : "";
}

void check(std::string_view input) {
  static JoinRequestReader reader;
  const auto request = reader.read(input);
  const auto oracle = expected(input);
  require(request.has_value() == oracle.has_value(), "accepted as the specification says");
  if (!request) return require(!request.error().empty(), "a refusal has a reason");
  require_same(request, *oracle);

  // The test kit's writer, and the client's own.
  const std::string ip = written(request->ip);
  require_same(reader.read(test::join_payload({.username = request->username,
                                               .ip = ip,
                                               .port = request->port,
                                               .password = request->password,
                                               .token = hex_of(request->token)})),
               *request);
  const std::string frame = client::encode_entry_request({.operation = Operation::kJoin,
                                                          .room = "room",
                                                          .username = request->username,
                                                          .password = request->password,
                                                          .udp_ip = ip,
                                                          .udp_port = request->port,
                                                          .token = request->token});
  const DecodedFrame decoded = decode_frame(frame, frame.size());
  require(decoded.status == FrameStatus::kComplete, "the client's frame is whole");
  require_same(reader.read(decoded.frame.payload), *request);
}

}  // namespace

void fuzz_join_request(std::string_view input) {
  Input decisions(input);
  if (!decisions.flag()) return check(decisions.rest());
  check(make_object(decisions, kKeys, kTexts));
}

}  // namespace chatd::fuzz
