#include "core/relay/counters.h"

namespace chatd {

// A switch rather than a table: the compiler says when a counter has no name.
std::string_view counter_name(Counter counter) {
  switch (counter) {
    case Counter::kDatagramsReceived:
      return "datagrams_received";
    case Counter::kHeartbeats:
      return "heartbeats";
    case Counter::kMessagesAccepted:
      return "messages_accepted";
    case Counter::kLeaves:
      return "leaves";
    case Counter::kDroppedMalformed:
      return "dropped_malformed";
    case Counter::kDroppedTooLarge:
      return "dropped_too_large";
    case Counter::kDroppedUnknownToken:
      return "dropped_unknown_token";
    case Counter::kDroppedWrongRoom:
      return "dropped_wrong_room";
    case Counter::kDroppedWrongAddress:
      return "dropped_wrong_address";
    case Counter::kDroppedWrongSender:
      return "dropped_wrong_sender";
    case Counter::kDroppedBadPayload:
      return "dropped_bad_payload";
    case Counter::kDroppedMailboxFull:
      return "dropped_mailbox_full";
    case Counter::kReceiveBufferDrops:
      return "receive_buffer_drops";
    case Counter::kUnauthenticatedAnswers:
      return "unauthenticated_answers";
    case Counter::kDatagramsHandedOver:
      return "datagrams_handed_over";
    case Counter::kDeliveriesPlanned:
      return "deliveries_planned";
    case Counter::kDeliveriesSent:
      return "deliveries_sent";
    case Counter::kDroppedPendingMember:
      return "dropped_pending_member";
    case Counter::kDroppedQueueFull:
      return "dropped_queue_full";
    case Counter::kDroppedSendRefused:
      return "dropped_send_refused";
    case Counter::kDroppedSendTooBig:
      return "dropped_send_too_big";
    case Counter::kDroppedSendUnreachable:
      return "dropped_send_unreachable";
    case Counter::kDroppedSendNoBuffers:
      return "dropped_send_no_buffers";
    case Counter::kDroppedSendQueueFull:
      return "dropped_send_queue_full";
    case Counter::kDroppedSendFailed:
      return "dropped_send_failed";
    case Counter::kDroppedSendAtStop:
      return "dropped_send_at_stop";
    case Counter::kSendsPostponed:
      return "sends_postponed";
    case Counter::kTrainsSent:
      return "trains_sent";
    case Counter::kTrainFallbacks:
      return "train_fallbacks";
    case Counter::kNoticesSent:
      return "notices_sent";
    case Counter::kNoticesDropped:
      return "notices_dropped";
    case Counter::kRoomsCreated:
      return "rooms_created";
    case Counter::kRoomsClosed:
      return "rooms_closed";
    case Counter::kMembersJoined:
      return "members_joined";
    case Counter::kMembersLeft:
      return "members_left";
    case Counter::kMembersTimedOut:
      return "members_timed_out";
    case Counter::kMembersRefused:
      return "members_refused";
    case Counter::kMembersDisconnected:
      return "members_disconnected";
    case Counter::kConnectionsAccepted:
      return "connections_accepted";
    case Counter::kConnectionsTimedOut:
      return "connections_timed_out";
    case Counter::kConnectionsOverLimit:
      return "connections_over_limit";
    case Counter::kConnectionsShed:
      return "connections_shed";
    case Counter::kAcceptsPostponed:
      return "accepts_postponed";
    case Counter::kRequestsCompleted:
      return "requests_completed";
    case Counter::kRequestsRefused:
      return "requests_refused";
    case Counter::kFramesTooLarge:
      return "frames_too_large";
    case Counter::kCount:
      break;
  }
  return "unknown";
}

}  // namespace chatd
