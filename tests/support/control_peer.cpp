#include "tests/support/control_peer.h"

#include <utility>

#include "tests/support/json.h"

namespace chatd::test {
namespace {

int status_of(const std::optional<Frame>& frame) {
  return frame ? static_cast<int>(JsonObject(frame->payload).number("status")) : -1;
}

}  // namespace

int Answer::status() const {
  return status_of(completed);
}
int Answer::accepted_status() const {
  return status_of(accepted);
}
std::string Answer::token() const {
  return completed ? JsonObject(completed->payload).text("token") : std::string();
}

std::optional<Frame> ControlPeer::read_frame(Deadline deadline) {
  while (true) {
    if (auto frame = take_frame(received_)) {
      greeted_ = true;
      return frame;
    }
    if (!receive_more(deadline)) return std::nullopt;
  }
}

std::optional<Frame> ControlPeer::read_greeting(Deadline deadline) {
  return read_frame(deadline);
}

StreamEnd ControlPeer::wait_end(Deadline deadline) {
  while (receive_more(deadline)) {
  }
  return end_;
}

Answer ControlPeer::read_answer(Deadline deadline) {
  Answer answer;
  while (auto frame = read_frame(deadline)) {
    if (frame->state == kCompleted) {
      answer.completed = std::move(frame);
      break;
    }
    answer.accepted = std::move(frame);
  }
  return answer;
}

Answer ControlPeer::request(const Frame& request, Deadline deadline) {
  if (!greeted_ && !read_greeting(deadline)) return {};
  if (!send(encode(request), deadline)) return {};
  return read_answer(deadline);
}

Answer ControlPeer::create(std::string_view room, const JoinFields& fields) {
  return request({.operation = kCreateRoom,
                  .state = kRequest,
                  .room = std::string(room),
                  .payload = join_payload(fields)});
}

Answer ControlPeer::join(std::string_view room, const JoinFields& fields) {
  return request({.operation = kJoinRoom,
                  .state = kRequest,
                  .room = std::string(room),
                  .payload = join_payload(fields)});
}

}  // namespace chatd::test
