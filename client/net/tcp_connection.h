// A control connection: one request, one answer.
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

class TcpConnection {
 public:
  // The first of `addresses` that accepts (connector.h), until `deadline_ms` of now_ms().
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
