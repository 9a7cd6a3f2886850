// The targets by name, as --target takes them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "bench/chatbench/target/target.h"

namespace chatd::bench {

std::vector<std::string> target_names();

// Where such a server listens unless it is told otherwise; 0 for an unknown name.
std::uint16_t default_tcp_port(std::string_view name);

// Whether it is a message broker, which may be spoken to in TLS (TargetConfig::tls_ca_path).
bool is_broker(std::string_view name);

// The error is for any other name.
tl::expected<std::unique_ptr<Target>, std::string> make_target(std::string_view name,
                                                               TargetConfig config);

}  // namespace chatd::bench
