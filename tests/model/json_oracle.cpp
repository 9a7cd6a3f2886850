#include "tests/model/json_oracle.h"

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "tests/model/utf8.h"

namespace chatd::test {
namespace {

// An empty array or object is not counted: it holds nothing that would be deeper.
constexpr std::size_t kMaxDepth = 1023;

bool is_integer(std::string_view number) {
  return number.find_first_of(".eE") == std::string_view::npos;
}

// An integer must fit 64 bits, any other number a double.
bool is_number_in_range(const std::string& number) {
  if (!is_integer(number)) return std::isfinite(std::strtod(number.c_str(), nullptr));
  const char* const end = number.data() + number.size();
  if (number.starts_with('-')) {
    std::int64_t value = 0;
    return std::from_chars(number.data(), end, value).ec == std::errc{};
  }
  std::uint64_t value = 0;
  return std::from_chars(number.data(), end, value).ec == std::errc{};
}

// Follows the reader's events. False ends the parse.
class Handler : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Handler> {
 public:
  std::vector<JsonField> fields;

  bool StartObject() { return (depth_ == 0 || is_within()) && deeper(); }
  bool StartArray() { return is_within() && deeper(); }
  bool EndObject(rapidjson::SizeType) { return shallower(); }
  bool EndArray(rapidjson::SizeType) { return shallower(); }
  bool Default() { return is_within(); }
  bool Null() {
    if (depth_ == 1) fields.back().is_null = true;
    return is_within();
  }

  bool Key(const char* text, rapidjson::SizeType size, bool) {
    const std::string_view key(text, size);
    if (depth_ == 1)
      fields.push_back({.key = std::string(key), .text = {}, .integer = {}, .is_null = false});
    return is_within() && is_utf8(key);
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    const std::string_view value(text, size);
    if (depth_ == 1) fields.back().text = std::string(value);
    return is_within() && is_utf8(value);
  }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    const std::string number(text, size);
    if (depth_ == 1 && is_integer(number)) fields.back().integer = number;
    return is_within() && is_number_in_range(number);
  }

 private:
  // Whether what stands here stands in the object, and not too deep.
  bool is_within() const { return depth_ > 0 && depth_ <= kMaxDepth; }
  bool deeper() {
    ++depth_;
    return true;
  }
  bool shallower() {
    --depth_;
    return true;
  }

  std::size_t depth_ = 0;  // 1: the top level
};

}  // namespace

std::optional<std::vector<JsonField>> read_object(std::string_view json) {
  // RapidJSON takes a zero for the end.
  if (json.find('\0') != std::string_view::npos) return std::nullopt;
  constexpr unsigned kFlags = rapidjson::kParseValidateEncodingFlag |
                              rapidjson::kParseNumbersAsStringsFlag |
                              rapidjson::kParseIterativeFlag;
  rapidjson::MemoryStream stream(json.data(), json.size());
  rapidjson::Reader reader;
  Handler handler;
  if (!reader.Parse<kFlags>(stream, handler)) return std::nullopt;
  return std::move(handler.fields);
}

const JsonField* find_field(const std::vector<JsonField>& fields, std::string_view key) {
  for (const JsonField& field : fields) {
    if (field.key == key) return &field;
  }
  return nullptr;
}

}  // namespace chatd::test
