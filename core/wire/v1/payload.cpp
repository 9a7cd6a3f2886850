#include "core/wire/v1/payload.h"

#include <simdjson.h>

#include <new>

#include "core/base/limits.h"
#include "core/base/names.h"
#include "core/wire/v1/notice.h"

namespace chatd {
namespace {

// What the top level of a payload says that matters to a relay.
struct TopLevel {
  unsigned sender_count = 0;
  unsigned heartbeat_count = 0;
  unsigned username_count = 0;
  unsigned operation_count = 0;
  std::string_view sender;    // empty unless it is a string
  std::string_view username;  // likewise
  std::int64_t operation = 0;
};

TopLevel read_top_level(const simdjson::dom::object& object) {
  TopLevel top;
  for (const auto field : object) {
    if (field.key == "sender") {
      ++top.sender_count;
      if (field.value.get(top.sender) != simdjson::SUCCESS) top.sender = {};
    } else if (field.key == "heartbeat") {
      ++top.heartbeat_count;
    } else if (field.key == "username") {
      ++top.username_count;
      if (field.value.get(top.username) != simdjson::SUCCESS) top.username = {};
    } else if (field.key == "operation") {
      ++top.operation_count;
      if (field.value.get(top.operation) != simdjson::SUCCESS) top.operation = 0;
    }
  }
  return top;
}

}  // namespace

static_assert(kPayloadPaddingBytes >= simdjson::SIMDJSON_PADDING);

PayloadReader::PayloadReader() : parser_(std::make_unique<simdjson::dom::parser>()) {
  if (parser_->allocate(kMaxDatagramBytes) != simdjson::SUCCESS ||
      parser_->doc.allocate(kMaxDatagramBytes) != simdjson::SUCCESS) {
    throw std::bad_alloc();  // at start-up only
  }
}

PayloadReader::~PayloadReader() = default;

bool may_be_for_server(std::string_view payload) {
  constexpr auto kNone = std::string_view::npos;
  if (payload.size() > kMaxForServerBytes) return false;
  return payload.find(R"("heartbeat")") != kNone || payload.find(R"("system")") != kNone;
}

PayloadKind PayloadReader::read(std::string_view payload, std::string_view username) {
  simdjson::dom::object object;
  constexpr bool kCopyIfUnpadded = false;
  if (parser_->parse(payload.data(), payload.size(), kCopyIfUnpadded).get(object) !=
      simdjson::SUCCESS) {
    return PayloadKind::kMalformed;
  }
  const TopLevel top = read_top_level(object);
  if (top.sender_count == 0 && top.heartbeat_count == 1) return PayloadKind::kHeartbeat;
  if (top.sender_count != 1) return PayloadKind::kWrongSender;
  if (top.sender == username) return PayloadKind::kMessage;
  const bool is_plain = top.operation_count == 1 && top.username_count == 1;
  if (is_plain && top.sender == kSystemSender &&
      top.operation == static_cast<int>(NoticeOperation::kLeft) && top.username == username) {
    return PayloadKind::kLeave;
  }
  return PayloadKind::kWrongSender;
}

}  // namespace chatd
