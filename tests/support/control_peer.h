// The client's end of a control connection, whatever carries it: frames and answers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tests/support/deadline.h"
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

class ControlPeer {
 public:
  virtual ~ControlPeer() = default;

  // False when the server closed, or took nothing until the deadline.
  virtual bool send(std::string_view bytes, Deadline deadline = kPatience) = 0;

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

 protected:
  ControlPeer() = default;
  ControlPeer(ControlPeer&&) = default;
  ControlPeer& operator=(ControlPeer&&) = default;

  // Waits for bytes and takes them in; false on end of stream or at the deadline.
  virtual bool receive_more(Deadline deadline) = 0;

  StreamEnd end_ = StreamEnd::kOpen;
  std::string received_;

 private:
  bool greeted_ = false;
};

}  // namespace chatd::test
