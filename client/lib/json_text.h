// The few lines that every place which writes JSON would repeat.
#pragma once

#include <rapidjson/stringbuffer.h>

#include <string_view>

namespace chatd::client {

template <typename Writer>
void write_string(Writer& writer, std::string_view text) {
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

template <typename Writer>
void write_member(Writer& writer, std::string_view key, std::string_view text) {
  writer.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
  write_string(writer, text);
}

inline std::string_view as_view(const rapidjson::StringBuffer& json) {
  return {json.GetString(), json.GetSize()};
}

}  // namespace chatd::client
