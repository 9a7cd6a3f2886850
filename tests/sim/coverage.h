// What has been seen to happen. A fault that never strikes and a drop that never occurs are not
// tested, whatever the simulator could do in principle: sim_test.cpp demands that each of these,
// and each counter that the simulated parts can raise, occurs among its seeds.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/stats/counters.h"

namespace chatd::sim {

enum class Sight : std::uint8_t {
  // The network.
  kLoss,
  kDuplication,
  kReordering,
  kDelay,
  kPartition,
  kIcmpToServer,
  kIcmpToClient,
  kIcmpLost,
  // The server's machine.
  kClockStall,
  kClockJump,
  kServerPause,
  kInterrupted,    // a wait
  kNoDescriptors,  // for a connection
  kLane,
  kStuckPath,
  kBusyPath,
  kReceivedTrain,
  kServerStop,
  kWrongSteering,
  kOutboxFull,  // while members expire
  kLetter,      // between shards
  kServerAway,  // or cut off, when somebody asked
  // The operator.
  kKick,
  kKickNobody,
  kCloseRoom,
  kNewLimits,
  kOldLimits,  // and back
  kDrain,
  kHotRestart,
  // Clients.
  kCreate,
  kJoin,
  kList,
  kLongListReadSlowly,
  kGreeting,
  kLeave,
  kHostLeaves,
  kVanish,
  kRejoin,
  kRoam,          // to another port
  kRoamFar,       // to another host
  kRoamFollowed,  // and the server followed
  kPendingBound,  // by its first datagram
  kSeatTaken,     // by its token
  kSharedSocket,  // two members at one endpoint
  kFlood,
  kAnswerLost,  // the connection broke
  kSlowPath,    // an answer came in pieces
  // Attackers.
  kGarbage,
  kCutShort,
  kTooLarge,
  kGuess,             // a token for a member's slot
  kStolenToken,       // another's token, from one's own address
  kForgedSource,      // one's own or no token, from another's address
  kImpossibleSource,  // multicast, broadcast, port 0, the server's own socket
  kWrongRoom,
  kForgedSender,
  kBadPayload,
  kBadRequest,
  kTooLargeFrame,
  kNameThief,  // asks for a name that is taken
  // What a client was told.
  kTold201,
  kTold400,
  kTold401,
  kTold404,
  kTold409,
  kTold413,
  kTold429Requests,
  kTold429Rooms,
  kTold429Connections,
  kTold429Passwords,
  kTold503Rooms,
  kTold503Members,
  kTold503RoomMembers,
  kTold503Draining,
  kHeardMessage,
  kHeardJoined,
  kHeardLeft,
  kHeardDisconnected,
  kHeardTooFast,
  kHeardDraining,
  kHeardNotAuthenticated,
  kFoundServerGone,
  kHeardAnswer,      // to a heartbeat
  kHeardOwnLife,     // and so did not believe that it was removed, or not known
  kFoundUnanswered,  // heartbeats
  // Protocol v2.
  kNeedsTls,  // protocol v2, and the connection has none
  kSealedBound,
  kSealedRoamFollowed,
  kPathProven,
  kLargerPathProven,
  kTooLargeForPath,
  kSealedSeatTaken,
  kClientsNextKey,
  kServersNextKey,
  kGapAskedFor,
  kGapUnasked,
  kSealedFlood,
  kSealedVanish,
  kSealedLeave,
  kDelivered,       // what a client has said, as it was told
  kDeliveredInGap,  // without its number
  kSayRefused,
  kNotStored,  // since there was no memory for it
  kHeardEntry,
  kHeardHistory,
  kHeardGap,
  kHeardClosed,
  kHeardReset,
  kFoundSilent,
  kFoundAnswering,
  kReplay,
  kChangedOnTheWay,
  kSessionGuess,
  kForgedToClient,
  kReplayToClient,
  kSayJump,
  kBadSay,
  kHaveFlood,
  kOddHave,
  kOddFrame,
  kPacketJump,
  kCount,
};

std::string_view sight_name(Sight sight);

class Coverage {
 public:
  void saw(Sight sight) { ++sights_[static_cast<std::size_t>(sight)]; }
  void add(const Counters& counters) { counters_.add(counters); }
  void add(const Coverage& other);

  // The names of all that should have been seen and was not.
  std::vector<std::string> missing() const;
  // A line for each.
  std::string table() const;

 private:
  std::array<std::uint64_t, static_cast<std::size_t>(Sight::kCount)> sights_{};
  Counters counters_;
};

// Why the simulator cannot raise this counter; empty when it can.
std::string_view out_of_reach(Counter counter);

}  // namespace chatd::sim
