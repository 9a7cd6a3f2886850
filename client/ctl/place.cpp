#include "client/ctl/place.h"

#include <sys/un.h>

namespace chatd::client {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kHttp = "http://";

}  // namespace

tl::expected<Place, std::string> parse_place(const std::string& text) {
  Place place{.text = text, .socket_path = {}, .url = {}};
  if (text.starts_with(kUnix)) {
    place.socket_path = text.substr(kUnix.size());
    place.url = "http://localhost";
    if (!place.socket_path.starts_with('/')) {
      return tl::unexpected<std::string>("unix: needs an absolute path, as in " +
                                         std::string(kUsualPlace));
    }
    if (place.socket_path.size() >= sizeof(sockaddr_un::sun_path)) {
      return tl::unexpected<std::string>("the path of the socket file is too long");
    }
    return place;
  }
  place.url = text.starts_with(kHttp) ? text : std::string(kHttp) + text;
  if (place.url.ends_with('/')) place.url.pop_back();
  const std::string_view authority = std::string_view(place.url).substr(kHttp.size());
  // curl takes much for an address that was never meant for one.
  const bool is_plain = authority.find_first_not_of(
                            "0123456789abcdefghijklmnopqrstuvwxyz"
                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ.:-[]") == std::string_view::npos;
  const std::size_t colon = authority.rfind(':');
  if (!is_plain || colon == std::string_view::npos || colon == 0 || colon + 1 == authority.size()) {
    return tl::unexpected<std::string>("write unix:/PATH, 127.0.0.1:PORT or [::1]:PORT");
  }
  return place;
}

}  // namespace chatd::client
