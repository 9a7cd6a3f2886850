// What happens when memory runs out: one line on stderr, and the end, with exit code 1.
//
// Not an exception. It would have to pass through libraries that are not made for it (a table of
// abseil is left half changed and crashes in its destructor), and what a shard was in the middle of
// is lost in any case. In practice this is the start: chatd reserves its tables then, and tells an
// operator whose limits are too large for the machine. Later, Linux rarely refuses memory; it ends
// a process.
#pragma once

namespace chatd {

// `line`, which ends with a newline and must outlive the program, is written when operator new
// fails from now on.
void explain_out_of_memory(const char* line);

}  // namespace chatd
