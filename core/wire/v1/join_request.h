// The payload of a create or join request: {"username": …, "ip": …, "port": …, "password": …}, and
// perhaps a "token"; with protocol v2 also "protocol": 2, and perhaps "ciphers" and "history".
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "core/base/ip_address.h"
#include "core/crypto/packet_key.h"
#include "core/wire/v1/token.h"

namespace simdjson::dom {
class parser;
}

namespace chatd {

struct JoinRequest {
  std::string username;
  IpAddress ip;                     // unspecified: the address the client calls from
  std::uint16_t port = 0;           // 0: not known yet
  std::string password;             // empty: none
  std::optional<Token> token = {};  // of the seat that it had, and wants again
  std::uint8_t protocol = 1;        // that it will speak over UDP: 1 or 2
  // Of protocol v2: the cipher, if the client knows only that one; and for a new room, how much of
  // what was said those may read who come later.
  std::optional<Cipher> only_cipher = {};
  std::uint32_t history_entries = 0;
};

// Keeps the parser's memory between requests. Thread: one at a time.
class JoinRequestReader {
 public:
  JoinRequestReader();
  ~JoinRequestReader();

  // An error is a sentence for the person who wrote the client. It lives as long as the program.
  tl::expected<JoinRequest, std::string_view> read(std::string_view payload);

 private:
  std::unique_ptr<simdjson::dom::parser> parser_;
};

}  // namespace chatd
