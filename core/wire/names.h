// What may be a room name or a username.
#pragma once

#include <string_view>

namespace chatd {

// 1 to kMaxNameBytes bytes of valid UTF-8 without control characters (Unicode category Cc: C0, DEL,
// C1). A name is shown on other people's terminals, so this is also what keeps escape sequences out
// of them.
bool is_valid_name(std::string_view name);

// Senders under which the server itself speaks.
inline constexpr std::string_view kSystemSender = "system";
inline constexpr std::string_view kServerSender = "Server";
bool is_reserved_username(std::string_view name);

}  // namespace chatd
