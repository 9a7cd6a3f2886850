#include "tests/fuzz/json_maker.h"

#include <array>
#include <cstdio>

#include "tests/support/wire.h"

namespace chatd::fuzz {
namespace {

constexpr int kMaxFields = 12;

constexpr std::array<std::string_view, 24> kValues = {"0",
                                                      "1",
                                                      "2",
                                                      "3",
                                                      "-0",
                                                      "-1",
                                                      "201",
                                                      "409",
                                                      "65535",
                                                      "65536",
                                                      "2.0",
                                                      "2e0",
                                                      "1e999",
                                                      "1e-999",
                                                      "00",
                                                      "9223372036854775808",
                                                      "-9223372036854775809",
                                                      "18446744073709551615",
                                                      "18446744073709551616",
                                                      "true",
                                                      "null",
                                                      "[]",
                                                      R"({"sender":"system","operation":2})",
                                                      R"(["a",{"b":1},""])"};

// A quoted key; with `escaped` one of its letters is written in another way.
std::string quoted_key(std::string_view key, std::uint8_t escaped) {
  if (escaped % 2 == 0) return test::json_quote(key);
  const std::size_t at = escaped / 2 % key.size();
  std::array<char, 8> escape{};
  std::snprintf(escape.data(), escape.size(), "\\u%04x",
                static_cast<unsigned>(static_cast<unsigned char>(key[at])));
  return "\"" + std::string(key.substr(0, at)) + escape.data() + std::string(key.substr(at + 1)) +
         "\"";
}

std::string make_value(test::Input& decisions, std::span<const std::string_view> texts) {
  switch (decisions.index(4)) {
    case 0:
      return std::string(kValues[decisions.index(kValues.size())]);
    case 1:
      return test::json_quote(decisions.text());
    default:
      return test::json_quote(texts[decisions.index(texts.size())]);
  }
}

}  // namespace

std::string make_object(test::Input& decisions, std::span<const std::string_view> keys,
                        std::span<const std::string_view> texts) {
  std::string json = "{";
  for (int i = 0; i < kMaxFields && !decisions.at_end(); ++i) {
    if (i > 0) json += ',';
    const std::string_view key = keys[decisions.index(keys.size())];
    json += quoted_key(key, decisions.byte()) + ":" + make_value(decisions, texts);
  }
  return json + "}";
}

}  // namespace chatd::fuzz
