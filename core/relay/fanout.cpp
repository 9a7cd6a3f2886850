#include "core/relay/fanout.h"

#include <span>

namespace chatd {

std::uint32_t add_others(const Room& room, std::uint32_t position, Outbox& out) {
  const std::span<const Endpoint> endpoints = room.endpoints;
  if (room.pending_members == 0) {
    out.add(endpoints.first(position));
    out.add(endpoints.subspan(position + 1));
    return 0;
  }
  std::uint32_t pending = 0;
  for (std::uint32_t i = 0; i < endpoints.size(); ++i) {
    if (i == position) continue;
    if (endpoints[i].port == 0) {
      ++pending;
    } else {
      out.add(endpoints[i]);
    }
  }
  return pending;
}

}  // namespace chatd
