// Whether a server runs here.
#pragma once

#include <string>

namespace chatd::bench {

// Whether the host (a name or a literal address) is an address of this machine: one that a socket
// here can be bound to.
bool is_this_machine(const std::string& host);

}  // namespace chatd::bench
