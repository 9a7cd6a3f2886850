#include "client/net/server_address.h"

#include <charconv>
#include <string_view>
#include <system_error>

namespace chatd::client {
namespace {

std::optional<std::uint16_t> read_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

}  // namespace

std::optional<HostAndPort> read_server(const std::string& text) {
  const bool is_bracketed = text.starts_with('[');
  const std::size_t bracket = text.find(']');
  if (is_bracketed && bracket == std::string::npos) return std::nullopt;
  const std::size_t colon = text.find(':', is_bracketed ? bracket : 0);
  // An IPv6 address without brackets has no port.
  const bool has_port =
      colon != std::string::npos && text.find(':', colon + 1) == std::string::npos;
  HostAndPort found{.host = has_port ? text.substr(0, colon) : text};
  if (has_port) {
    found.port = read_port(std::string_view(text).substr(colon + 1));
    if (!found.port) return std::nullopt;
  }
  if (is_bracketed) {
    if (found.host.size() != bracket + 1) return std::nullopt;
    found.host = found.host.substr(1, bracket - 1);
  }
  if (found.host.empty()) return std::nullopt;
  return found;
}

}  // namespace chatd::client
