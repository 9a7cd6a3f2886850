#include "bench/chatbench/target/make_target.h"

#include <array>
#include <utility>

#include "bench/chatbench/target/chatd/chatd_target.h"

namespace chatd::bench {
namespace {

using Make = std::unique_ptr<Target> (*)(TargetConfig config);

struct Kind {
  std::string_view name;
  std::uint16_t default_tcp_port;
  Make make;
};

template <class T>
std::unique_ptr<Target> make(TargetConfig config) {
  return std::make_unique<T>(std::move(config));
}

// In the order that --help names them.
constexpr std::array kKinds = {
    Kind{"chatd", 8000, make<ChatdTarget>},
};

}  // namespace

std::vector<std::string> target_names() {
  std::vector<std::string> names;
  for (const Kind& kind : kKinds) names.emplace_back(kind.name);
  return names;
}

std::uint16_t default_tcp_port(std::string_view name) {
  for (const Kind& kind : kKinds) {
    if (kind.name == name) return kind.default_tcp_port;
  }
  return 0;
}

tl::expected<std::unique_ptr<Target>, std::string> make_target(std::string_view name,
                                                               TargetConfig config) {
  for (const Kind& kind : kKinds) {
    if (kind.name == name) return kind.make(std::move(config));
  }
  return tl::unexpected("there is no target '" + std::string(name) + "'");
}

}  // namespace chatd::bench
