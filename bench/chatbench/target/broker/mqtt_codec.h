// MQTT 5 at QoS 0 (docs.oasis-open.org/mqtt/mqtt/v5.0). Version 5 because it has the subscription
// option «no local»: a message does not return to the connection that it came from. Keep-alive is
// off, so that nothing but messages passes.
#pragma once

#include "bench/chatbench/target/broker/codec.h"

namespace chatd::bench {

class MqttCodec final : public BrokerCodec {
 public:
  bool can_exclude_sender() const override { return true; }
  void introduce(Role role, std::string_view name, std::string_view room,
                 std::string& out) const override;
  void publish(std::string_view room, std::string_view payload, std::string& out) const override;
  BrokerItem next_item(std::string_view buffer) const override;
};

}  // namespace chatd::bench
