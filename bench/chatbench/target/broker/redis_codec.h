// Redis: RESP2 and, where a connection both publishes and subscribes, RESP3
// (redis.io/docs/reference/protocol-spec): a subscriber in RESP2 may not publish.
//
// Redis returns a message to its publisher, too, if that has subscribed, and knows no way to turn
// that off. See broker_target.h for what follows.
#pragma once

#include "bench/chatbench/target/broker/codec.h"

namespace chatd::bench {

class RedisCodec final : public BrokerCodec {
 public:
  bool can_exclude_sender() const override { return false; }
  void introduce(Role role, std::string_view name, std::string_view room,
                 std::string& out) const override;
  void publish(std::string_view room, std::string_view payload, std::string& out) const override;
  BrokerItem next_item(std::string_view buffer) const override;
};

}  // namespace chatd::bench
