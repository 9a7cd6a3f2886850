// A client's side of the control plane: what a server, or whatever answers there, may send. However
// TCP cuts it up, the client comes to the same end, keeps no more than it must, and takes nothing
// for a token that is none.
#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "client/lib/response.h"
#include "core/base/limits.h"
#include "core/wire/v1/frame.h"
#include "core/wire/v1/status.h"
#include "tests/fuzz/json_maker.h"
#include "tests/fuzz/targets.h"
#include "tests/model/input.h"
#include "tests/model/json_oracle.h"
#include "tests/model/utf8.h"

namespace chatd::fuzz {
namespace {

using test::find_field;
using test::Input;
using test::is_utf8;
using test::JsonField;
using test::read_object;

using client::ErrorKind;
using client::ResponseReader;

struct Outcome {
  bool failed = false;
  std::optional<std::string> payload;

  bool operator==(const Outcome&) const = default;
};

// In pieces whose sizes are `sizes`, again and again; none: in one.
Outcome receive(std::string_view stream, std::string_view sizes) {
  ResponseReader reader(client::kMaxEntryAnswerBytes);
  for (std::size_t turn = 0; !stream.empty(); ++turn) {
    std::size_t size = stream.size();
    if (!sizes.empty()) size = 1 + static_cast<unsigned char>(sizes[turn % sizes.size()]);
    const auto answer = reader.push(stream.substr(0, size));
    stream.remove_prefix(std::min(size, stream.size()));
    if (!answer) {
      require(answer.error().kind == ErrorKind::kUnreachable, "nonsense is no refusal");
      return {.failed = true, .payload = {}};
    }
    if (*answer) return {.failed = false, .payload = **answer};
  }
  require(!reader.closed().reason.empty(), "the end has a reason");
  return {};
}

void check_token(std::string_view payload) {
  const auto entry = client::parse_entry_answer(payload);
  const auto fields = read_object(payload);
  if (!entry) {
    require(!entry.error().reason.empty(), "a refusal has a reason");
    require((entry.error().kind == ErrorKind::kRefused) == (entry.error().status != 0),
            "a refusal has a status");
    return;
  }
  require(fields.has_value(), "a token comes in an object");
  const JsonField* const status = find_field(*fields, "status");
  require(status != nullptr && status->integer == "201", "a token comes with status 201");
  const JsonField* const text = find_field(*fields, "token");
  require(text != nullptr && text->text->size() == kTokenHexBytes, "a token is hexadecimal here");
  require(Token::parse(*text->text) == entry->token, "the token is as written");

  std::string frames;
  append_accepted(frames, 2);
  const auto idle_timeout_ms = static_cast<std::uint32_t>(
      std::min<std::int64_t>(entry->idle_timeout_ms.value_or(1), 1 << 30));
  append_admitted(frames, 2, "room joined", entry->token.hex(), idle_timeout_ms);
  const Outcome outcome = receive(frames, {});
  require(outcome.payload.has_value(), "the server's own answer is read");
  const auto again = client::parse_entry_answer(*outcome.payload);
  require(again && again->token == entry->token, "the token stays");
  require(again->idle_timeout_ms == std::int64_t{idle_timeout_ms}, "the timeout stays");
}

void check_list(std::string_view payload) {
  const auto list = client::parse_room_list(payload);
  if (!list) return require(!list.error().reason.empty(), "a failure has a reason");
  for (const client::RoomInfo& room : list->rooms) {
    require(is_utf8(room.name), "a room's name is text");
    require(room.members.size() <= kMaxListedMembers, "no more names than a chatd tells");
    require(std::all_of(room.members.begin(), room.members.end(),
                        [](const std::string& name) { return is_utf8(name); }),
            "a member's name is text");
  }
}

constexpr std::string_view kKeys[] = {"status", "token",   "message",     "rooms",
                                      "total",  "members", "idle_timeout"};
constexpr std::string_view kTexts[] = {"0123456789abcdef0123456789ABCDEF", "0123456789abcdef", "",
                                       "0123456789abcdef0123456789ABCDEg", "why"};
constexpr std::string_view kRoomKeys[] = {"lobby", "den"};
constexpr std::string_view kDescriptionKeys[] = {"members", "count", "password_required"};

std::string make_list(Input& decisions) {
  const std::string description = make_object(decisions, kDescriptionKeys, kTexts);
  std::string names;
  for (std::size_t i = decisions.index(40); i > 0; --i) names += R"("name",)";
  return R"({"rooms":{"lobby":)" + description + R"(,"den":{"members":[)" + names +
         R"("last"],"count":1},"attic":)" + make_object(decisions, kRoomKeys, kTexts) + "}}";
}

void check_payload(std::string_view payload) {
  check_token(payload);
  check_list(payload);
}

void check_stream(std::string_view stream, std::string_view sizes) {
  const Outcome whole = receive(stream, {});
  require(receive(stream, sizes) == whole, "it does not matter where TCP cuts");
  if (!whole.payload) return;
  require(whole.payload->size() <= client::kMaxEntryAnswerBytes, "within the cap");
  check_payload(*whole.payload);
}

}  // namespace

void fuzz_response(std::string_view input) {
  Input decisions(input);
  switch (decisions.index(4)) {
    case 0: {
      const std::string_view sizes = decisions.bytes(decisions.index(8));
      return check_stream(decisions.rest(), sizes);
    }
    case 1:
      return check_payload(decisions.rest());
    case 2:
      return check_payload(make_object(decisions, kKeys, kTexts));
    default:
      return check_payload(make_list(decisions));
  }
}

}  // namespace chatd::fuzz
