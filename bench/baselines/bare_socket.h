// What a bare relay needs of a process: its flags, its one socket, its ready line and its end.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>

#include "client/net/unique_fd.h"

namespace chatd::bench {

struct BareOptions {
  std::string host = "127.0.0.1";
  std::uint16_t udp_port = 0;  // 0: a free one
};

// Reads the command line. The error is the exit code to end with: 0 after --help.
tl::expected<BareOptions, int> parse_bare_options(const std::string& program,
                                                  const std::string& description, int argc,
                                                  const char* const* argv);

// A blocking IPv4 socket with large buffers, bound. SIGTERM and SIGINT end the process from
// here on, with exit code 0: there is nothing to tidy up. Prints `NAME ready udp=ADDRESS` on
// stdout. The error is a sentence.
tl::expected<UniqueFd, std::string> open_bare_socket(const std::string& name,
                                                     const BareOptions& options);

}  // namespace chatd::bench
