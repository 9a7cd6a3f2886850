// Whether a server runs here.
#pragma once

#include "client/net/address.h"

namespace chatd::bench {

// Whether the address is one of this machine's: one that a socket here can be bound to.
bool is_this_machine(const client::Address& address);

}  // namespace chatd::bench
