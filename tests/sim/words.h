// What clients say. A message's text follows from its id and its sender's name alone, so whoever
// sees a message can tell what it must look like, byte for byte, and nothing has to be remembered.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tests/sim/packets.h"

namespace chatd::sim {

// Appends the payload. One message in several is of the form that the client library writes
// (is_plain), the others have escapes, white space, other keys.
void append_message(std::string& out, MessageId id, std::string_view sender);
bool is_plain(MessageId id);
// The text of a plain message.
void append_text(std::string& out, MessageId id);

// What is said with protocol v2: text, some with what JSON has to escape, or any bytes.
void append_sealed_content(std::string& out, MessageId id);
std::optional<MessageId> id_in_sealed_content(std::string_view content);

// The id in a payload of a member; nothing in one that is none.
std::optional<MessageId> id_in(std::string_view payload);

// A spread of the number over 64 bits, the same everywhere.
constexpr std::uint64_t scatter(std::uint64_t number) {
  number = (number ^ (number >> 30)) * 0xbf58'476d'1ce4'e5b9u;
  number = (number ^ (number >> 27)) * 0x94d0'49bb'1331'11ebu;
  return number ^ (number >> 31);
}

}  // namespace chatd::sim
