// What can go wrong between a client and its server, as a value with words for a person.
#pragma once

#include <cstdint>
#include <string>

#include <tl/expected.hpp>

namespace chatd::client {

enum class ErrorKind : std::uint8_t {
  kUnreachable,  // no connection, no answer in time, or an answer that is not chatd's
  kRefused,      // the server answered, with a status other than success
  kNoTls,        // it is chatd, but its port for clients without TLS
  kUntrusted,  // nobody says that it is the server that is meant; the reason may have several lines
  kNotSendable,  // this message cannot go out; the next one may
  kInterrupted,  // a signal asked the program to end meanwhile
  kInternal,     // this machine refuses: no descriptors, no memory for a socket
};

struct Error {
  ErrorKind kind = ErrorKind::kInternal;
  // A sentence without a full stop. It may quote the server, so sanitize it before it is shown.
  std::string reason;
  // kRefused: the server's status. Otherwise 0.
  int status = 0;
};

inline tl::unexpected<Error> failure(ErrorKind kind, std::string reason, int status = 0) {
  return tl::unexpected<Error>(Error{kind, std::move(reason), status});
}

}  // namespace chatd::client
