#include "bench/chatbench/engine/loss.h"

#include <algorithm>

namespace chatd::bench {
namespace {

constexpr std::uint64_t kMaxTrainSegments = 128;  // UDP_MAX_SEGMENTS

}  // namespace

LossByCause attribute_loss(const LossEvidence& evidence) {
  LossByCause by;
  std::uint64_t left = evidence.lost;
  std::uint64_t unheard = evidence.unheard;
  const auto explain_messages = [&](std::uint64_t messages) {
    messages = std::min(messages, unheard);
    unheard -= messages;
    const std::uint64_t deliveries = std::min(left, messages * evidence.deliveries_per_message);
    left -= deliveries;
    return deliveries;
  };
  by.chatbench_send = explain_messages(evidence.unsent);
  by.server_kernel = explain_messages(evidence.server_socket_drops.value_or(0));
  const std::uint64_t most =
      evidence.own_receive_drops * (evidence.in_trains ? kMaxTrainSegments : 1);
  by.chatbench_receive = std::min(left, most);
  by.unattributed = left - by.chatbench_receive;
  return by;
}

}  // namespace chatd::bench
