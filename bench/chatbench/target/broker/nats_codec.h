// NATS: its text protocol (docs.nats.io/reference/reference-protocols/nats-protocol). `echo: false`
// keeps a message from the connection that it came from.
#pragma once

#include "bench/chatbench/target/broker/codec.h"

namespace chatd::bench {

class NatsCodec final : public BrokerCodec {
 public:
  bool can_exclude_sender() const override { return true; }
  void introduce(Role role, std::string_view name, std::string_view room,
                 std::string& out) const override;
  void publish(std::string_view room, std::string_view payload, std::string& out) const override;
  std::string_view pong() const override { return "PONG\r\n"; }
  BrokerItem next_item(std::string_view buffer) const override;
};

}  // namespace chatd::bench
