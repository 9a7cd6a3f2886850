// Forms of flags that CLI11 does not have. Each changes what was typed into a plain number, or says
// what to type instead.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>

namespace chatd::bench {

// "500us", "20ms", "2s", "5m", "1h", or plain seconds, into nanoseconds.
CLI::Validator duration_ns();
// "64M", "512K", "1G", or plain bytes.
CLI::Validator size_bytes();
// Decimal digits alone, from `lowest` to `highest`.
CLI::Validator whole_number(std::uint64_t lowest, std::uint64_t highest);
// Any number from `lowest` to `highest`; nan and inf are not numbers here.
CLI::Validator number(double lowest, double highest);
// An IPv4 loopback address, into its number.
CLI::Validator loopback_address();
// What a script forgot to fill in must not be taken for what was left out.
CLI::Validator not_empty();
// "on" or "off".
CLI::Validator on_off();

}  // namespace chatd::bench
