#include "bench/chatbench/make_target.h"

#include <array>
#include <utility>

#include "bench/chatbench/target/broker/broker_target.h"
#include "bench/chatbench/target/broker/codec.h"
#include "bench/chatbench/target/chatd/chatd_target.h"
#include "bench/chatbench/target/chatd/chatd_v2_target.h"
#include "bench/chatbench/target/udp/udp_target.h"

namespace chatd::bench {
namespace {

using Make = std::unique_ptr<Target> (*)(TargetConfig config);

struct NamedTarget {
  std::string_view name;
  std::uint16_t default_tcp_port;
  Make make;
  bool is_broker = false;
};

template <class T>
std::unique_ptr<Target> make(TargetConfig config) {
  return std::make_unique<T>(std::move(config));
}

template <class BrokerCodec>
std::unique_ptr<Target> make_broker(TargetConfig config) {
  return std::make_unique<BrokerTarget>(std::move(config), std::make_unique<BrokerCodec>());
}

std::unique_ptr<Target> make_mixed(TargetConfig config) {
  return std::make_unique<ChatdV2Target>(std::move(config), ChatdV2Target::Rooms::kMixed);
}

// In the order that --help names them.
constexpr std::array kTargets = {
    NamedTarget{"chatd", 8000, make<ChatdTarget>},
    NamedTarget{"chatd-v2", 8001, make<ChatdV2Target>},
    NamedTarget{"chatd-mixed", 8001, make_mixed},
    NamedTarget{"redis", 6379, make_broker<RedisCodec>, true},
    NamedTarget{"nats", 4222, make_broker<NatsCodec>, true},
    NamedTarget{"mosquitto", 1883, make_broker<MqttCodec>, true},
    NamedTarget{"naive", 0, make<UdpTarget>},  // no TCP
    NamedTarget{"lower-bound", 0, make<UdpTarget>},
};

}  // namespace

std::vector<std::string> target_names() {
  std::vector<std::string> names;
  names.reserve(kTargets.size());
  for (const NamedTarget& target : kTargets) names.emplace_back(target.name);
  return names;
}

std::uint16_t default_tcp_port(std::string_view name) {
  for (const NamedTarget& target : kTargets) {
    if (target.name == name) return target.default_tcp_port;
  }
  return 0;
}

bool is_broker(std::string_view name) {
  for (const NamedTarget& target : kTargets) {
    if (target.name == name) return target.is_broker;
  }
  return false;
}

tl::expected<std::unique_ptr<Target>, std::string> make_target(std::string_view name,
                                                               TargetConfig config) {
  for (const NamedTarget& target : kTargets) {
    if (target.name == name) return target.make(std::move(config));
  }
  return tl::unexpected("there is no target '" + std::string(name) + "'");
}

}  // namespace chatd::bench
