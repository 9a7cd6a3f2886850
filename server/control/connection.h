// One control connection: what has come and is not yet a whole frame, and what is still to be
// written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/address/ip_address.h"
#include "core/relay/room_list.h"
#include "server/net/unique_fd.h"

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

struct Connection {
  UniqueFd fd;
  IpAddress peer;
  std::uint16_t via = 0;     // the address that it came to: see Endpoint
  std::uint64_t serial = 0;  // of all that have had this slot
  std::string received;
  std::string to_send;
  std::size_t sent_bytes = 0;      // of to_send
  std::optional<ListReader> list;  // follows it
  std::size_t progress_bytes = 0;  // of the list, since the deadline was put off
  std::size_t piece_bytes = 0;     // of the list, that the socket may take; 0: not known
  bool is_over_limit = false;      // it is answered 503, and closed
  bool is_waiting = false;         // for the rest of an answer
  bool waits_for_list = false;     // which is a room list
  bool is_in_list_line = false;    // its list may go on: in the control plane's line of such
  bool is_readable = true;         // there may be something to read
  bool end_is_near = false;        // the peer has hung up behind what it has sent
  bool is_scheduled = false;       // in the control plane's list of connections to look at
  bool has_ended = false;          // the peer will send no more
  bool is_closing =
      false;  // nothing more is read as requests; closed when all is written and the peer has ended
  bool has_shut_down = false;  // we have told the peer that no more comes

  bool has_output() const { return sent_bytes < to_send.size(); }
};

}  // namespace chatd
