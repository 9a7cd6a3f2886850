#include "core/wire/v2/datagram.h"

#include <sodium/utils.h>

#include <algorithm>

namespace chatd::v2 {

std::optional<Datagram> parse_datagram(std::string_view bytes) {
  if (bytes.size() < kMinDatagramBytes || !is_v2(bytes)) return std::nullopt;
  if (static_cast<std::uint8_t>(bytes[1]) != kVersion) return std::nullopt;
  return Datagram{.session = SessionId(load_u64(&bytes[2])),
                  .packet_number = load_u64(&bytes[10]),
                  .header = bytes.substr(0, kHeaderBytes),
                  .sealed = bytes.substr(kHeaderBytes)};
}

std::optional<std::uint8_t> shard_of_datagram(std::string_view bytes) {
  constexpr std::size_t kShardOffset = 2;
  if (bytes.size() < kHeaderBytes || !is_v2(bytes)) return std::nullopt;
  return static_cast<std::uint8_t>(bytes[kShardOffset]);
}

void write_header(SessionId session, std::uint64_t packet_number, char* to) {
  to[0] = '\0';
  to[1] = static_cast<char>(kVersion);
  store_u64(session.value(), to + 2);
  store_u64(packet_number, to + 10);
}

std::array<char, kOverheadBytes> make_reset(const Datagram& answered, const ResetToken& token) {
  std::array<char, kOverheadBytes> reset;
  write_header(answered.session, answered.packet_number, reset.data());
  std::copy(token.begin(), token.end(), reset.begin() + kHeaderBytes);
  return reset;
}

bool is_reset(std::string_view bytes, const ResetToken& token) {
  return bytes.size() == kOverheadBytes &&
         sodium_memcmp(&bytes[kHeaderBytes], token.data(), token.size()) == 0;
}

}  // namespace chatd::v2
