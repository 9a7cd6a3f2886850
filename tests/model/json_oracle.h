// What docs/reference/protocol.md calls a JSON object, judged by RapidJSON and the rules that are
// written there, for comparison with chatd's own reader.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chatd::test {

struct JsonField {
  std::string key;
  // At most one of these; neither for a fraction, an object and so on.
  std::optional<std::string> text;
  std::optional<std::string> integer;  // as it is written
  bool is_null = false;

  bool is(std::string_view value) const { return text == value; }
};

// The fields of the top level in their order, unescaped. Nothing when the text is not one object.
std::optional<std::vector<JsonField>> read_object(std::string_view json);

// The first field of this name.
const JsonField* find_field(const std::vector<JsonField>& fields, std::string_view key);

}  // namespace chatd::test
