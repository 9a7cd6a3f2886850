// What chatd sees to before anything else: that its standard streams are there, and how it ends
// when memory runs out.
#pragma once

#include <string>
#include <tl/expected.hpp>

namespace chatd {

// Descriptors 0, 1 and 2 belong to the standard streams, whoever started chatd and however. If one
// of them is closed (`chatd >&-`, some supervisors), the next socket to be opened gets its number,
// and the ready line or the log is written into it: into an eventfd, for instance, which then tells
// a shard to stop.
//
// Opens /dev/null in the place of those that are missing. Call before anything else is opened.
tl::expected<void, std::string> open_missing_streams();

// What happens when memory runs out: one line on stderr, and the end, with exit code 1.
//
// Not an exception. It would have to pass through libraries that are not made for it (a table of
// abseil is left half changed and crashes in its destructor), and what a shard was in the middle of
// is lost in any case. In practice this is the start: chatd reserves its tables then, and tells an
// operator whose limits are too large for the machine. Later, Linux rarely refuses memory; it ends
// a process.
//
// `line`, which ends with a newline and must outlive the program, is written when operator new
// fails from now on, or OpenSSL has no memory (server/tls/openssl.h).
void explain_out_of_memory(const char* line);

}  // namespace chatd
