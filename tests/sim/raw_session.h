// A member with protocol v2 that keeps no rules: it seals what it likes, under packet numbers that
// it likes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "client/lib/session_info.h"
#include "core/crypto/packet_key.h"
#include "core/wire/v2/datagram.h"

namespace chatd::sim {

class RawSession {
 public:
  explicit RawSession(client::SessionInfo session)
      : info(std::move(session)), key_(info.secret, Direction::kToServer) {}

  std::string seal(std::string_view plain) {
    while (key_.epoch() < PacketKey::epoch_of(next_packet)) key_ = key_.next();
    Sealer sealer;
    sealer.use(info.cipher, key_);
    std::string datagram(plain.size() + v2::kOverheadBytes, '\0');
    sealer.seal(info.id, next_packet++, plain, datagram.data());
    return datagram;
  }

  client::SessionInfo info;
  std::uint64_t next_packet = 0;
  std::uint64_t next_say = 1;

 private:
  PacketKey key_;
};

}  // namespace chatd::sim
