// The client's end of a control connection, down to the single byte.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/os/unique_fd.h"
#include "tests/support/deadline.h"
#include "tests/support/socket_address.h"
#include "tests/support/wire.h"

namespace chatd::test {

// What came back for one request.
struct Answer {
  std::optional<Frame> accepted;   // the State 1 frame, if there was one
  std::optional<Frame> completed;  // the State 2 frame

  int status() const;           // of the State 2 frame; -1 when there is none
  int accepted_status() const;  // of the State 1 frame; -1 when there is none
  std::string token() const;    // "" when there is none
};

enum class StreamEnd : std::uint8_t { kOpen, kOrderly, kReset };

class TcpPeer {
 public:
  // Connects; `source_ip` chooses the address to call from. See `connected`.
  explicit TcpPeer(const SocketAddress& server, std::string_view source_ip = "");

  bool connected() const { return connected_; }
  int fd() const { return fd_.get(); }
  SocketAddress local() const { return SocketAddress::local_of(fd_.get()); }

  // False when the server closed, or took nothing until the deadline.
  bool send(std::string_view bytes, Deadline deadline = kPatience);
  // Sends what fits at once; the number of bytes taken, or -1 when the connection is gone.
  long send_some(std::string_view bytes);
  void finish_sending();

  // The next frame, whichever it is. Nothing on end of stream or at the deadline.
  std::optional<Frame> read_frame(Deadline deadline = kPatience);
  std::optional<Frame> read_greeting(Deadline deadline = kPatience);
  // Reads on (and keeps the bytes) until the stream ends or the deadline passes.
  StreamEnd wait_end(Deadline deadline = kPatience);
  // Received and not yet taken as frames.
  const std::string& unread() const { return received_; }

  // One request and its whole answer; reads the greeting first if that has not been done.
  Answer request(const Frame& request, Deadline deadline = kPatience);
  Answer read_answer(Deadline deadline = kPatience);
  Answer create(std::string_view room, const JoinFields& fields);
  Answer join(std::string_view room, const JoinFields& fields);

 private:
  // Waits for bytes and takes them in; false on end of stream or at the deadline.
  bool receive_more(Deadline deadline);

  UniqueFd fd_;
  bool connected_ = false;
  bool greeted_ = false;
  StreamEnd end_ = StreamEnd::kOpen;
  std::string received_;
};

}  // namespace chatd::test
