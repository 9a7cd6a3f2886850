#include "tests/support/wire.h"

#include <array>
#include <cstdio>

namespace chatd::test {
namespace {

constexpr int kSizeBytes = 29;
constexpr int kLowBytes = 8;

std::uint8_t byte_of(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

std::uint8_t hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<std::uint8_t>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<std::uint8_t>(digit - 'a' + 10);
  return static_cast<std::uint8_t>(digit - 'A' + 10);
}

}  // namespace

std::string encode_header(std::uint8_t room_bytes, std::uint8_t operation, std::uint8_t state,
                          std::uint64_t size, std::uint8_t high) {
  std::string header{static_cast<char>(room_bytes), static_cast<char>(operation),
                     static_cast<char>(state)};
  header.append(kSizeBytes - kLowBytes, static_cast<char>(high));
  for (int i = kLowBytes - 1; i >= 0; --i) {
    header.push_back(static_cast<char>((size >> (8 * i)) & 0xff));
  }
  return header;
}

std::string encode(const Frame& frame) {
  return encode_header(static_cast<std::uint8_t>(frame.room.size()), frame.operation, frame.state,
                       frame.payload.size()) +
         frame.room + frame.payload;
}

std::optional<Frame> take_frame(std::string& received) {
  if (received.size() < kFrameHeaderSize) return std::nullopt;
  std::size_t payload_bytes = 0;
  for (std::size_t i = 3; i < kFrameHeaderSize; ++i) {
    payload_bytes = payload_bytes * 256 + byte_of(received, i);
  }
  const std::size_t room_bytes = byte_of(received, 0);
  const std::size_t frame_bytes = kFrameHeaderSize + room_bytes + payload_bytes;
  if (received.size() < frame_bytes) return std::nullopt;
  Frame frame{.operation = byte_of(received, 1),
              .state = byte_of(received, 2),
              .room = received.substr(kFrameHeaderSize, room_bytes),
              .payload = received.substr(kFrameHeaderSize + room_bytes, payload_bytes)};
  received.erase(0, frame_bytes);
  return frame;
}

std::string encode_datagram(std::string_view room, std::string_view token,
                            std::string_view payload) {
  std::string datagram{static_cast<char>(room.size()), static_cast<char>(token.size())};
  return datagram.append(room).append(token).append(payload);
}

std::string raw_token(std::string_view hex) {
  std::string raw;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    raw.push_back(static_cast<char>(hex_value(hex[i]) * 16 + hex_value(hex[i + 1])));
  }
  return raw;
}

std::string json_quote(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted.push_back('\\');
      quoted.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(c));
      quoted += escape.data();
    } else {
      quoted.push_back(c);
    }
  }
  return quoted + "\"";
}

std::string join_payload(const JoinFields& fields) {
  return R"({"username": )" + json_quote(fields.username) + R"(, "ip": )" + json_quote(fields.ip) +
         R"(, "port": )" + std::to_string(fields.port) + R"(, "password": )" +
         json_quote(fields.password) +
         (fields.token.empty() ? "" : R"(, "token": )" + json_quote(fields.token)) + "}";
}

std::string message_payload(std::string_view sender, std::string_view message) {
  return R"({"sender": )" + json_quote(sender) + R"(, "message": )" + json_quote(message) + "}";
}

std::string leave_payload(std::string_view username) {
  return R"({"sender": "system", "operation": 2, "username": )" + json_quote(username) + "}";
}

}  // namespace chatd::test
