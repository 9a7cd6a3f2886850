// A client's side of the data plane: what a datagram from the server means, and that what one
// client writes is what another one reads.
#include <string>
#include <string_view>

#include "client/lib/member_session.h"
#include "core/base/limits.h"
#include "core/base/names.h"
#include "core/wire/v1/datagram.h"
#include "core/wire/v1/notice.h"
#include "tests/fuzz/json_maker.h"
#include "tests/fuzz/targets.h"
#include "tests/model/input.h"
#include "tests/model/json_oracle.h"
#include "tests/model/utf8.h"
#include "tests/support/notices.h"

namespace chatd::fuzz {
namespace {

using test::find_field;
using test::Input;
using test::is_utf8;
using test::JsonField;
using test::read_object;

using client::Event;
using client::MemberSession;
using client::parse_event;

std::string as_from_server(std::string_view payload) {
  return std::string(kServerPrefix).append(payload);
}

bool is_text_field(const std::vector<JsonField>& fields, std::string_view key,
                   std::string_view value) {
  const JsonField* const field = find_field(fields, key);
  return field != nullptr && field->is(value);
}

// Whatever came, what is understood of it stands in it.
void check_event(std::string_view datagram, std::string_view own_name) {
  const Event event = parse_event(datagram, own_name);
  require(event.kind != Event::Kind::kServerGone && event.kind != Event::Kind::kUnanswered &&
              event.kind != Event::Kind::kAnswered,
          "nobody can say what is found by asking");
  require(is_utf8(event.name) && is_utf8(event.text), "what is understood is text");
  const auto fields =
      datagram.starts_with(kServerPrefix) ? read_object(datagram.substr(2)) : std::nullopt;
  if (event.kind == Event::Kind::kMalformed) {
    require(!event.text.empty(), "what is not understood has a reason");
    return;
  }
  require(fields.has_value(), "only an object is understood");
  switch (event.kind) {
    case Event::Kind::kMessage:
      require(is_text_field(*fields, "sender", event.name), "a message names its sender");
      require(is_text_field(*fields, "message", event.text), "and has its text");
      require(event.name != "system" && event.name != "Server", "the server is no member");
      return;
    case Event::Kind::kJoined:
    case Event::Kind::kLeft:
    case Event::Kind::kDisconnected:
      require(is_text_field(*fields, "sender", "system"), "only the server tells who is there");
      require(is_text_field(*fields, "username", event.name), "and names them");
      if (event.kind == Event::Kind::kJoined) return;
      require((event.kind == Event::Kind::kDisconnected) == (event.name == own_name),
              "this member's own end is its end, and no other");
      return;
    case Event::Kind::kHeartbeat:
      require(is_text_field(*fields, "heartbeat", event.text), "an answer brings it back");
      require(find_field(*fields, "sender") == nullptr || !find_field(*fields, "sender")->text,
              "and nobody says it");
      return;
    case Event::Kind::kNotAuthenticated:
      require(is_text_field(*fields, "sender", "Server"), "only the server refuses");
      return;
    default:
      require(
          is_text_field(*fields, "sender", "Server") || is_text_field(*fields, "sender", "system"),
          "a notice is the server's");
  }
}

void require_event(const Event& event, Event::Kind kind, std::string_view name) {
  require(event.kind == kind, "the kind stays");
  require(event.name == name, "the name stays");
}

// From one client's keyboard to another's screen.
void check_round_trip(std::string_view name, std::string_view text) {
  if (!is_valid_name(name) || is_reserved_username(name)) return;
  require_event(parse_event(as_from_server(test::joined_notice(name)), "me"), Event::Kind::kJoined,
                name);
  const auto left = name == "me" ? Event::Kind::kDisconnected : Event::Kind::kLeft;
  require_event(parse_event(as_from_server(test::left_notice(name)), "me"), left, name);
  require_event(parse_event(as_from_server(disconnected_notice(name)), name),
                Event::Kind::kDisconnected, name);

  const MemberSession session({.room = "room", .username = std::string(name), .token = {}}, 0);
  const auto message = session.message(text);
  require(message.has_value() || !is_utf8(text) || text.size() > kMaxDatagramBytes / 8,
          "a short text can be said");
  if (!message) return;
  require(message->size() <= kMaxDatagramBytes, "it fits a datagram");
  const auto datagram = parse_client_datagram(*message);
  require(datagram.has_value(), "it is a datagram");
  const Event event = parse_event(as_from_server(datagram->payload), "me");
  require_event(event, Event::Kind::kMessage, name);
  require(event.text == text, "the text stays");
}

constexpr std::string_view kKeys[] = {"sender", "message", "operation", "username", "heartbeat"};
constexpr std::string_view kTexts[] = {"system", "Server", "bob", "You are not authenticated",
                                       "me"};

}  // namespace

void fuzz_event(std::string_view input) {
  Input decisions(input);
  if (decisions.flag()) {
    return check_event(as_from_server(make_object(decisions, kKeys, kTexts)), "me");
  }
  const std::string_view name = decisions.text();
  const std::string_view rest = decisions.rest();
  check_event(rest, name);
  check_event(as_from_server(rest), name);
  check_round_trip(name, rest);
}

}  // namespace chatd::fuzz
