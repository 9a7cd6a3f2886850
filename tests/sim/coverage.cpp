#include "tests/sim/coverage.h"

namespace chatd::sim {

std::string_view sight_name(Sight sight) {
  switch (sight) {
    case Sight::kLoss:
      return "loss";
    case Sight::kDuplication:
      return "duplication";
    case Sight::kReordering:
      return "reordering";
    case Sight::kDelay:
      return "delay";
    case Sight::kPartition:
      return "partition";
    case Sight::kIcmpToServer:
      return "icmp_to_server";
    case Sight::kIcmpToClient:
      return "icmp_to_client";
    case Sight::kIcmpLost:
      return "icmp_lost";
    case Sight::kClockStall:
      return "clock_stall";
    case Sight::kClockJump:
      return "clock_jump";
    case Sight::kServerPause:
      return "server_pause";
    case Sight::kInterrupted:
      return "interrupted";
    case Sight::kNoDescriptors:
      return "no_descriptors";
    case Sight::kLane:
      return "lane";
    case Sight::kStuckPath:
      return "stuck_path";
    case Sight::kBusyPath:
      return "busy_path";
    case Sight::kReceivedTrain:
      return "received_train";
    case Sight::kServerStop:
      return "server_stop";
    case Sight::kWrongSteering:
      return "wrong_steering";
    case Sight::kOutboxFull:
      return "outbox_full";
    case Sight::kLetter:
      return "message";
    case Sight::kServerAway:
      return "server_away";
    case Sight::kCreate:
      return "create";
    case Sight::kJoin:
      return "join";
    case Sight::kList:
      return "list";
    case Sight::kLongListReadSlowly:
      return "long_list_read_slowly";
    case Sight::kGreeting:
      return "greeting";
    case Sight::kLeave:
      return "leave";
    case Sight::kHostLeaves:
      return "host_leaves";
    case Sight::kVanish:
      return "vanish";
    case Sight::kRejoin:
      return "rejoin";
    case Sight::kRoam:
      return "roam";
    case Sight::kRoamFar:
      return "roam_far";
    case Sight::kRoamFollowed:
      return "roam_followed";
    case Sight::kPendingBound:
      return "pending_bound";
    case Sight::kSeatTaken:
      return "seat_taken";
    case Sight::kSharedSocket:
      return "shared_socket";
    case Sight::kFlood:
      return "flood";
    case Sight::kAnswerLost:
      return "answer_lost";
    case Sight::kSlowPath:
      return "slow_path";
    case Sight::kGarbage:
      return "garbage";
    case Sight::kCutShort:
      return "cut_short";
    case Sight::kTooLarge:
      return "too_large";
    case Sight::kGuess:
      return "guess";
    case Sight::kStolenToken:
      return "stolen_token";
    case Sight::kForgedSource:
      return "forged_source";
    case Sight::kImpossibleSource:
      return "impossible_source";
    case Sight::kWrongRoom:
      return "wrong_room";
    case Sight::kForgedSender:
      return "forged_sender";
    case Sight::kBadPayload:
      return "bad_payload";
    case Sight::kBadRequest:
      return "bad_request";
    case Sight::kTooLargeFrame:
      return "too_large_frame";
    case Sight::kNameThief:
      return "name_thief";
    case Sight::kTold201:
      return "told_201";
    case Sight::kTold400:
      return "told_400";
    case Sight::kTold401:
      return "told_401";
    case Sight::kTold404:
      return "told_404";
    case Sight::kTold409:
      return "told_409";
    case Sight::kTold413:
      return "told_413";
    case Sight::kTold429Requests:
      return "told_429_requests";
    case Sight::kTold429Rooms:
      return "told_429_rooms";
    case Sight::kTold429Connections:
      return "told_429_connections";
    case Sight::kTold429Passwords:
      return "told_429_passwords";
    case Sight::kTold503Rooms:
      return "told_503_rooms";
    case Sight::kTold503Members:
      return "told_503_members";
    case Sight::kTold503RoomMembers:
      return "told_503_room_members";
    case Sight::kHeardMessage:
      return "heard_message";
    case Sight::kHeardJoined:
      return "heard_joined";
    case Sight::kHeardLeft:
      return "heard_left";
    case Sight::kHeardDisconnected:
      return "heard_disconnected";
    case Sight::kHeardTooFast:
      return "heard_too_fast";
    case Sight::kHeardNotAuthenticated:
      return "heard_not_authenticated";
    case Sight::kFoundServerGone:
      return "found_server_gone";
    case Sight::kHeardAnswer:
      return "heard_answer";
    case Sight::kHeardOwnLife:
      return "heard_own_life";
    case Sight::kFoundUnanswered:
      return "found_unanswered";
    case Sight::kKick:
      return "kick";
    case Sight::kKickNobody:
      return "kick_nobody";
    case Sight::kCloseRoom:
      return "close_room";
    case Sight::kNewLimits:
      return "new_limits";
    case Sight::kOldLimits:
      return "old_limits";
    case Sight::kDrain:
      return "drain";
    case Sight::kHotRestart:
      return "hot_restart";
    case Sight::kTold503Draining:
      return "told_503_draining";
    case Sight::kHeardDraining:
      return "heard_draining";
    case Sight::kNeedsTls:
      return "needs_tls";
    case Sight::kSealedBound:
      return "sealed_bound";
    case Sight::kSealedRoamFollowed:
      return "sealed_roam_followed";
    case Sight::kPathProven:
      return "path_proven";
    case Sight::kLargerPathProven:
      return "larger_path_proven";
    case Sight::kTooLargeForPath:
      return "too_large_for_path";
    case Sight::kSealedSeatTaken:
      return "sealed_seat_taken";
    case Sight::kClientsNextKey:
      return "clients_next_key";
    case Sight::kServersNextKey:
      return "servers_next_key";
    case Sight::kGapAskedFor:
      return "gap_asked_for";
    case Sight::kGapUnasked:
      return "gap_unasked";
    case Sight::kSealedFlood:
      return "sealed_flood";
    case Sight::kSealedVanish:
      return "sealed_vanish";
    case Sight::kSealedLeave:
      return "sealed_leave";
    case Sight::kDelivered:
      return "delivered";
    case Sight::kNotStored:
      return "not_stored";
    case Sight::kDeliveredInGap:
      return "delivered_in_gap";
    case Sight::kSayRefused:
      return "say_refused";
    case Sight::kHeardEntry:
      return "heard_entry";
    case Sight::kHeardHistory:
      return "heard_history";
    case Sight::kHeardGap:
      return "heard_gap";
    case Sight::kHeardClosed:
      return "heard_closed";
    case Sight::kHeardReset:
      return "heard_reset";
    case Sight::kFoundSilent:
      return "found_silent";
    case Sight::kFoundAnswering:
      return "found_answering";
    case Sight::kReplay:
      return "replay";
    case Sight::kChangedOnTheWay:
      return "changed_on_the_way";
    case Sight::kSessionGuess:
      return "session_guess";
    case Sight::kForgedToClient:
      return "forged_to_client";
    case Sight::kReplayToClient:
      return "replay_to_client";
    case Sight::kSayJump:
      return "say_jump";
    case Sight::kBadSay:
      return "bad_say";
    case Sight::kHaveFlood:
      return "have_flood";
    case Sight::kOddHave:
      return "odd_have";
    case Sight::kOddFrame:
      return "odd_frame";
    case Sight::kPacketJump:
      return "packet_jump";
    case Sight::kCount:
      break;
  }
  return "?";
}

std::string_view out_of_reach(Counter counter) {
  switch (counter) {
    case Counter::kConnectionsShed:
      return "it takes more clients than the simulator always has";
    case Counter::kConnectionsNotHandedOver:
    case Counter::kConnectionsTlsOnPlainPort:
    case Counter::kTlsHandshakes:
    case Counter::kTlsHandshakesResumed:
    case Counter::kTlsFailedPlainText:
    case Counter::kTlsFailedOldVersion:
    case Counter::kTlsFailedWrongProtocol:
    case Counter::kTlsFailedPeerRefused:
    case Counter::kTlsFailedEnded:
    case Counter::kTlsFailedGarbage:
    case Counter::kTlsFailedTimedOut:
    case Counter::kTlsFailedOverLimit:
      return "TLS is not simulated: tests/e2e/chatd/tls_test.cpp and its neighbours";
    case Counter::kMembersBanned:
    case Counter::kRequestsBanned:
      return "nobody is banned here: tests/e2e/chatctl/bans_test.cpp";
    default:
      return "";
  }
}

void Coverage::add(const Coverage& other) {
  for (std::size_t i = 0; i < sights_.size(); ++i) sights_[i] += other.sights_[i];
  counters_.add(other.counters_);
}

std::vector<std::string> Coverage::missing() const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < sights_.size(); ++i) {
    if (sights_[i] == 0) names.emplace_back(sight_name(static_cast<Sight>(i)));
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(Counter::kCount); ++i) {
    const auto counter = static_cast<Counter>(i);
    if (counters_[counter] == 0 && out_of_reach(counter).empty()) {
      names.emplace_back(counter_name(counter));
    }
  }
  return names;
}

std::string Coverage::table() const {
  std::string text;
  const auto row = [&text](std::string_view name, std::uint64_t times, std::string_view remark) {
    text.append("  ").append(name).append(name.size() < 28 ? 28 - name.size() : 0, ' ');
    const std::string number = std::to_string(times);
    text.append(number.size() < 14 ? 14 - number.size() : 0, ' ').append(number);
    if (!remark.empty()) text.append("  (").append(remark).append(")");
    text += "\n";
  };
  for (std::size_t i = 0; i < sights_.size(); ++i) {
    row(sight_name(static_cast<Sight>(i)), sights_[i], "");
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(Counter::kCount); ++i) {
    const auto counter = static_cast<Counter>(i);
    row(counter_name(counter), counters_[counter], out_of_reach(counter));
  }
  return text;
}

}  // namespace chatd::sim
