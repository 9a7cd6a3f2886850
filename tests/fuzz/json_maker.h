// Makes JSON objects out of decisions. From raw bytes libFuzzer finds the grammar by itself, but
// hardly ever the few objects that matter, such as one with two senders; made of the right words,
// those are a few bytes away.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "tests/model/input.h"

namespace chatd::fuzz {

// Fields with these keys (some written with an escape) and with values of all types: of the texts
// given, of others, numbers at the edges of their ranges, and a few that are no JSON at all.
std::string make_object(test::Input& decisions, std::span<const std::string_view> keys,
                        std::span<const std::string_view> texts);

}  // namespace chatd::fuzz
