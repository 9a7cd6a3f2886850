// What may be a room name or a username, and which two are too alike to stand side by side.
//
// Names are stored and shown as they were given. They are compared as people see them: "alice",
// "Alice", "ａlice" (full width), "alice " and "alice" with an invisible character in it are one
// name, or whoever comes second could speak in the first one's. The form that is compared is
// Unicode's NFKC_Casefold (no Default_Ignorable_Code_Point, no difference of case or width,
// composed), and blanks as RFC 8266 has them for nicknames: none at the edges, one for several.
#pragma once

#include <string>
#include <string_view>

namespace chatd {

// 1 to kMaxNameBytes bytes of valid UTF-8 without control characters (Unicode category Cc: C0, DEL,
// C1), and something in it that can be seen. A name is shown on other people's terminals, so this
// is also what keeps escape sequences out of them.
bool is_valid_name(std::string_view name);

// The form of a name that is compared; empty when nothing in it can be seen. `name` is valid UTF-8;
// what is not folds to nothing.
std::string folded_name(std::string_view name);

// Senders under which the server itself speaks. No member has a name that looks like one of them.
inline constexpr std::string_view kSystemSender = "system";
inline constexpr std::string_view kServerSender = "Server";
bool is_reserved_username(std::string_view name);

}  // namespace chatd
