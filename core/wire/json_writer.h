// A thin front of RapidJSON's Writer for string views, so that its headers and its char-and-length
// pairs stay in one place. The strings must be valid UTF-8.
#pragma once

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace chatd {

class JsonWriter {
 public:
  void begin_object() { writer_.StartObject(); }
  void end_object() { writer_.EndObject(); }
  void begin_array() { writer_.StartArray(); }
  void end_array() { writer_.EndArray(); }

  void key(std::string_view name) { writer_.Key(name.data(), length(name)); }
  void value(std::string_view text) { writer_.String(text.data(), length(text)); }
  void value(std::uint64_t number) { writer_.Uint64(number); }
  void value(bool flag) { writer_.Bool(flag); }
  void value(const char* text) = delete;  // would quietly become a bool

  template <class Value>
  void member(std::string_view name, Value what) {
    key(name);
    value(what);
  }

  std::size_t size_bytes() const { return buffer_.GetSize(); }
  std::string take() { return {buffer_.GetString(), buffer_.GetSize()}; }

 private:
  static rapidjson::SizeType length(std::string_view text) {
    return static_cast<rapidjson::SizeType>(text.size());
  }

  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_{buffer_};
};

}  // namespace chatd
