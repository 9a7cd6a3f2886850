// Fields of chatd's answers. One that is not there, or of another type, reads as nothing: a chatd
// of another version may say more or less. Thread: pure functions.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace chatd::client::ctl {

inline std::string text_of(simdjson::dom::element object, std::string_view key) {
  std::string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

inline std::uint64_t number_of(simdjson::dom::element object, std::string_view key) {
  std::uint64_t number = 0;
  return object[key].get(number) == simdjson::SUCCESS ? number : 0;
}

inline bool flag_of(simdjson::dom::element object, std::string_view key) {
  bool flag = false;
  return object[key].get(flag) == simdjson::SUCCESS && flag;
}

// `use` gets each element of the array, if there is one.
template <class Use>
void for_each_of(simdjson::dom::element object, std::string_view key, const Use& use) {
  simdjson::dom::array array;
  if (object[key].get(array) != simdjson::SUCCESS) return;
  for (const simdjson::dom::element element : array) use(element);
}

}  // namespace chatd::client::ctl
