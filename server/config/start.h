// The configuration at the start of the program, where errors end it.
#pragma once

#include <tl/expected.hpp>

#include "server/config/configuration.h"

namespace chatd::config {

// Without a configuration, everything has been printed (--help, --check-config, an error) and the
// value is the exit code.
tl::expected<Configuration, int> configure(int argc, const char* const* argv);

}  // namespace chatd::config
