// What the server says of who comes and goes, as payloads of protocol v1: in its own words, for
// tests that are about something else (tests/unit/core/wire_notice_test.cpp has them word for
// word).
#pragma once

#include <string>
#include <string_view>

#include "core/base/json_writer.h"
#include "core/wire/v1/notice.h"

namespace chatd::test {

inline std::string joined_notice(std::string_view username) {
  JsonWriter json;
  write_joined_notice(json, username);
  return json.take();
}

inline std::string left_notice(std::string_view username) {
  JsonWriter json;
  write_left_notice(json, username);
  return json.take();
}

}  // namespace chatd::test
