// Text from strangers, made fit for a terminal.
//
// A terminal obeys what is printed on it: an escape sequence in a message can clear the screen,
// rename the window or, on some terminals, type. Bidirectional overrides and invisible characters
// make one name look like another, and a line break makes one message look like two. So whatever
// others wrote (names, messages, the server's reasons) is shown through here. The characters stay
// visible, because what somebody tried is worth seeing.
//
// Thread: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace chatd::client {

// Whether a terminal or a reader could be fooled by the character: C0, DEL, C1, line and paragraph
// separators, bidirectional controls, invisible characters (the joiners and tags within emoji
// stay).
bool is_dangerous(char32_t code_point);

// One line: C0 and DEL as ^A .. ^_ and ^?, other dangerous characters as <U+202E>, bytes that are
// not UTF-8 as <80>.
std::string disarm(std::string_view text);

// The same characters in a text that is JSON already, where they can only stand within strings:
// escaped as \u202e, so that the value stays what it was. `json` is valid UTF-8.
std::string escape_dangerous(std::string_view json);

}  // namespace chatd::client
