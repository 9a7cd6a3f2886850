// What a payload is to the relay, by docs/protocol.md ("What is relayed").
#pragma once

#include <algorithm>
#include <string_view>

#include "core/wire/payload.h"
#include "tests/fuzz/json_oracle.h"

namespace chatd::fuzz {

inline PayloadKind expected_kind(std::string_view payload, std::string_view username) {
  const auto fields = read_object(payload);
  if (!fields) return PayloadKind::kMalformed;
  const auto senders = std::count_if(fields->begin(), fields->end(),
                                     [](const JsonField& field) { return field.key == "sender"; });
  if (senders != 1) return PayloadKind::kWrongSender;
  if (find_field(*fields, "sender")->is(username)) return PayloadKind::kMessage;

  // A good-bye. Of two keys of one name, the last counts.
  bool is_leave = false;
  bool is_own = false;
  for (const JsonField& field : *fields) {
    if (field.key == "operation") is_leave = field.integer == "2";
    if (field.key == "username") is_own = field.is(username);
  }
  const bool is_goodbye = find_field(*fields, "sender")->is("system") && is_leave && is_own;
  return is_goodbye ? PayloadKind::kLeave : PayloadKind::kWrongSender;
}

}  // namespace chatd::fuzz
