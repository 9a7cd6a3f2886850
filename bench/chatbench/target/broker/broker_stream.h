// The bytes of one connection to a broker, in clear or in TLS, on a socket that never blocks.
//
// TLS begins when start_tls() is called, and shakes hands in the calls of send() and receive() that
// follow. So a send may wait for input: then it is to be tried again after a receive().
//
// Nothing that has come stays in OpenSSL's memory, for it reads record by record (no «read ahead»),
// and a caller with room for a record gets it whole: epoll, level-triggered, tells of all there is.
//
// Thread: one at a time.
#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "bench/chatbench/target/broker/broker_tls.h"
#include "client/net/address.h"
#include "client/net/unique_fd.h"

namespace chatd::bench {

// The most that receive() needs room for at a time (RFC 8446, section 5.1).
inline constexpr std::size_t kMaxTlsRecordBytes = 16 * 1024;

enum class StreamState : std::uint8_t { kMoved, kWaitsForInput, kWaitsForRoom, kEnded };

// What has become of a call.
struct StreamResult {
  StreamState state = StreamState::kMoved;
  std::size_t size_bytes = 0;  // kMoved: so many have, at least one
  std::string reason = {};     // kEnded: why, in words
};

class BrokerStream {
 public:
  BrokerStream() = default;  // no connection

  // A connection that begins: the socket is writable when it stands, or has failed.
  static tl::expected<BrokerStream, std::string> connect(const client::Address& broker);

  int fd() const { return socket_.get(); }

  // What follows is in TLS.
  tl::expected<void, std::string> start_tls(const BrokerTls& tls);

  StreamResult send(std::string_view bytes);
  StreamResult receive(char* room, std::size_t room_bytes);

 private:
  struct Free {
    void operator()(ssl_st* ssl) const;
  };

  StreamResult result_of_tls(int result, std::size_t size_bytes);

  UniqueFd socket_;
  std::unique_ptr<ssl_st, Free> ssl_;  // null: in clear
};

}  // namespace chatd::bench
