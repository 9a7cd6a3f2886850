// The command line of chatd.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>

#include "core/limits.h"

namespace chatd {

struct Options {
  std::string host = "127.0.0.1";
  std::uint16_t tcp_port = 8000;  // 0: the kernel picks one
  std::uint16_t udp_port = 9000;
  std::string log_level = "info";
  Limits limits;
};

// On --help, --version or an error everything has been printed and the value is the exit code.
tl::expected<Options, int> parse_options(int argc, const char* const* argv);

}  // namespace chatd
