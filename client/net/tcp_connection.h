// TCP: a connection to one of a host's addresses, and one request with its answer over it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "client/lib/error.h"
#include "client/net/address.h"
#include "client/net/unique_fd.h"

namespace chatd::client {

// A TCP connection to whichever of a host's addresses takes it first.
//
// A name often has several addresses (IPv6 and IPv4, several machines), and any of them may be
// dead: refused at once, or silent for as long as one waits. So a further one is tried when those
// before it have not answered for 250 ms or have failed, families by turns, and the first that
// accepts wins ("Happy Eyeballs", RFC 8305).
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

// A control connection: one request, one answer.
class TcpConnection {
 public:
  // The first of `addresses` that accepts, until `deadline_ms` of now_ms().
  // `interrupt_fd`: see wait_for().
  static tl::expected<TcpConnection, Error> open(const std::vector<Address>& addresses,
                                                 std::int64_t deadline_ms, int interrupt_fd);

  const Address& peer() const { return peer_; }

  // Sends `request` and returns the payload of the answer, or fails when a frame is larger than
  // `max_frame_bytes` or the answer does not come within `timeout_ms`. A long one may take longer,
  // as long as it goes on coming. One call per connection.
  tl::expected<std::string, Error> exchange(std::string_view request, std::size_t max_frame_bytes,
                                            std::int64_t timeout_ms, int interrupt_fd);

 private:
  TcpConnection(UniqueFd socket, const Address& peer) : socket_(std::move(socket)), peer_(peer) {}

  UniqueFd socket_;
  Address peer_;
};

}  // namespace chatd::client
