// Datagrams from clients and from the server, taken apart and put together again; and the shard
// that a datagram names, which the kernel's steering program reads as well.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/wire/v1/datagram.h"
#include "tests/fuzz/targets.h"
#include "tests/support/wire.h"

namespace chatd::fuzz {
namespace {

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

struct Parts {
  std::string_view room;
  std::string_view token;
  std::string_view payload;
};

// From the specification.
std::optional<Parts> take_apart(std::string_view bytes) {
  if (bytes.size() < 2) return std::nullopt;
  const std::size_t room_bytes = static_cast<std::uint8_t>(bytes[0]);
  const std::size_t token_bytes = static_cast<std::uint8_t>(bytes[1]);
  const std::string_view body = bytes.substr(2);
  if (room_bytes == 0 || body.size() < room_bytes + token_bytes) return std::nullopt;
  const Parts parts{.room = body.substr(0, room_bytes),
                    .token = body.substr(room_bytes, token_bytes),
                    .payload = body.substr(room_bytes + token_bytes)};
  if (token_bytes == 16) return parts;
  if (token_bytes == 32 && is_hex(parts.token)) return parts;
  return std::nullopt;
}

void require_same(const std::optional<ClientDatagram>& again, const ClientDatagram& datagram) {
  require(again.has_value(), "what was encoded can be decoded");
  require(again->room == datagram.room, "the room stays");
  require(again->token == datagram.token, "the token stays");
  require(again->payload == datagram.payload, "the payload stays");
}

void check_datagram(const ClientDatagram& datagram, const Parts& parts, std::string_view bytes) {
  require(datagram.room == parts.room && datagram.payload == parts.payload, "parts as specified");
  const std::string raw =
      parts.token.size() == 16 ? std::string(parts.token) : test::raw_token(parts.token);
  require(datagram.token.raw() == raw, "the token is as it was sent");
  require(shard_of_datagram(bytes) == datagram.token.shard(), "steering reads the same shard");

  std::string again;
  append_client_datagram(again, datagram.room, datagram.token, datagram.payload);
  require(again == test::encode_datagram(datagram.room, datagram.token.hex(), datagram.payload),
          "an independent writer agrees");
  require_same(parse_client_datagram(again), datagram);
  const std::string in_raw_form =
      test::encode_datagram(datagram.room, datagram.token.raw(), datagram.payload);
  require_same(parse_client_datagram(in_raw_form), datagram);
}

}  // namespace

void fuzz_datagram(std::string_view input) {
  const auto parts = take_apart(input);
  const auto datagram = parse_client_datagram(input);
  require(datagram.has_value() == parts.has_value(), "what is a datagram is as specified");
  if (datagram) check_datagram(*datagram, *parts, input);
  shard_of_datagram(input);  // reads what is no datagram, too

  const bool has_prefix = input.substr(0, 2) == std::string_view("\0\0", 2);
  const auto payload = parse_server_datagram(input);
  require(payload.has_value() == has_prefix, "a server's datagram starts with 00 00");
  if (payload) require(std::string("\0\0", 2).append(*payload) == input, "the rest is the payload");
}

}  // namespace chatd::fuzz
