// The answer to a create or join with protocol v2: what the client needs to speak, and who is there
// (docs/reference/protocol-v2.md). Thread: a pure function.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/control/join_command.h"

namespace chatd {

// Where a server is reached, as its clients see it. 0: not at all, or not known.
struct ServedPorts {
  std::uint16_t udp = 0;
  std::uint16_t tls = 0;
};

// Appends one frame, like append_admitted (core/wire/v1/status.h).
void append_admitted_v2(std::string& reply, std::uint8_t operation, std::string_view message,
                        std::string_view token_hex, std::uint32_t idle_timeout_ms,
                        const SessionGrant& grant, std::uint16_t udp_port);

}  // namespace chatd
