// Text from strangers, made fit for a terminal.
//
// A terminal obeys what is printed on it: an escape sequence in a message can clear the screen,
// rename the window or, on some terminals, type. Bidirectional overrides and invisible characters
// make one name look like another and carry text that nobody sees, and a line break makes one
// message look like two. So whatever others wrote (names, messages, the server's reasons) is shown
// through here. The characters stay visible, because what somebody tried is worth seeing.
//
// Hidden characters (core/base/utf8.h) stay as they are where a script or an emoji needs them:
// the joiner and the selector within an emoji, the tags of the three flags that have some, the
// joiners of Arabic and of Indic scripts (RFC 5892, appendix A). Anywhere else they are shown.
//
// Thread: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace chatd::client {

// One line: C0 and DEL as ^A .. ^_ and ^?, other hidden characters as <U+202E>, bytes that are not
// UTF-8 as <80>.
std::string sanitize(std::string_view text);

// The same for a name, which must be tellable from what stands beside it: "alice: the code is 1234"
// says nothing. A name that has more in it than letters, digits, emoji and a few signs stands in
// quotation marks, with a backslash before those in it.
std::string sanitize_name(std::string_view name);

}  // namespace chatd::client
