// A whole relay in memory with one room of members with protocol v2, for benchmarks: no socket, and
// a clock that stands still. What members send is sealed beforehand, so that it is not measured.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "client/lib/session_info.h"
#include "core/crypto/packet_key.h"
#include "core/relay/relay.h"

namespace chatd::bench {

class SealedWorld {
 public:
  // `v1_members` more have protocol v1. Nobody of them speaks.
  explicit SealedWorld(std::uint32_t members, std::uint32_t v1_members = 0);

  // So many messages of 128 bytes from the first member, each a datagram, for the next calls of
  // say_next().
  void seal(std::size_t count);
  void say_next() {
    const std::string& padded = datagrams_[next_++];
    hear(first_.from, padded, padded.size() - kPayloadPaddingBytes);
  }
  // Lets the room have its turns until nothing waits.
  void serve_rooms();

  const Relay& relay() const { return relay_; }

 private:
  struct Speaker {
    Endpoint from;
    client::SessionInfo session;
    PacketKey key;
    std::uint64_t next_packet = 0;
    std::uint64_t next_say = 1;
  };

  void add(std::uint32_t number, bool is_sealed);
  std::string sealed(Speaker& speaker, std::string_view frames);
  void hear(const Endpoint& from, const std::string& padded, std::size_t size_bytes) {
    relay_.on_datagram(now_ms_, from, {padded.data(), size_bytes}, out_);
  }

  TimeMs now_ms_ = 1'000'000;
  Relay relay_;
  Outbox out_;
  Speaker first_;

  std::vector<std::string> datagrams_;  // padded for the JSON reader
  std::size_t next_ = 0;
};

}  // namespace chatd::bench
