// What a message broker says and hears on one of its connections, as a pure computation on bytes:
// no sockets, and no state beyond the buffer that the caller keeps. A room is a channel, subject or
// topic of its name.
//
// A reader asks for the next item of a buffer. While an item is not whole the answer is
// `incomplete`, and the same bytes are shown again with more behind them: messages here are small,
// so reading their start twice costs less than remembering where it stopped.
//
// Thread: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace chatd::bench {

// Of the protocols that are text.
inline constexpr std::string_view kLineEnd = "\r\n";

struct BrokerItem {
  enum class Kind : std::uint8_t {
    kIncomplete,  // nothing yet
    kIgnored,     // an answer that matters to nobody
    kReady,       // the connection is set up: it hears its room and may publish
    kMessage,     // `text` is the payload
    kPing,        // answer with pong()
    kError,       // `text` is what the broker says; the connection is of no use any more
  };
  Kind kind = Kind::kIncomplete;
  std::size_t size_bytes = 0;  // of the whole item in the buffer
  std::string_view text = {};  // in the buffer
};

class BrokerCodec {
 public:
  // What a connection is for.
  enum class Role : std::uint8_t { kSubscriber, kPublisher, kBoth };

  BrokerCodec() = default;
  BrokerCodec(const BrokerCodec&) = delete;
  BrokerCodec& operator=(const BrokerCodec&) = delete;
  virtual ~BrokerCodec() = default;

  // Whether the broker can be told not to return a message to the connection that it came from.
  virtual bool can_exclude_sender() const = 0;

  // Whether the broker greets every connection in clear, and TLS begins behind that.
  virtual bool greets_before_tls() const { return false; }

  // All that a new connection says at once, up to what makes the broker answer with kReady.
  // `name` is the member's, unique in the run.
  virtual void introduce(Role role, std::string_view name, std::string_view room,
                         std::string& out) const = 0;
  virtual void publish(std::string_view room, std::string_view payload, std::string& out) const = 0;
  virtual std::string_view pong() const { return {}; }

  virtual BrokerItem next_item(std::string_view buffer) const = 0;
};

// Redis: RESP2 and, where a connection both publishes and subscribes, RESP3
// (redis.io/docs/reference/protocol-spec): a subscriber in RESP2 may not publish.
//
// Redis returns a message to its publisher, too, if that has subscribed, and knows no way to turn
// that off. See broker_target.h for what follows.
class RedisCodec final : public BrokerCodec {
 public:
  bool can_exclude_sender() const override { return false; }
  void introduce(Role role, std::string_view name, std::string_view room,
                 std::string& out) const override;
  void publish(std::string_view room, std::string_view payload, std::string& out) const override;
  BrokerItem next_item(std::string_view buffer) const override;
};

// NATS: its text protocol (docs.nats.io/reference/reference-protocols/nats-protocol). `echo: false`
// keeps a message from the connection that it came from.
class NatsCodec final : public BrokerCodec {
 public:
  bool can_exclude_sender() const override { return true; }
  bool greets_before_tls() const override { return true; }  // its INFO
  void introduce(Role role, std::string_view name, std::string_view room,
                 std::string& out) const override;
  void publish(std::string_view room, std::string_view payload, std::string& out) const override;
  std::string_view pong() const override { return "PONG\r\n"; }
  BrokerItem next_item(std::string_view buffer) const override;
};

// MQTT 5 at QoS 0 (docs.oasis-open.org/mqtt/mqtt/v5.0). Version 5 because it has the subscription
// option «no local»: a message does not return to the connection that it came from. Keep-alive is
// off, so that nothing but messages passes.
class MqttCodec final : public BrokerCodec {
 public:
  bool can_exclude_sender() const override { return true; }
  void introduce(Role role, std::string_view name, std::string_view room,
                 std::string& out) const override;
  void publish(std::string_view room, std::string_view payload, std::string& out) const override;
  BrokerItem next_item(std::string_view buffer) const override;
};

}  // namespace chatd::bench
