// Forms of flags that CLI11 does not have. Each changes what was typed into a plain number, or says
// what to type instead.
#pragma once

#include <CLI/CLI.hpp>

namespace chatd::bench {

// "500us", "20ms", "2s", "5m", "1h", or plain seconds, into nanoseconds.
CLI::Validator duration_ns();
// "64M", "512K", "1G", or plain bytes.
CLI::Validator size_bytes();
// "on" or "off".
CLI::Validator on_off();

}  // namespace chatd::bench
