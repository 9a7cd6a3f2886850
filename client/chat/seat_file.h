// Remembers the token of a seat in a room for as long as `chat` sits there, so that a `chat` that
// has crashed finds its seat again: otherwise its own ghost holds its name until the server has
// given it up.
//
// A private file for each server, room and name, in $XDG_RUNTIME_DIR, or else in $XDG_STATE_HOME or
// ~/.local/state. It is locked while its `chat` runs: a second one under the same name must not
// push the first from its seat. The kernel lets go of the lock when the process ends, however that
// comes about.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "client/net/unique_fd.h"
#include "core/wire/v1/token.h"

namespace chatd::client {

class SeatFile {
 public:
  // Nothing when there is no place for it, or when another `chat` has this seat.
  static std::optional<SeatFile> open(std::string_view host, std::uint16_t tcp_port,
                                      std::string_view room, std::string_view username);

  // What the last `chat` here has left behind.
  std::optional<Token> token() const;
  void keep(const Token& token) const;
  // The seat is given up, or gone.
  void forget() const;

 private:
  SeatFile(std::string path, UniqueFd file) : path_(std::move(path)), file_(std::move(file)) {}

  std::string path_;
  UniqueFd file_;
};

}  // namespace chatd::client
