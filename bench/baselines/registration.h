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
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace chatd::bench {

// The largest datagram that goes through; chatd's own limit.
inline constexpr std::size_t kMaxBareDatagramBytes = 4096;

// What a message begins with, as the relay passes it on: the same two bytes as chatd's.
inline constexpr std::string_view kBareMessageStart{"\0\0", 2};

std::string registration_of(std::string_view room);
// The room; nothing when the datagram is no registration.
std::optional<std::string_view> parse_registration(std::string_view datagram);

std::string acknowledgement_of(std::string_view prefix);
// The prefix; nothing when the datagram is no acknowledgement.
std::optional<std::string_view> parse_acknowledgement(std::string_view datagram);

}  // namespace chatd::bench
