// What the model knows about members with protocol v2: what each has shown, has said and was sent.
// As plainly as possible: sets of numbers where the server has windows.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "client/lib/session_info.h"
#include "core/base/endpoint.h"
#include "core/base/time.h"
#include "core/crypto/packet_key.h"
#include "tests/sim/bucket.h"
#include "tests/sim/members.h"
#include "tests/sim/room_log_model.h"

namespace chatd::sim {

struct SealedSession {
  enum class State : std::uint8_t {
    kOpen,
    kRoomEnded,  // it gets the rest, and a word
    kOver,       // nobody knows it any more
  };

  v2::SessionId id;
  Cipher cipher = Cipher::kChaCha20Poly1305;
  v2::ResetToken reset_token{};
  std::uint32_t generation = 0;  // of the server
  std::uint8_t shard = 0;
  State state = State::kOpen;
  MemberNumber member = kNobody;
  std::shared_ptr<RoomLogModel> log;
  std::uint32_t port = kNoPort;  // where it was when its room ended

  // What has come from it.
  PacketKey to_server;
  std::set<std::uint64_t> received;  // the last few packet numbers
  std::uint64_t received_end = 0;    // one more than the newest
  std::set<std::uint64_t> said;      // numbers of SAYs that were taken, or refused
  std::set<std::uint64_t> refused;
  std::set<std::uint64_t> unsure;  // one or the other: there may have been no memory for them
  std::uint64_t newest_say() const { return said.empty() ? 0 : *said.rbegin(); }
  std::uint64_t complete = 0;
  Bucket answers;

  // What has gone to it.
  PacketKey to_client;
  std::uint64_t next_packet = 0;
  std::uint64_t cursor = 0;  // the number of the entry that it is sent next without asking
  std::uint64_t first_readable = 0;
  std::vector<v2::Range> gaps;  // that it was told of
  std::uint64_t bound_at = 0;   // the log's head when it was last found after it was not
  std::uint32_t heads = 0;      // that it was told unasked since something was last said to it

  // An address that it is to prove.
  struct Probe {
    Endpoint endpoint;
    TimeMs asked_at_ms = 0;
    std::optional<std::uint64_t> data;  // once it was seen
  };
  std::optional<Probe> probe;

  // How large its bundles may be, at most: the server may think better of it at any time.
  struct Mtu {
    std::uint64_t mark = 0;         // of the newest probes; 0: there were none
    std::uint32_t probe_bytes = 0;  // their size
    std::uint32_t probes = 0;
    std::uint32_t proven_bytes = 1200;
  };
  Mtu mtu;

  // Of the numbers that may be taken: those above the window's end that were not taken.
  static constexpr std::uint64_t kReplayWindow = 448;
  bool is_new_packet(std::uint64_t number) const {
    if (number >= received_end) return true;
    return received_end - number <= kReplayWindow && !received.contains(number);
  }
  void take_packet(std::uint64_t number) {
    received.insert(number);
    received_end = std::max(received_end, number + 1);
    while (*received.begin() + kReplayWindow < received_end) received.erase(received.begin());
  }
  bool was_told_gone(std::uint64_t number) const {
    for (const v2::Range& gap : gaps) {
      if (gap.first <= number && number <= gap.last) return true;
    }
    return false;
  }
};

class Sessions {
 public:
  // Nothing for one that there never was.
  SealedSession* find(v2::SessionId id) {
    const auto found = by_id_.find(id.value());
    return found == by_id_.end() ? nullptr : found->second;
  }
  // It must be one that there was.
  SealedSession& operator[](v2::SessionId id) { return *by_id_.at(id.value()); }
  SealedSession& add(const client::SessionInfo& info) {
    SealedSession& session = sessions_.emplace_back();
    session.id = info.id;
    session.cipher = info.cipher;
    session.reset_token = info.reset_token;
    session.to_server = PacketKey(info.secret, Direction::kToServer);
    session.to_client = PacketKey(info.secret, Direction::kToClient);
    by_id_[info.id.value()] = &session;
    return session;
  }
  template <class Call>
  void for_each(Call call) {
    for (SealedSession& session : sessions_) call(session);
  }

 private:
  std::deque<SealedSession> sessions_;  // whose places do not move
  std::unordered_map<std::uint64_t, SealedSession*> by_id_;
};

}  // namespace chatd::sim
