// A member's timing under any sequence of sending, receiving, refusals and waiting: its heartbeats
// keep coming, never in a rush, and it takes the server for gone after refusals in a row and for no
// other reason.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "client/conversation.h"
#include "core/wire/datagram.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/targets.h"

namespace chatd::fuzz {
namespace {

using client::Conversation;

class Member {
 public:
  Member(std::int64_t heartbeat_ms, std::int64_t now_ms)
      : heartbeat_ms_(heartbeat_ms),
        now_ms_(now_ms),
        conversation_({.room = "room", .username = "me", .token = {}, .heartbeat_ms = heartbeat_ms},
                      now_ms) {
    require(conversation_.next_heartbeat_ms() == now_ms, "the first heartbeat is due at once");
  }

  void step(Input& decisions) {
    switch (decisions.index(4)) {
      case 0:
        now_ms_ += decisions.two_bytes();
        break;
      case 1:
        send();
        break;
      case 2:
        conversation_.on_received();
        refusals_in_a_row_ = 0;
        break;
      default:
        refuse();
    }
    require(conversation_.next_heartbeat_ms() <= std::max(sent_at_ms_, now_ms_) + heartbeat_ms_,
            "a heartbeat is never further away than the interval");
  }

 private:
  void send() {
    conversation_.on_sent(now_ms_);
    sent_at_ms_ = now_ms_;
    require(!conversation_.last_was_refused(), "a datagram that just left is not refused yet");
    require(conversation_.next_heartbeat_ms() >=
                now_ms_ + std::min(heartbeat_ms_, client::kProbeIntervalMs),
            "heartbeats do not rush");
  }

  void refuse() {
    ++refusals_in_a_row_;
    const bool is_gone = conversation_.on_refused(now_ms_);
    require(conversation_.last_was_refused(), "it was refused");
    require(conversation_.next_heartbeat_ms() <= now_ms_ + client::kProbeIntervalMs,
            "after a refusal it soon asks again");
    require(!is_gone || refusals_in_a_row_ >= client::kRefusalsUntilGone,
            "a server that answered in between is not gone");
  }

  std::int64_t heartbeat_ms_;
  std::int64_t now_ms_;
  std::int64_t sent_at_ms_ = 0;
  int refusals_in_a_row_ = 0;
  Conversation conversation_;
};

void check_datagrams(std::string_view room, std::string_view name) {
  if (room.empty()) return;
  const Conversation conversation(
      {.room = std::string(room), .username = std::string(name), .token = {}, .heartbeat_ms = 1},
      0);
  const std::string heartbeat = conversation.heartbeat();
  const auto read = parse_client_datagram(heartbeat);
  require(read && read->room == room && read->payload.empty(), "a heartbeat is one");
}

}  // namespace

void fuzz_conversation(std::string_view input) {
  Input decisions(input);
  check_datagrams(decisions.text(), "me");
  const std::int64_t heartbeat_ms = 1 + decisions.two_bytes();
  Member member(heartbeat_ms, decisions.two_bytes());
  while (!decisions.at_end()) member.step(decisions);
}

}  // namespace chatd::fuzz
