#include "core/wire/v1/join_request.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "core/base/names.h"

namespace chatd {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

// The fields that the server reads. A key may be written with escapes; all others are ignored.
struct Fields {
  std::optional<element> username;
  std::optional<element> ip;
  std::optional<element> port;
  std::optional<element> password;
  std::optional<element> token;
  std::optional<element> protocol;
  std::optional<element> ciphers;
  std::optional<element> history;

  std::optional<element>* find(std::string_view key) {
    if (key == "username") return &username;
    if (key == "ip") return &ip;
    if (key == "port") return &port;
    if (key == "password") return &password;
    if (key == "token") return &token;
    if (key == "protocol") return &protocol;
    if (key == "ciphers") return &ciphers;
    if (key == "history") return &history;
    return nullptr;
  }
};

// Nothing when one stands twice: of two JSON readers one may see the first, the other the last.
std::optional<Fields> read_fields(const object& request) {
  Fields fields;
  for (const simdjson::dom::key_value_pair field : request) {
    std::optional<element>* const known = fields.find(field.key);
    if (known == nullptr) continue;
    if (known->has_value()) return std::nullopt;
    *known = field.value;
  }
  return fields;
}

std::optional<std::string_view> text_of(const std::optional<element>& field) {
  std::string_view text;
  if (!field || field->get(text) != simdjson::SUCCESS) return std::nullopt;
  return text;
}

// A literal address, or one of the three ways to say "the one I call from" (unspecified, then).
std::optional<IpAddress> read_ip(const Fields& fields) {
  const auto text = text_of(fields.ip);
  if (!text) return std::nullopt;
  if (text->empty()) return IpAddress{};
  const auto ip = IpAddress::parse(*text);
  if (!ip || ip->is_multicast() || ip->is_broadcast()) return std::nullopt;
  return ip->is_unspecified() ? IpAddress{} : *ip;
}

std::optional<std::uint16_t> parse_port(std::string_view decimal) {
  if (decimal.empty()) return std::uint16_t{0};
  std::uint16_t port = 0;
  const char* const end = decimal.data() + decimal.size();
  const auto [stopped_at, error] = std::from_chars(decimal.data(), end, port);
  if (error != std::errc{} || stopped_at != end) return std::nullopt;
  return port;
}

// A number, a decimal string, or "" and 0 for "not known yet".
std::optional<std::uint16_t> read_port(const Fields& fields) {
  if (const auto text = text_of(fields.port)) return parse_port(*text);
  std::uint64_t number = 0;
  if (!fields.port || fields.port->get(number) != simdjson::SUCCESS) return std::nullopt;
  if (number > std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
  return static_cast<std::uint16_t>(number);
}

// May be absent.
std::optional<std::string_view> read_password(const Fields& fields) {
  return fields.password ? text_of(fields.password) : std::string_view{};
}

// May be absent, null or "": none (then `token` stays empty). False: something else.
bool read_token(const Fields& fields, std::optional<Token>& token) {
  if (!fields.token || fields.token->is_null()) return true;
  const auto text = text_of(fields.token);
  if (!text) return false;
  if (text->empty()) return true;
  if (text->size() == kTokenHexBytes) token = Token::parse(*text);
  return token.has_value();
}

// May be absent: 1.
std::optional<std::uint8_t> read_protocol(const Fields& fields) {
  std::uint64_t protocol = 1;
  if (fields.protocol && fields.protocol->get(protocol) != simdjson::SUCCESS) return std::nullopt;
  if (protocol != 1 && protocol != 2) return std::nullopt;
  return static_cast<std::uint8_t>(protocol);
}

// May be absent: all that there are. False: none that is known here, or no list of names.
bool read_ciphers(const Fields& fields, std::optional<Cipher>& only) {
  if (!fields.ciphers) return true;
  simdjson::dom::array names;
  if (fields.ciphers->get(names) != simdjson::SUCCESS) return false;
  bool knows_aes = false;
  bool knows_chacha = false;
  for (const element each : names) {
    std::string_view name;
    if (each.get(name) != simdjson::SUCCESS) return false;
    knows_aes = knows_aes || name == cipher_name(Cipher::kAes256Gcm);
    knows_chacha = knows_chacha || name == cipher_name(Cipher::kChaCha20Poly1305);
  }
  if (knows_aes != knows_chacha) only = knows_aes ? Cipher::kAes256Gcm : Cipher::kChaCha20Poly1305;
  return knows_aes || knows_chacha;
}

// May be absent: nothing. More than 32 bits hold is as much as there is.
std::optional<std::uint32_t> read_history(const Fields& fields) {
  std::uint64_t entries = 0;
  if (fields.history && fields.history->get(entries) != simdjson::SUCCESS) return std::nullopt;
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(std::min(entries, kMost));
}

tl::unexpected<std::string_view> fault(std::string_view reason) {
  return tl::unexpected<std::string_view>(reason);
}

}  // namespace

JoinRequestReader::JoinRequestReader() : parser_(std::make_unique<simdjson::dom::parser>()) {}
JoinRequestReader::~JoinRequestReader() = default;

tl::expected<JoinRequest, std::string_view> JoinRequestReader::read(std::string_view payload) {
  element document;
  if (parser_->parse(payload.data(), payload.size()).get(document) != simdjson::SUCCESS) {
    return fault("the payload is not valid JSON");
  }
  object request;
  if (document.get(request) != simdjson::SUCCESS) {
    return fault("the payload is not a JSON object");
  }
  const auto fields = read_fields(request);
  if (!fields) {
    return fault(
        "username, ip, port, password, token, protocol, ciphers and history may each stand only "
        "once");
  }
  const auto username = text_of(fields->username);
  if (!username) return fault("username: a string is required");
  if (!is_valid_name(*username)) {
    return fault(
        "username: 1 to 255 bytes of UTF-8 with something to see and no control characters");
  }
  if (is_reserved_username(*username)) return fault("username: this name is reserved");
  const auto ip = read_ip(*fields);
  if (!ip) return fault("ip: a literal unicast address, or empty, is required");
  const auto port = read_port(*fields);
  if (!port) return fault("port: a number from 0 to 65535, or empty, is required");
  const auto password = read_password(*fields);
  if (!password) return fault("password: a string is required");
  std::optional<Token> token;
  if (!read_token(*fields, token)) return fault("token: 32 hexadecimal characters, or empty");
  const auto protocol = read_protocol(*fields);
  if (!protocol) return fault("protocol: 1 or 2");
  std::optional<Cipher> only_cipher;
  if (!read_ciphers(*fields, only_cipher)) {
    return fault("ciphers: a list with \"aes-256-gcm\", \"chacha20-poly1305\" or both");
  }
  const auto history_entries = read_history(*fields);
  if (!history_entries) return fault("history: a number of messages");
  return JoinRequest{.username = std::string(*username),
                     .ip = *ip,
                     .port = *port,
                     .password = std::string(*password),
                     .token = token,
                     .protocol = *protocol,
                     .only_cipher = only_cipher,
                     .history_entries = *history_entries};
}

}  // namespace chatd
