#include "tests/sim/expectations.h"

namespace chatd::sim {

std::string notice_text(Notice notice, std::string_view username) {
  std::string text("\0\0", 2);
  if (notice == Notice::kTooFast) {
    return text.append(R"({"sender":"Server","message":"You are sending too fast: )")
        .append(R"(some of your messages were not delivered"})");
  }
  if (notice == Notice::kDraining) {
    return text.append(R"({"sender":"Server","message":"This server is about to stop: )")
        .append(R"(please finish here and meet elsewhere"})");
  }
  text.append(R"({"sender":"system","operation":)").append(notice == Notice::kJoined ? "1" : "2");
  text.append(R"(,"username":")").append(username).append(R"(","message":")");
  switch (notice) {
    case Notice::kJoined:
      text.append(username).append(" joined");
      break;
    case Notice::kLeft:
      text.append(username).append(" left");
      break;
    default:
      text += "You have been disconnected";
  }
  return text + "\"}";
}

void Expectations::expect_reset(const Endpoint& to, std::string_view header,
                                const v2::ResetToken* token) {
  answer_ = to;
  reset_ = header;
  if (token != nullptr) reset_.append(token->begin(), token->end());
}

bool Expectations::take_reset(const Endpoint& to, std::string_view datagram) {
  return !reset_.empty() && datagram.size() == v2::kOverheadBytes && datagram.starts_with(reset_) &&
         take_answer(to);
}

bool Expectations::take_echo(const Endpoint& to, std::string_view datagram) {
  using std::string_view_literals::operator""sv;
  if (!echo_ || echo_->to != to || datagram.size() != 2 + echo_->payload_bytes) return false;
  echo_.reset();
  return datagram.starts_with("\0\0{\"heartbeat\":\""sv) && datagram.ends_with("\"}");
}

}  // namespace chatd::sim
