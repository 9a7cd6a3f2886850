// What a payload is to the relay, by docs/reference/protocol.md ("What is relayed").
#pragma once

#include <algorithm>
#include <string_view>

#include "core/wire/v1/payload.h"
#include "tests/model/json_oracle.h"

namespace chatd::test {

inline PayloadKind expected_kind(std::string_view payload, std::string_view username) {
  const auto fields = read_object(payload);
  if (!fields) return PayloadKind::kMalformed;
  const auto count = [&fields](std::string_view key) {
    return std::count_if(fields->begin(), fields->end(),
                         [key](const JsonField& field) { return field.key == key; });
  };
  const auto senders = count("sender");
  if (senders == 0 && count("heartbeat") == 1) return PayloadKind::kHeartbeat;
  if (senders != 1) return PayloadKind::kWrongSender;
  if (find_field(*fields, "sender")->is(username)) return PayloadKind::kMessage;

  // A good-bye, in which nothing stands twice.
  const bool is_goodbye = find_field(*fields, "sender")->is("system") && count("operation") == 1 &&
                          count("username") == 1 &&
                          find_field(*fields, "operation")->integer == "2" &&
                          find_field(*fields, "username")->is(username);
  return is_goodbye ? PayloadKind::kLeave : PayloadKind::kWrongSender;
}

}  // namespace chatd::test
