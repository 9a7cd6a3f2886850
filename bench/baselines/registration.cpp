#include "bench/baselines/registration.h"

namespace chatd::bench {
namespace {

constexpr std::string_view kJoin = "J ";
constexpr std::string_view kKnown = "K ";

std::optional<std::string_view> rest_after(std::string_view start, std::string_view datagram) {
  if (!datagram.starts_with(start)) return std::nullopt;
  return datagram.substr(start.size());
}

}  // namespace

std::string registration_of(std::string_view room) {
  return std::string(kJoin).append(room);
}

std::optional<std::string_view> parse_registration(std::string_view datagram) {
  return rest_after(kJoin, datagram);
}

std::string acknowledgement_of(std::string_view prefix) {
  return std::string(kKnown).append(prefix);
}

std::optional<std::string_view> parse_acknowledgement(std::string_view datagram) {
  return rest_after(kKnown, datagram);
}

}  // namespace chatd::bench
