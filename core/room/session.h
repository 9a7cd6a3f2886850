// What the server keeps for a member with protocol v2 beside what it keeps for every member: how
// its datagrams are sealed and opened, what of it was taken already, and what it has got.
#pragma once

#include <cstdint>

#include "core/base/endpoint.h"
#include "core/base/time.h"
#include "core/crypto/packet_key.h"
#include "core/crypto/replay_window.h"
#include "core/ratelimit/token_bucket.h"
#include "core/room/mtu_search.h"
#include "core/wire/v2/datagram.h"

namespace chatd {

// Which of a client's numbers were taken (or refused: that is final as well), so that what it says
// twice is heard once, and refused again if it was: the first refusal may have been lost. A client
// has at most kSize of them under way, and begins with 1.
class SayWindow {
 public:
  static constexpr std::uint64_t kSize = 64;

  enum class Result : std::uint8_t { kNew, kTaken, kRefused, kTooFarBehind, kTooFarAhead };
  // Takes the number if it is new.
  Result take(std::uint64_t number) {
    if (number > newest_) {
      const std::uint64_t ahead = number - newest_;
      // What lies between has to be under way still.
      if (ahead > kSize) return Result::kTooFarAhead;
      taken_ = ahead == kSize ? 1 : taken_ << ahead | 1;
      refused_ = ahead == kSize ? 0 : refused_ << ahead;
      newest_ = number;
      return Result::kNew;
    }
    const std::uint64_t back = newest_ - number;
    if (back >= kSize) return Result::kTooFarBehind;
    if ((refused_ >> back & 1) != 0) return Result::kRefused;
    if ((taken_ >> back & 1) != 0) return Result::kTaken;
    taken_ |= std::uint64_t{1} << back;
    return Result::kNew;
  }
  // A number that was taken becomes no entry.
  void refuse(std::uint64_t number) {
    if (newest_ - number < kSize) refused_ |= std::uint64_t{1} << (newest_ - number);
  }

  std::uint64_t newest() const { return newest_; }
  std::uint64_t taken() const { return taken_; }
  std::uint64_t refused() const { return refused_; }
  void restore(std::uint64_t newest, std::uint64_t taken, std::uint64_t refused) {
    newest_ = newest;
    taken_ = taken;
    refused_ = refused;
  }

 private:
  std::uint64_t newest_ = 0;
  std::uint64_t taken_ = ~std::uint64_t{0};  // bit n: newest_ - n; before 1 there is nothing
  std::uint64_t refused_ = 0;
};

// An address that a client's datagrams come from and that is not proven to be its own.
struct PathProbe {
  Endpoint endpoint;  // port 0: there is none
  std::uint64_t data = 0;
  TimeMs sent_at_ms = 0;
};

struct Session {
  // Whether the member may be answered once more: what it asks for, and what it says twice or may
  // not say, draws datagrams that nobody else sees. `now_ms` is the relay's.
  bool take_answer(TimeMs now_ms) {
    constexpr TokenRate kRate{.units = 100, .burst_ms = 500};
    return answers.take(now_ms, kRate);
  }

  v2::SessionId id;
  Cipher cipher = Cipher::kChaCha20Poly1305;
  std::uint8_t heads_sent = 0;       // since something was last said in the room
  std::uint8_t losses = 0;           // above 0: its path has lost something lately
  std::uint8_t have_interval_s = 1;  // that it knows
  PacketKey send_key;
  PacketKey receive_key;
  std::uint64_t next_packet = 0;
  ReplayWindow received;
  SayWindow says;
  std::uint64_t complete = 0;        // it has said that nothing is missing up to this number
  std::uint64_t first_readable = 0;  // entries before are not for it
  TokenBucket answers;
  PathProbe probe;
  MtuSearch mtu;  // of the path that it is bound to
};
// What a member with protocol v2 costs beyond one with v1.
static_assert(sizeof(Session) <= 384);

}  // namespace chatd
