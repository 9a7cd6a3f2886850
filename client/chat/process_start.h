// What a program for a terminal does before all else. Thread: the main one, the only one yet.
#pragma once

#include <string>

namespace chatd::client {

// A program started without one of its standard streams would give that number to the next socket
// it opens, and print into it. In its place stands an empty input that cannot be written. Ends the
// program when there is no /dev/null.
void open_standard_streams();

// Chat is UTF-8 whatever the locale says; the line editor and the width of characters need one
// that knows.
void use_utf8();

// All that the program was asked to say (--help). The exit code: 0, or 1 when stdout cannot be
// written, with the reason on stderr; a disk may be full.
int tell(const char* program, const std::string& text);

}  // namespace chatd::client
