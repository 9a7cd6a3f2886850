// What comes from members with protocol v2: a datagram is opened, and its frames are dealt with one
// after the other (core/wire/v2/frames.h).
//
// Whatever does not open changes nothing, allocates nothing and is answered by nothing; only a
// session that is not known here, or no more, is answered by a reset, so that nobody listens in
// vain: shorter than what it answers, and not often to one address.
//
// What a datagram says twice, or may not say, is answered as well, for the member would say it
// again and again: but whatever a datagram holds, it draws one such answer, and a member gets only
// so many a second. So nobody can make the server send more than it reads.
//
// Thread: one at a time. Nothing is allocated for a datagram.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/endpoint.h"
#include "core/base/limits.h"
#include "core/base/random_stream.h"
#include "core/base/time.h"
#include "core/crypto/packet_key.h"
#include "core/crypto/reset_key.h"
#include "core/ratelimit/source_answers.h"
#include "core/room/dispatcher.h"
#include "core/room/membership.h"
#include "core/room/outbox.h"
#include "core/room/roster.h"
#include "core/stats/counters.h"
#include "core/wire/v2/datagram.h"
#include "core/wire/v2/frames.h"

namespace chatd {

class SessionHandler {
 public:
  SessionHandler(const Limits& limits, const LocalEndpoints& local_endpoints, Roster& roster,
                 Membership& membership, Dispatcher& dispatcher, Counters& counters,
                 SourceAnswers& answers, const ResetKey& reset_key, RandomStream& random);

  // `bytes` is the whole datagram, at most kMaxDatagramBytes long.
  void on_datagram(TimeMs now_ms, const Endpoint& from, const v2::Datagram& datagram, Outbox& out);

 private:
  // Of the member whose datagram is being read.
  struct Sender {
    TimeMs now_ms;
    const Endpoint& from;
    std::uint32_t slot;
    Outbox& out;
  };
  // What the member is told when its datagram has been read: HEAD, and behind it REFUSED and TAKEN,
  // for as much as there is room for (what it does not hear of it says again).
  struct Answer {
    static constexpr std::size_t kHeadBytes = v2::kMaxSmallFrameBytes;  // room for HEAD

    bool wants_head = false;
    bool has_repaired = false;
    bool is_paid = false;  // by Session::take_answer()
    std::size_t size_bytes = kHeadBytes;
    std::array<char, v2::kMaxBundlePlainBytes> frames;
  };

  std::uint32_t find(v2::SessionId session) const;
  // The frames; empty: it does not open, or not again, which is counted.
  std::string_view open(Session& session, const v2::Datagram& datagram);
  void accept_address(const Sender& sender, Session& session, bool is_newest);
  void challenge(const Sender& sender, Session& session);
  void read_frames(const Sender& sender, std::string_view plain);

  // Whether the member is still there after it.
  bool take(const Sender& sender, const v2::Say& say);
  bool take(const Sender& sender, const v2::Have& have);
  bool take(const Sender& sender, const v2::Leave& leave);
  bool take(const Sender& sender, const v2::PathResponse& response);

  void accept(const Sender& sender, const v2::Say& say);
  static bool is_sound(const v2::Say& say);
  static std::optional<v2::RefusalReason> fault_of(const v2::Say& say);
  // For good: if it is said again, it is refused again.
  void refuse(const Sender& sender, const v2::Say& say, v2::RefusalReason reason);
  void add_refusal(std::uint64_t client_number, v2::RefusalReason reason);
  void add_to_answer(const auto& frame);
  std::string_view put_head_before(std::string_view frames, const v2::Head& head);
  bool may_answer(const Sender& sender);
  void send_answer(const Sender& sender);
  void answer_unknown(TimeMs now_ms, const Endpoint& from, const v2::Datagram& datagram,
                      Outbox& out);

  const Limits& limits_;
  const LocalEndpoints& own_sockets_;
  Roster& roster_;
  Membership& membership_;
  Dispatcher& dispatcher_;
  Counters& counters_;
  SourceAnswers& answers_;
  const ResetKey& reset_key_;
  RandomStream& random_;
  std::array<char, kMaxDatagramBytes> plain_;
  Answer answer_;
};

}  // namespace chatd
