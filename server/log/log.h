// chatd's log: spdlog's default logger, on stderr. Anything that clients can cause goes through an
// RateLimitedLog, which keeps it from filling a disk.
#pragma once

#include <string>

namespace chatd {

// `format` is text or json; text to systemd's journal becomes what the journal wants.
void start_logging(const std::string& level, const std::string& format);

}  // namespace chatd
