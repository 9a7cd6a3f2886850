#include "client/ctl/admin_address.h"

#include <sys/un.h>

namespace chatd::client {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kHttp = "http://";

}  // namespace

tl::expected<AdminAddress, std::string> parse_admin_address(const std::string& text) {
  AdminAddress address{.text = text, .socket_path = {}, .url = {}};
  if (text.starts_with(kUnix)) {
    address.socket_path = text.substr(kUnix.size());
    address.url = "http://localhost";
    if (!address.socket_path.starts_with('/')) {
      return tl::unexpected<std::string>("unix: needs an absolute path, as in " +
                                         std::string(kUsualPlace));
    }
    if (address.socket_path.size() >= sizeof(sockaddr_un::sun_path)) {
      return tl::unexpected<std::string>("the path of the socket file is too long");
    }
    return address;
  }
  address.url = text.starts_with(kHttp) ? text : std::string(kHttp) + text;
  if (address.url.ends_with('/')) address.url.pop_back();
  const std::string_view authority = std::string_view(address.url).substr(kHttp.size());
  // curl takes much for an address that was never meant for one.
  const bool is_plain = authority.find_first_not_of(
                            "0123456789abcdefghijklmnopqrstuvwxyz"
                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ.:-[]") == std::string_view::npos;
  const std::size_t colon = authority.rfind(':');
  if (!is_plain || colon == std::string_view::npos || colon == 0 || colon + 1 == authority.size()) {
    return tl::unexpected<std::string>("write unix:/PATH, 127.0.0.1:PORT or [::1]:PORT");
  }
  return address;
}

}  // namespace chatd::client
