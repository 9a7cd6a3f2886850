#include "core/stats/counters.h"

namespace chatd {
namespace {

constexpr std::array<CounterSpec, kCounterCount> kTable{{
    {Counter::kDatagramsReceived, "datagrams_received",
     "Datagrams that came in. Each is a heartbeat, an accepted message, a leave, or dropped."},
    {Counter::kHeartbeats, "heartbeats", "Datagrams that only say that a member is there."},
    {Counter::kMessagesAccepted, "messages_accepted", "Messages that were taken from members."},
    {Counter::kLeaves, "leaves", "Members that said goodbye in a datagram."},
    {Counter::kDroppedMalformed, "dropped_malformed", "Datagrams that were thrown away, by reason.",
     "datagrams_dropped", "reason", "malformed"},
    {Counter::kDroppedTooLarge, "dropped_too_large", "", "datagrams_dropped", "reason",
     "too_large"},
    {Counter::kDroppedUnknownToken, "dropped_unknown_token", "", "datagrams_dropped", "reason",
     "unknown_token"},
    {Counter::kDroppedWrongRoom, "dropped_wrong_room", "", "datagrams_dropped", "reason",
     "wrong_room"},
    {Counter::kDroppedWrongAddress, "dropped_wrong_address", "", "datagrams_dropped", "reason",
     "wrong_address"},
    {Counter::kDroppedWrongSender, "dropped_wrong_sender", "", "datagrams_dropped", "reason",
     "wrong_sender"},
    {Counter::kDroppedBadPayload, "dropped_bad_payload", "", "datagrams_dropped", "reason",
     "bad_payload"},
    {Counter::kDroppedMailboxFull, "dropped_mailbox_full", "", "datagrams_dropped", "reason",
     "mailbox_full"},
    {Counter::kReceiveBufferDrops, "receive_buffer_drops",
     "Datagrams that the kernel threw away since the receive buffer was full: they are not among "
     "those received."},
    {Counter::kReceivesPostponed, "receives_postponed",
     "Times that receiving failed and went on a moment later."},
    {Counter::kUnauthenticatedAnswers, "unauthenticated_answers",
     "Answers to datagrams without a valid token: sent, or withheld as there were enough.",
     "unauthenticated_answers", "result", "sent"},
    {Counter::kUnauthenticatedUnanswered, "unauthenticated_unanswered", "",
     "unauthenticated_answers", "result", "withheld"},
    {Counter::kHeartbeatsAnswered, "heartbeats_answered",
     "Answers to heartbeats that ask for one: sent, or withheld as their member was over its rate.",
     "heartbeat_answers", "result", "sent"},
    {Counter::kHeartbeatsUnanswered, "heartbeats_unanswered", "", "heartbeat_answers", "result",
     "withheld"},
    {Counter::kDatagramsHandedOver, "datagrams_handed_over",
     "Datagrams that the kernel gave to the wrong shard. They cost more; many of them mean that "
     "steering does not work."},
    {Counter::kMessagesOverLimit, "messages_over_limit",
     "Messages that went to nobody, unread: their sender was over its rate. Payloads that would "
     "have been refused are among them."},
    {Counter::kOverLimitWarnings, "over_limit_warnings", "Times that a sender was told so."},
    {Counter::kDeliveriesPlanned, "deliveries_planned",
     "Deliveries that accepted messages ask for: one for each receiver."},
    {Counter::kDeliveriesSent, "deliveries_sent", "Deliveries that were handed to the kernel."},
    {Counter::kDroppedPendingMember, "dropped_pending_member",
     "Deliveries that were thrown away, by reason. Those of pending members and over the limit "
     "were never planned.",
     "deliveries_dropped", "reason", "pending_member"},
    {Counter::kDroppedOverLimit, "dropped_over_limit", "", "deliveries_dropped", "reason",
     "over_limit"},
    {Counter::kDroppedQueueFull, "dropped_queue_full", "", "deliveries_dropped", "reason",
     "queue_full"},
    {Counter::kDroppedSendRefused, "dropped_send_refused", "", "deliveries_dropped", "reason",
     "send_refused"},
    {Counter::kDroppedSendTooBig, "dropped_send_too_big", "", "deliveries_dropped", "reason",
     "send_too_big"},
    {Counter::kDroppedSendUnreachable, "dropped_send_unreachable", "", "deliveries_dropped",
     "reason", "send_unreachable"},
    {Counter::kDroppedSendNoBuffers, "dropped_send_no_buffers", "", "deliveries_dropped", "reason",
     "send_no_buffers"},
    {Counter::kDroppedSendQueueFull, "dropped_send_queue_full", "", "deliveries_dropped", "reason",
     "send_queue_full"},
    {Counter::kDroppedSendFailed, "dropped_send_failed", "", "deliveries_dropped", "reason",
     "send_failed"},
    {Counter::kDroppedSendAtStop, "dropped_send_at_stop", "", "deliveries_dropped", "reason",
     "send_at_stop"},
    {Counter::kSendsPostponed, "sends_postponed",
     "Times that the UDP socket was full and sending went on later."},
    {Counter::kTrainsSent, "trains_sent", "Datagrams to the kernel that carried several messages."},
    {Counter::kTrainFallbacks, "train_fallbacks", "Destinations that took no trains."},
    {Counter::kNoticesSent, "notices_sent", "Notices of arrivals and departures that were sent."},
    {Counter::kNoticesDropped, "notices_dropped", "Notices that were not sent, by reason.",
     "notices_dropped", "reason", "not_sent"},
    {Counter::kNoticesOverLimit, "notices_over_limit", "", "notices_dropped", "reason",
     "over_limit"},
    {Counter::kRoomsCreated, "rooms_created", "Rooms that were opened."},
    {Counter::kRoomsClosed, "rooms_closed", "Rooms that ended."},
    {Counter::kMembersJoined, "members_joined", "Members that came."},
    {Counter::kMembersReturned, "members_returned",
     "Members that took their own seat again, by its token."},
    {Counter::kMembersLeft, "members_left", "Members that went, by reason.", "members_departed",
     "reason", "left"},
    {Counter::kMembersTimedOut, "members_timed_out", "", "members_departed", "reason", "timed_out"},
    {Counter::kMembersRefused, "members_refused", "", "members_departed", "reason", "refused"},
    {Counter::kMembersDisconnected, "members_disconnected", "", "members_departed", "reason",
     "disconnected"},
    {Counter::kMembersKicked, "members_kicked", "", "members_departed", "reason", "kicked"},
    {Counter::kConnectionsAccepted, "connections_accepted",
     "Control connections that were accepted."},
    {Counter::kConnectionsTimedOut, "connections_timed_out",
     "Control connections that ended badly, by reason.", "connections_failed", "reason",
     "timed_out"},
    {Counter::kConnectionsBroken, "connections_broken", "", "connections_failed", "reason",
     "broken"},
    {Counter::kConnectionsTlsOnPlainPort, "connections_tls_on_plain_port", "", "connections_failed",
     "reason", "tls_on_plain_port"},
    {Counter::kConnectionsNotHandedOver, "connections_not_handed_over", "", "connections_failed",
     "reason", "not_handed_over"},
    {Counter::kConnectionsOverLimit, "connections_over_limit",
     "Control connections that were turned away, by reason.", "connections_refused", "reason",
     "over_limit"},
    {Counter::kConnectionsOverAddressLimit, "connections_over_address_limit", "",
     "connections_refused", "reason", "over_address_limit"},
    {Counter::kConnectionsShed, "connections_shed", "", "connections_refused", "reason", "shed"},
    {Counter::kAcceptsPostponed, "accepts_postponed",
     "Times that accepting failed (no descriptors) and went on a moment later."},
    {Counter::kTlsHandshakes, "tls_handshakes", "TLS handshakes that were completed."},
    {Counter::kTlsHandshakesResumed, "tls_handshakes_resumed",
     "TLS handshakes that were completed with a ticket, and so without a signature."},
    {Counter::kTlsFailedPlainText, "tls_failed_plain_text",
     "Connections that ended before their TLS handshake was complete, by reason.",
     "tls_handshakes_failed", "reason", "plain_text"},
    {Counter::kTlsFailedOldVersion, "tls_failed_old_version", "", "tls_handshakes_failed", "reason",
     "old_version"},
    {Counter::kTlsFailedWrongProtocol, "tls_failed_wrong_protocol", "", "tls_handshakes_failed",
     "reason", "wrong_protocol"},
    {Counter::kTlsFailedPeerRefused, "tls_failed_peer_refused", "", "tls_handshakes_failed",
     "reason", "peer_refused"},
    {Counter::kTlsFailedEnded, "tls_failed_ended", "", "tls_handshakes_failed", "reason", "ended"},
    {Counter::kTlsFailedGarbage, "tls_failed_garbage", "", "tls_handshakes_failed", "reason",
     "garbage"},
    {Counter::kTlsFailedTimedOut, "tls_failed_timed_out", "", "tls_handshakes_failed", "reason",
     "timed_out"},
    {Counter::kTlsFailedOverLimit, "tls_failed_over_limit", "", "tls_handshakes_failed", "reason",
     "over_limit"},
    {Counter::kRequestsCompleted, "requests_completed",
     "Requests that were answered with what they asked for."},
    {Counter::kRequestsRefused, "requests_refused",
     "Requests that were refused; the next three are among them."},
    {Counter::kRequestsOverLimit, "requests_over_limit",
     "Requests that were refused since there were too many from one address."},
    {Counter::kPasswordsWrong, "passwords_wrong",
     "Requests that were refused for a wrong password."},
    {Counter::kPasswordAttemptsOverLimit, "password_attempts_over_limit",
     "Requests that were refused since there were too many wrong passwords before."},
    {Counter::kFramesTooLarge, "frames_too_large",
     "Control frames that were larger than --max-frame-bytes."},
}};

// A counter without a row, or a row in another place, does not compile.
constexpr bool is_complete() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (kTable[i].counter != static_cast<Counter>(i) || kTable[i].name.empty()) return false;
  }
  return true;
}
static_assert(is_complete());

}  // namespace

std::string CounterSpec::metric() const {
  return "chatd_" + std::string(family.empty() ? name : family) + "_total";
}

std::span<const CounterSpec> counter_table() {
  return kTable;
}

std::string_view counter_name(Counter counter) {
  return kTable[static_cast<std::size_t>(counter)].name;
}

}  // namespace chatd
