// The check that every payload passes before it is relayed: nobody speaks in another's name,
// however the JSON is written.
#include <cstddef>
#include <string>
#include <string_view>

#include "core/base/limits.h"
#include "core/wire/v1/payload.h"
#include "tests/fuzz/json_maker.h"
#include "tests/fuzz/targets.h"
#include "tests/model/input.h"
#include "tests/model/json_oracle.h"
#include "tests/model/payload_oracle.h"
#include "tests/model/utf8.h"
#include "tests/support/wire.h"

namespace chatd::fuzz {
namespace {

using test::expected_kind;
using test::Input;
using test::is_utf8;

PayloadKind read(PayloadReader& reader, std::string_view payload, std::string_view username,
                 char filler) {
  std::string padded(payload);
  padded.append(kPayloadPaddingBytes, filler);
  return reader.read(std::string_view(padded).substr(0, payload.size()), username);
}

constexpr std::string_view kKeys[] = {"sender",  "operation", "username",
                                      "message", "senders",   "heartbeat"};

void check(std::string_view payload, std::string_view username) {
  static PayloadReader reader;  // as in the server, where it lives as long as the relay
  if (payload.size() > kMaxDatagramBytes) return;
  const PayloadKind kind = read(reader, payload, username, '}');
  require(kind == expected_kind(payload, username), "the payload is what the specification says");
  require(read(reader, payload, username, '"') == kind, "what follows it in memory is not read");
}

}  // namespace

void fuzz_payload(std::string_view input) {
  Input decisions(input);
  const bool is_made = decisions.flag();
  const std::string_view username = decisions.text();
  if (username.empty()) return;  // no member has such a name
  if (!is_made) return check(decisions.rest(), username);

  const std::string_view texts[] = {username, "system", "Server", "", "someone else"};
  check(make_object(decisions, kKeys, texts), username);
  if (!is_utf8(username)) return;
  // What a client writes in this name is a message, and its good-bye a good-bye.
  require(expected_kind(test::message_payload(username, "hi"), username) == PayloadKind::kMessage,
          "a message is one");
  check(test::message_payload(username, "hi"), username);
  check(test::leave_payload(username), username);
}

}  // namespace chatd::fuzz
