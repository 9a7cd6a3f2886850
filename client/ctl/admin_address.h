// Where chatd's admin endpoint is, as --admin says it: unix:/run/chatd/admin.sock, 127.0.0.1:9100
// or http://127.0.0.1:9100/. Thread: pure functions.
#pragma once

#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace chatd::client {

struct AdminAddress {
  std::string text;         // as it was given
  std::string socket_path;  // empty: TCP
  std::string url;          // without a slash at the end
};

inline constexpr std::string_view kUsualPlace = "unix:/run/chatd/admin.sock";

// An error is a sentence without a full stop.
tl::expected<AdminAddress, std::string> parse_admin_address(const std::string& text);

}  // namespace chatd::client
