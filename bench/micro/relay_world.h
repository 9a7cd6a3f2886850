// A whole relay in memory, filled with rooms and members, for benchmarks: no socket, and a clock
// that stands still.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/relay/relay.h"

namespace chatd::bench {

// The payload of most benchmarks here and in chatbench.
inline constexpr std::size_t kUsualPayloadBytes = 128;

// Ends the program: a benchmark of a relay that refuses would measure something else.
[[noreturn]] void give_up(const std::string& why);

// {"sender":…,"message":"xxx…"} of exactly so many bytes (or as few as the name allows).
std::string message_payload(std::string_view sender, std::size_t size_bytes);

// Bytes as a receive buffer holds them, padded for the JSON reader.
class PaddedBytes {
 public:
  explicit PaddedBytes(std::string bytes) : bytes_(std::move(bytes)), size_bytes_(bytes_.size()) {
    bytes_.append(kPayloadPaddingBytes, '\0');
  }
  std::string_view view() const { return {bytes_.data(), size_bytes_}; }
  void overwrite(std::size_t offset, std::string_view with) {
    bytes_.replace(offset, with.size(), with);
  }

 private:
  std::string bytes_;
  std::size_t size_bytes_;
};

class RelayWorld {
 public:
  RelayWorld(std::uint32_t rooms, std::uint32_t members_per_room,
             std::size_t payload_bytes = kUsualPayloadBytes);

  // Members are numbered through: those of room r begin at r * members_per_room.
  void say(std::uint32_t member) { hear(people_[member].from, people_[member].message); }
  void beat(std::uint32_t member) { hear(people_[member].from, people_[member].heartbeat); }
  std::string_view message_of(std::uint32_t member) const { return people_[member].message.view(); }

  // Lets the rooms have their turns until nothing waits, as a server whose socket is never full.
  void serve_rooms() {
    while (relay_.has_waiting()) {
      relay_.serve_rooms(out_);
      out_.clear();
    }
  }

  // One more member joins the first room over TCP, and leaves again with its first datagram. Both
  // go to the outbox as notices to the room, unless it is large; they are cleared.
  void join_and_leave();

  Relay& relay() { return relay_; }
  Outbox& outbox() { return out_; }

 private:
  struct Person {
    Endpoint from;
    PaddedBytes message;
    PaddedBytes heartbeat;
  };
  static RelayConfig config_for(std::uint32_t rooms, std::uint32_t members_per_room);

  void prepare_passer_by();
  // The payload of the answer to a request to enter.
  std::string_view ask(std::string_view request, const Endpoint& from);
  void hear(const Endpoint& from, const PaddedBytes& datagram) {
    relay_.on_datagram(++now_ms_, from, datagram.view(), out_);
  }

  TimeMs now_ms_ = 1'000'000;  // each datagram finds its sender's buckets full again
  Relay relay_;
  Outbox out_;
  std::string reply_;
  std::vector<Person> people_;

  // Who joins and leaves: written once, so that only the relay's work is repeated.
  Endpoint passer_by_;
  std::string join_request_;
  PaddedBytes leave_datagram_{""};
  std::size_t leave_token_offset_ = 0;
};

}  // namespace chatd::bench
