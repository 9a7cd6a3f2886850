// The wire format once more, written from docs/reference/protocol.md and from nothing else: the
// tests are an oracle for chatd's own codecs, so they must not share code with them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chatd::test {

inline constexpr std::size_t kFrameHeaderSize = 32;
inline constexpr std::size_t kLargestDatagram = 4096;

inline constexpr std::uint8_t kCreateRoom = 1;
inline constexpr std::uint8_t kJoinRoom = 2;
inline constexpr std::uint8_t kListRooms = 3;

inline constexpr std::uint8_t kRequest = 0;
inline constexpr std::uint8_t kAccepted = 1;
inline constexpr std::uint8_t kCompleted = 2;

struct Frame {
  std::uint8_t operation = 0;
  std::uint8_t state = 0;
  std::string room = {};
  std::string payload = {};
};

std::string encode(const Frame& frame);
// A header alone, whose payload size may be any 29-byte number: `size` is its lower 64 bits, and
// `high` fills each of the 21 bytes above them.
std::string encode_header(std::uint8_t room_bytes, std::uint8_t operation, std::uint8_t state,
                          std::uint64_t size, std::uint8_t high = 0);
// Takes the first whole frame off `received`.
std::optional<Frame> take_frame(std::string& received);

// A datagram from a client. `token` goes out as it is: 32 hexadecimal characters or 16 raw bytes.
std::string encode_datagram(std::string_view room, std::string_view token,
                            std::string_view payload);
std::string raw_token(std::string_view hex);

// Quoted, and escaped where JSON demands it.
std::string json_quote(std::string_view text);

// The payload of a create or join request.
struct JoinFields {
  std::string username = {};
  std::string ip = {};
  std::uint16_t port = 0;
  std::string password = {};
  std::string token = {};  // "": none
};
std::string join_payload(const JoinFields& fields);
std::string message_payload(std::string_view sender, std::string_view message);
std::string leave_payload(std::string_view username);

inline constexpr std::string_view kNotAuthenticated =
    R"({"sender":"Server","message":"You are not authenticated"})";

}  // namespace chatd::test
