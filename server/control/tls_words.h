// The little that is said of TLS without TLS: to clients that have come to the wrong port.
#pragma once

#include <cstddef>
#include <string_view>

namespace chatd {

// A fatal alert, access_denied, as TLS 1.3 writes them before anything is encrypted (RFC 8446, 6):
// for who may not even shake hands.
inline constexpr std::string_view kTlsAccessDenied{"\x15\x03\x03\x00\x02\x02\x31", 7};

// Whether this is how a client begins that speaks TLS: a handshake record of TLS 1.x with a
// ClientHello in it. As a frame it would be one with a payload of more than 2^64 bytes.
constexpr bool is_client_hello(std::string_view bytes) {
  constexpr std::size_t kRecordHeaderBytes = 5;
  return bytes.size() > kRecordHeaderBytes && bytes[0] == 22 && bytes[1] == 3 && bytes[2] <= 4 &&
         bytes[kRecordHeaderBytes] == 1;
}

}  // namespace chatd
