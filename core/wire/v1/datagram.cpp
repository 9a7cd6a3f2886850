#include "core/wire/v1/datagram.h"

namespace chatd {

std::optional<ClientDatagram> parse_client_datagram(std::string_view bytes) {
  if (bytes.size() < kDatagramHeaderBytes) return std::nullopt;
  const std::size_t room_bytes = static_cast<std::uint8_t>(bytes[0]);
  const std::size_t token_bytes = static_cast<std::uint8_t>(bytes[1]);
  if (room_bytes == 0) return std::nullopt;
  const std::size_t payload_offset = kDatagramHeaderBytes + room_bytes + token_bytes;
  if (bytes.size() < payload_offset) return std::nullopt;
  const auto token = Token::parse(bytes.substr(kDatagramHeaderBytes + room_bytes, token_bytes));
  if (!token) return std::nullopt;
  return ClientDatagram{.room = bytes.substr(kDatagramHeaderBytes, room_bytes),
                        .token = *token,
                        .payload = bytes.substr(payload_offset)};
}

std::optional<std::uint8_t> shard_of_datagram(std::string_view bytes) {
  if (bytes.size() < kDatagramHeaderBytes) return std::nullopt;
  const std::size_t token_offset = kDatagramHeaderBytes + static_cast<std::uint8_t>(bytes[0]);
  const std::size_t token_bytes = static_cast<std::uint8_t>(bytes[1]);
  if (bytes.size() < token_offset + token_bytes) return std::nullopt;
  return Token::shard_in(bytes.substr(token_offset, token_bytes));
}

void append_client_datagram(std::string& out, std::string_view room, const Token& token,
                            std::string_view payload) {
  out.push_back(static_cast<char>(room.size()));
  out.push_back(static_cast<char>(kTokenHexBytes));
  out.append(room).append(token.hex()).append(payload);
}

std::optional<std::string_view> parse_server_datagram(std::string_view bytes) {
  if (!bytes.starts_with(kServerPrefix)) return std::nullopt;
  return bytes.substr(kServerPrefix.size());
}

}  // namespace chatd
