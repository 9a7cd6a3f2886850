// A datagram as it came, of either protocol, with its header parsed: once, for all who look at it.
//
// Thread: pure functions; views point into the caller's bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "core/base/endpoint.h"
#include "core/wire/v1/datagram.h"
#include "core/wire/v2/datagram.h"

namespace chatd {

struct ReceivedDatagram {
  Endpoint from;
  std::string_view bytes;  // kPayloadPaddingBytes behind it are readable
  std::variant<std::monostate, ClientDatagram, v2::Datagram> parsed;  // the first: malformed

  // The shard of the member that it names.
  std::optional<std::uint8_t> shard() const {
    if (const auto* const v1 = std::get_if<ClientDatagram>(&parsed)) return v1->token.shard();
    if (const auto* const v2 = std::get_if<v2::Datagram>(&parsed)) return v2->session.shard();
    return std::nullopt;
  }
};

inline ReceivedDatagram parse_received(const Endpoint& from, std::string_view bytes) {
  ReceivedDatagram datagram{.from = from, .bytes = bytes, .parsed = {}};
  if (v2::is_v2(bytes)) {
    if (const auto parsed = v2::parse_datagram(bytes)) datagram.parsed = *parsed;
  } else if (const auto parsed = parse_client_datagram(bytes)) {
    datagram.parsed = *parsed;
  }
  return datagram;
}

// The shard that a datagram names, without looking at anything else: what the kernel's steering
// program reads, too (server/group/steering.h). Nothing when it names none.
inline std::optional<std::uint8_t> shard_of_received(std::string_view bytes) {
  return v2::is_v2(bytes) ? v2::shard_of_datagram(bytes) : shard_of_datagram(bytes);
}

}  // namespace chatd
