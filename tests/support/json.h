// Reading JSON in tests. chatd reads JSON with simdjson; a second reader keeps the tests an
// independent judge of what is valid.
#pragma once

#include <rapidjson/document.h>

#include <string>
#include <string_view>
#include <vector>

namespace chatd::test {

using Json = rapidjson::Value;

// A whole text that is one JSON object in valid UTF-8. Everything else reads as an empty object
// with `valid()` false, so that a test can look at fields without asking first.
class JsonObject {
 public:
  explicit JsonObject(std::string_view text);

  bool valid() const { return valid_; }
  bool has(std::string_view key) const;
  // "" and -1 when the key is missing or holds another type.
  std::string text(std::string_view key) const;
  long number(std::string_view key) const;
  // The object under `key`; invalid when there is none.
  JsonObject object(std::string_view key) const;
  std::vector<std::string> keys() const;
  // The strings of the array under `key`.
  std::vector<std::string> texts(std::string_view key) const;
  // Whether `key` holds true; a missing key is false.
  bool flag(std::string_view key) const;
  bool is_array(std::string_view key) const;

 private:
  const Json* find(std::string_view key) const;

  rapidjson::Document document_;
  bool valid_ = false;
};

}  // namespace chatd::test
