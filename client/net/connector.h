// A TCP connection to whichever of a host's addresses takes it first.
//
// A name often has several addresses (IPv6 and IPv4, several machines), and any of them may be
// dead: refused at once, or silent for as long as one waits. So a further one is tried when those
// before it have not answered for 250 ms or have failed, families by turns, and the first that
// accepts wins ("Happy Eyeballs", RFC 8305).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "client/lib/error.h"
#include "client/net/address.h"
#include "client/net/unique_fd.h"

namespace chatd::client {

struct Connected {
  UniqueFd socket;  // non-blocking
  Address peer;
};

// All attempts end at `deadline_ms` of now_ms(). `server` is what should run there, for the words
// of a refusal. `interrupt_fd`: see wait_for().
tl::expected<Connected, Error> connect_to_any(const std::vector<Address>& addresses,
                                              std::int64_t deadline_ms, int interrupt_fd,
                                              std::string_view server = "chatd");

// In the order in which they are tried: families alternate, the first one's first.
std::vector<Address> by_turns(const std::vector<Address>& addresses);

}  // namespace chatd::client
