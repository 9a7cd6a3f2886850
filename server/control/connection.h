// One control connection: what has come and is not yet a whole frame, and what is still to be
// written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "core/base/ip_address.h"
#include "core/room/room_list.h"
#include "server/control/stream.h"

namespace chatd {

// What of a connection outlives the process, besides its descriptor (server/handover/).
struct ConnectionState {
  IpAddress peer;
  std::string received;
  std::string to_send;
  std::shared_ptr<const RoomList> list;  // follows what is to be sent, from this byte on
  std::size_t list_offset_bytes = 0;
  bool is_over_limit = false;
  bool is_closing = false;
  bool has_shut_down = false;
  bool has_ended = false;
};

// Of a room list, that is copied and sent at once.
inline constexpr std::size_t kMinPieceBytes = 4 * 1024;
inline constexpr std::size_t kMaxPieceBytes = 64 * 1024;

struct Connection {
  // What a connection is about. With TLS it begins with a handshake. Then it goes from kServing to
  // an answer that takes a while and back, and to kClosing and kShutDown at its end.
  enum class State : std::uint8_t {
    kShakingHands,
    kServing,       // frames are answered as they come
    kAwaitsAnswer,  // the rest of one comes from another shard
    kAwaitsList,    // a room list is being made
    kReadsList,     // it follows what is to be sent
    kClosing,       // nothing more is read as requests; what is to be sent leaves
    kShutDown,      // all has been sent, and the peer knows that no more comes
  };
  // What there is to read.
  enum class Input : std::uint8_t {
    kDrained,    // an event says when there is more
    kReadable,   // there may be something
    kRdhupSeen,  // the same, and the peer has hung up behind what it has sent
    kEof,        // the peer will send no more
  };

  Stream stream;
  IpAddress peer;
  std::uint16_t via = 0;     // the address that it came to: see Endpoint
  std::uint64_t serial = 0;  // of all that have had this slot
  State state = State::kServing;
  Input input = Input::kReadable;
  std::string received;
  std::string to_send;
  std::size_t sent_bytes = 0;                // of to_send
  std::optional<ListReader> list;            // in kReadsList
  std::size_t progress_bytes = 0;            // of the list, since the deadline was put off
  std::size_t piece_bytes = kMaxPieceBytes;  // of the list, that the socket may take
  // Its place in the queue of handshakes, in kShakingHands.
  std::list<std::uint32_t>::iterator handshake = {};
  bool is_over_limit = false;     // it is answered 503, and closed
  bool is_scheduled = false;      // in the queue of those to be looked at
  bool is_in_list_queue = false;  // in the queue of those whose list may go on

  bool has_output() const { return sent_bytes < to_send.size(); }
  bool awaits_us() const { return state == State::kAwaitsAnswer || state == State::kAwaitsList; }
  bool is_closing() const { return state == State::kClosing || state == State::kShutDown; }
  bool is_readable() const { return input == Input::kReadable || input == Input::kRdhupSeen; }
};

}  // namespace chatd
