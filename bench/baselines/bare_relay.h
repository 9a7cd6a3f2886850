// What the two bare relays, naive and lower bound, have in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "client/net/unique_fd.h"

namespace chatd::bench {

// How a client gets into a room of the two bare relays, naive and lower-bound, which have no
// control plane. A format of its own, because neither serves anybody but chatbench:
//
//   client → relay   J room            joins the room of that name, or makes it. Sent again when no
//                                      answer comes: it changes nothing the second time
//   relay → client   K prefix          is in. What the client puts before each message: nothing
//                                      (naive), or 12 bytes that say who and where it is
//                                      (lower-bound)
//   client → relay   prefix 00 00 …    a message
//   relay → client   00 00 …           the same, to all others of the room
//
// Nobody leaves: a run of chatbench gets a relay of its own, or at least rooms of its own.

// The largest datagram that goes through; chatd's own limit.
inline constexpr std::size_t kMaxBareDatagramBytes = 4096;

// What a message begins with, as the relay passes it on: the same two bytes as chatd's.
inline constexpr std::string_view kBareMessageStart{"\0\0", 2};

std::string registration_of(std::string_view room);
// The room; nothing when the datagram is not a registration.
std::optional<std::string_view> parse_registration(std::string_view datagram);

std::string acknowledgement_of(std::string_view prefix);
// The prefix; nothing when the datagram is not an acknowledgement.
std::optional<std::string_view> parse_acknowledgement(std::string_view datagram);

// What a bare relay needs of a process: its flags, its one socket, its ready line and its end.
struct BareOptions {
  std::string host = "127.0.0.1";
  std::uint16_t udp_port = 0;  // 0: a free one
};

// Reads the command line. The error is the exit code to end with: 0 after --help.
tl::expected<BareOptions, int> parse_bare_options(const std::string& program,
                                                  const std::string& description, int argc,
                                                  const char* const* argv);

// A blocking IPv4 socket with large buffers, bound. SIGTERM and SIGINT end the process from
// here on, with exit code 0: there is nothing to tidy up. Prints `NAME ready udp=ADDRESS` on
// stdout. The error is a sentence.
tl::expected<UniqueFd, std::string> open_bare_socket(const std::string& name,
                                                     const BareOptions& options);

}  // namespace chatd::bench
