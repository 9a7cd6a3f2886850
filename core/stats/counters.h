// Everything that is worth counting, and above all every reason for which something is dropped.
// Counting is an addition to an array. The core counts what it decides, the server what the kernel
// says.
//
// The ledger, which tests hold: over all accepted messages, the sum of (members - 1)
//     = deliveries_planned + dropped_pending_member + dropped_over_limit + dropped_not_for_v1
// and deliveries_planned = deliveries_sent + deliveries_logged + dropped_queue_full + the sum of
// dropped_send_*, once nothing waits any more.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace chatd {

enum class Counter : std::uint8_t {
  // Datagrams in, each under exactly one of those up to kDroppedMailboxFull.
  kDatagramsReceived,
  kHeartbeats,
  kMessagesAccepted,
  kLeaves,
  kSealedDatagrams,        // protocol v2: opened; its frames are counted below
  kDroppedMalformed,       // the header
  kDroppedTooLarge,        // over kMaxDatagramBytes
  kDroppedUnknownToken,    // guessed, or of a member that is gone
  kDroppedWrongRoom,       // a good token with another room's name
  kDroppedWrongAddress,    // a good token from elsewhere
  kDroppedWrongSender,     // in somebody else's name
  kDroppedBadPayload,      // not one JSON object
  kDroppedUnknownSession,  // guessed, or of a member that is gone
  kDroppedReplayed,        // its number was taken already, or is older than anybody remembers
  kDroppedNotOpened,       // forged, damaged, or sealed under another key
  kDroppedMailboxFull,     // its room's shard could not take it over
  // Not among them: they never came as far.
  kReceiveBufferDrops,  // by the kernel, since the socket's receive buffer was full
  kReceivesPostponed,   // receiving failed: it went on a moment later
  kUnauthenticatedAnswers,
  kUnauthenticatedUnanswered,  // there were enough to this source, or none are wanted now
  kHeartbeatsAnswered,         // among the heartbeats: those that asked for it
  kHeartbeatsUnanswered,       // they asked, but their member was over its rate
  kDatagramsHandedOver,        // came to the wrong shard; counted as received on the right one
  kMessagesSealed,             // among the accepted: of members with protocol v2
  kMessagesOverLimit,          // among the accepted: over their sender's rate, so that nobody has
                               // read them, and they go to nobody
  kOverLimitWarnings,          // told to such a sender
  // What sealed datagrams say; a message that is taken is among the accepted.
  kSaysDuplicate,    // said again, and taken already
  kSaysTooFarAhead,  // a client's number that jumps
  kSaysRefused,      // too long, not what it claims to be; or it found no memory, and then it is
                     // among the accepted. What is over the rate is kMessagesOverLimit
  kHavesTaken,
  kHavesImpossible,     // of another log, or of entries that do not exist
  kPathResponsesWrong,  // an answer to nothing that was asked there
  kFramesUnknown,       // of a type that is not known: the rest of the datagram is not read
  kFramesMalformed,     // cut short, or a number that cannot be
  kLeavesSealed,
  kAnswersOverLimit,  // a member asked, or said what draws an answer, more often than it may
  kResetsSent,        // told a client that its session is not known
  kPathChallenges,    // asked for proof of an address
  kMtuProbesSent,     // asked whether a path takes a datagram of this size
  kMtuProbesAnswered,
  // Datagrams out.
  kDeliveriesPlanned,
  kDeliveriesLogged,  // among them: to members with protocol v2, who ask until they have them
  kDeliveriesSent,
  kDroppedPendingMember,    // its address is not known yet
  kDroppedNotForV1,         // bytes that only members with protocol v2 understand
  kDroppedOverLimit,        // its sender was over its rate
  kDroppedQueueFull,        // its room sent more than went out: the oldest waiting message
  kDroppedSendRefused,      // ICMP said so, again and again
  kDroppedSendTooBig,       // EMSGSIZE
  kDroppedSendUnreachable,  // no route, or an ICMP unreachable
  kDroppedSendNoBuffers,    // ENOBUFS, ENOMEM: the device's queue is full, and a moment later still
  kDroppedSendQueueFull,    // waited behind a full socket until there was no room for more; or its
                            // address's lane was full (server/data/lanes.h)
  kDroppedSendFailed,       // any other error
  kDroppedSendAtStop,       // still queued behind a full socket when chatd ended
  kSendsPostponed,          // the socket was full: sending went on when it was writable
  kTrainsSent,              // datagrams that carried several messages
  kTrainFallbacks,          // destinations that took no trains: each message went alone
  kNoticesSent,
  kNoticesDropped,
  kNoticesOverLimit,  // arrivals and departures that a room was not told: there were too many
  // Logs as members with protocol v2 get them.
  kBundlesSent,      // datagrams
  kBundlesDropped,   // could not be sent, for any of the reasons above: asked for again
  kEntriesBundled,   // entries in them, for each member once
  kEntriesRepaired,  // and those that somebody has asked for again, or has not had before
  kEntriesLost,      // gone before a member has got them: it was told
  kHeadsSent,        // told where a log ends
  // Rooms and members.
  kRoomsCreated,
  kRoomsClosed,
  kMembersJoined,
  kMembersReturned,  // took their own seat again, by its token
  kMembersLeft,
  kMembersTimedOut,
  kMembersRefused,
  kMembersDisconnected,  // with their room, or with chatd itself
  kMembersKicked,        // by an operator
  kMembersBanned,        // with a ban of their name or address
  // Control connections.
  kConnectionsAccepted,
  kConnectionsTimedOut,
  kConnectionsBroken,            // reset by the peer, or by a failure of the system
  kConnectionsTlsOnPlainPort,    // a client that speaks TLS has come to the port that does not
  kConnectionsNotHandedOver,     // encrypted, so that they ended with a hand-over
  kConnectionsOverLimit,         // answered 503
  kConnectionsOverAddressLimit,  // answered 429: too many from one address
  kConnectionsShed,              // closed at once: over the limit by far
  kAcceptsPostponed,             // out of descriptors, or another failure of the system
  // TLS handshakes. A connection to the TLS port ends in one of these, or is one of the failures
  // above later on.
  kTlsHandshakes,
  kTlsHandshakesResumed,    // among them: with a ticket
  kTlsFailedPlainText,      // what came is not TLS: told so in plain text
  kTlsFailedOldVersion,     // the client does not speak TLS 1.3
  kTlsFailedWrongProtocol,  // none of the protocols that it speaks is ours (ALPN)
  kTlsFailedPeerRefused,    // it has sent an alert, for instance since it does not trust us
  kTlsFailedEnded,          // it has hung up, or the connection is broken
  kTlsFailedGarbage,        // anything else that is not as it should be
  kTlsFailedTimedOut,       // not done within the handshake timeout
  kTlsFailedOverLimit,      // the oldest of too many at a time
  kRequestsCompleted,
  kRequestsRefused,
  kRequestsOverLimit,          // among the refused: too many from one address
  kRequestsBanned,             // among the refused: the address or the name is banned
  kPasswordsWrong,             // among the refused
  kPasswordAttemptsOverLimit,  // among the refused: too many wrong ones before, so nobody looked
  kFramesTooLarge,
  kCount,
};

inline constexpr std::size_t kCounterCount = static_cast<std::size_t>(Counter::kCount);

// All that anybody is told about a counter: the log's totals, /status.json, a hand-over, metrics
// and their page in docs/ follow from one table of these. Counters that tell the reasons of one
// thing are one family with a label, so that a dashboard shows a new reason without being told.
struct CounterSpec {
  Counter counter;
  std::string_view name;         // in the log's totals, in snake_case
  std::string_view help;         // in the first row of a family
  std::string_view family = {};  // those of one stand together; empty: it is alone, by its name
  std::string_view label = {};   // of the family
  std::string_view value = {};   // of the label: which of the family it is

  // In Prometheus: chatd_datagrams_dropped_total.
  std::string metric() const;
};

// In the enum's order.
std::span<const CounterSpec> counter_table();

std::string_view counter_name(Counter counter);

class Counters {
 public:
  void add(Counter counter, std::uint64_t amount = 1) { values_[index(counter)] += amount; }
  std::uint64_t operator[](Counter counter) const { return values_[index(counter)]; }
  // Those of another shard, for a sum.
  void add(const Counters& other) {
    for (std::size_t i = 0; i < values_.size(); ++i) values_[i] += other.values_[i];
  }

 private:
  static std::size_t index(Counter counter) { return static_cast<std::size_t>(counter); }
  std::array<std::uint64_t, kCounterCount> values_{};
};

}  // namespace chatd
