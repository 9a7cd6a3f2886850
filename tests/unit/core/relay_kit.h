// A relay, its outbox and a clock that only the test moves, with the calls that a test would
// otherwise repeat. What goes in is written by tests/support/wire.h, which shares no code with the
// core's own codecs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/relay/relay.h"

namespace chatd::test {

inline IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}
inline Endpoint at(std::string_view address, std::uint16_t port) {
  return {ip(address), port};
}

// What came back over TCP.
struct Answer {
  std::size_t frame_count = 0;
  long accepted = 0;  // the status in the State 1 frame, 0 without one
  long status = 0;    // the status in the State 2 frame
  std::string message;
  std::string token;
  std::string payload;  // of the State 2 frame
};

// A member as the test knows it.
struct Person {
  std::string room;
  std::string name;
  std::string token;
  Endpoint from;
};

// One datagram to one destination.
struct Sent {
  Endpoint to;
  std::string payload;
  Outbox::Kind kind = Outbox::Kind::kMessage;
};

class RelayKit {
 public:
  static constexpr std::uint32_t kDefaultOutboxLimit = 1 << 20;
  static constexpr TimeMs kStartMs = 1'000'000;

  explicit RelayKit(const RelayConfig& config = {},
                    std::uint32_t outbox_limit = kDefaultOutboxLimit)
      : relay(config, kStartMs), out(outbox_limit, config.limits.max_room_members) {}

  // The control plane.
  Answer ask(std::uint8_t operation, std::string_view room, std::string_view payload,
             const IpAddress& peer = ip("127.0.0.1"), std::uint8_t state = 0);
  // What a new connection gets.
  std::string greeting();
  // Creates or joins from `endpoint`, stated as it is. Fails the test when it is refused.
  Person create(std::string_view room, std::string_view name, const Endpoint& endpoint,
                std::string_view password = "");
  Person join(std::string_view room, std::string_view name, const Endpoint& endpoint,
              std::string_view password = "");
  // The same, each at a port of its own on 127.0.0.1.
  Person create(std::string_view room, std::string_view name);
  Person join(std::string_view room, std::string_view name);
  // Address and port left open: the first datagram will tell.
  Person join_pending(std::string_view room, std::string_view name, const Endpoint& will_come_from);

  // The data plane.
  void deliver(const Endpoint& from, std::string_view datagram);
  void send(const Person& who, std::string_view payload);
  void say(const Person& who, std::string_view text = "hi");
  void beat(const Person& who) { send(who, ""); }
  void leave(const Person& who);

  // Everything in the outbox and all that waits, a row a datagram, trains taken apart; nothing is
  // left afterwards.
  std::vector<Sent> take();
  // The same, of one filling of the outbox.
  std::vector<Sent> take_turn();
  // What is in the outbox, and no more.
  std::vector<Sent> take_outbox();

  std::uint64_t count(Counter counter) const { return relay.counters()[counter]; }
  // Whether each datagram received is under exactly one of the counters that say what became of it.
  bool every_datagram_is_accounted_for() const;

  Relay relay;
  Outbox out;
  TimeMs now_ms = kStartMs;

 private:
  Person enter(std::uint8_t operation, std::string_view room, std::string_view name,
               const Endpoint& endpoint, std::string_view password);

  void empty_outbox(std::vector<Sent>& sent);

  std::uint16_t next_port_ = 20'000;
};

// The payloads that went to this endpoint.
std::vector<std::string> heard_at(const std::vector<Sent>& sent, const Endpoint& endpoint);

}  // namespace chatd::test
