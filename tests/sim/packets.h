// The datagrams that are under way. A datagram lies here once, however many copies of it the
// network carries; who holds one counts. Memory is used again, so that in the long run nothing is
// allocated.
//
// A datagram to the server has a claim with it: what its maker knows about it (whose token it
// shows, whether the room is the right one, …). The model judges by the claim, the relay by the
// bytes, and they must agree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/endpoint.h"

namespace chatd::sim {

// Memberships are numbered from 1 on and never again (tests/sim/model.h).
using MemberNumber = std::uint32_t;
inline constexpr MemberNumber kNobody = 0;

// A message: who said it, and the how manieth it was. Grows with time for each client.
using MessageId = std::uint64_t;
inline constexpr unsigned kMessageBits = 24;
// What the server itself says has numbers of its own (Model::notice_id).
inline constexpr MessageId kNoticeBit = MessageId{1} << 63;
inline bool is_notice(MessageId id) {
  return (id & kNoticeBit) != 0;
}

// Said with protocol v2; and, of that, for members with protocol v2 alone.
inline constexpr MessageId kSealedBit = MessageId{1} << 62;
inline constexpr MessageId kOpaqueBit = MessageId{1} << 61;
inline bool is_sealed(MessageId id) {
  return (id & kSealedBit) != 0;
}

inline MemberNumber sender_of(MessageId id) {
  return static_cast<MemberNumber>(id >> kMessageBits);
}

struct Claim {
  // Sealed: of protocol v2; what it says is read from it.
  enum class Header : std::uint8_t { kWhole, kSealed, kMalformed, kTooLarge };
  enum class Payload : std::uint8_t { kHeartbeat, kAsk, kMessage, kLeave, kWrongSender, kBad };

  Header header = Header::kMalformed;
  Payload payload = Payload::kBad;
  bool is_right_room = true;
  MemberNumber member = kNobody;  // whose token it shows; kNobody: a guess
  MessageId message = 0;
  std::size_t payload_bytes = 0;
  bool looks_for_server = false;  // short, and has "system" or "heartbeat" in it
  std::uint32_t client = 0;       // who made it
  bool is_intact = true;          // sealed as it is by whose session it names
};

struct Packet {
  std::string bytes;  // to the server: with kPayloadPaddingBytes more than size_bytes
  std::size_t size_bytes = 0;
  Endpoint from;           // to the server
  Claim claim;             // to the server
  MessageId message = 0;   // to a client; 0: not a member's words
  bool is_forged = false;  // to a client: not the server's
  std::uint32_t holders = 0;
};

// What the makers of datagrams claim, by source and bytes, for those who see nothing else.
class Claims {
 public:
  void note(const Packet& packet) {
    const std::uint64_t key =
        key_of(packet.from, std::string_view(packet.bytes).substr(0, packet.size_bytes));
    if (order_.size() < kRemembered) {
      order_.push_back(key);
    } else {
      claims_.erase(std::exchange(order_[next_++ % kRemembered], key));
    }
    claims_.insert_or_assign(key, packet.claim);
  }
  // Nothing: nobody has sent it.
  const Claim* find(const Endpoint& from, std::string_view bytes) const {
    const auto found = claims_.find(key_of(from, bytes));
    return found == claims_.end() ? nullptr : &found->second;
  }

 private:
  static constexpr std::size_t kRemembered = 1 << 15;

  static std::uint64_t key_of(const Endpoint& from, std::string_view bytes) {
    const std::hash<std::string_view> hash;
    const auto& ip = from.ip.bytes();
    return hash(bytes) * 31 + hash({reinterpret_cast<const char*>(ip.data()), ip.size()}) * 7 +
           from.port;
  }

  std::unordered_map<std::uint64_t, Claim> claims_;
  std::vector<std::uint64_t> order_;
  std::size_t next_ = 0;
};

class Packets {
 public:
  // Held once.
  std::uint32_t make() {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(packets_.size()));
      packets_.emplace_back();
    }
    const std::uint32_t packet = free_.back();
    free_.pop_back();
    packets_[packet].bytes.clear();
    packets_[packet].size_bytes = 0;
    packets_[packet].claim = {};
    packets_[packet].message = 0;
    packets_[packet].is_forged = false;
    packets_[packet].holders = 1;
    return packet;
  }
  void hold(std::uint32_t packet) { ++packets_[packet].holders; }
  void release(std::uint32_t packet) {
    if (--packets_[packet].holders == 0) free_.push_back(packet);
  }
  Packet& operator[](std::uint32_t packet) { return packets_[packet]; }
  // How many are held.
  std::size_t in_use() const { return packets_.size() - free_.size(); }

 private:
  std::vector<Packet> packets_;
  std::vector<std::uint32_t> free_;
};

}  // namespace chatd::sim
