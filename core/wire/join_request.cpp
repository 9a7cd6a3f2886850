#include "core/wire/join_request.h"

#include <simdjson.h>

#include <charconv>
#include <limits>
#include <optional>

#include "core/wire/names.h"

namespace chatd {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

std::optional<std::string_view> string_field(const object& request, std::string_view key) {
  std::string_view value;
  if (request.at_key(key).get_string().get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

// A literal address, or one of the three ways to say "the one I call from" (unspecified, then).
std::optional<IpAddress> read_ip(const object& request) {
  const auto text = string_field(request, "ip");
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
std::optional<std::uint16_t> read_port(const object& request) {
  if (const auto text = string_field(request, "port")) return parse_port(*text);
  std::uint64_t number = 0;
  if (request.at_key("port").get_uint64().get(number) != simdjson::SUCCESS) return std::nullopt;
  if (number > std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
  return static_cast<std::uint16_t>(number);
}

// May be absent.
std::optional<std::string_view> read_password(const object& request) {
  if (request.at_key("password").error() == simdjson::NO_SUCH_FIELD) return std::string_view{};
  return string_field(request, "password");
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
  const auto username = string_field(request, "username");
  if (!username) return fault("username: a string is required");
  if (!is_valid_name(*username)) {
    return fault("username: 1 to 255 bytes of UTF-8 without control characters");
  }
  if (is_reserved_username(*username)) return fault("username: this name is reserved");
  const auto ip = read_ip(request);
  if (!ip) return fault("ip: a literal unicast address, or empty, is required");
  const auto port = read_port(request);
  if (!port) return fault("port: a number from 0 to 65535, or empty, is required");
  const auto password = read_password(request);
  if (!password) return fault("password: a string is required");
  return JoinRequest{.username = std::string(*username),
                     .ip = *ip,
                     .port = *port,
                     .password = std::string(*password)};
}

}  // namespace chatd
