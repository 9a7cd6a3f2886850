// The side of a request that is the room's: create it, or let somebody in. Runs on the shard that
// owns the room. Thread: one at a time.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/limits.h"
#include "core/random/random_stream.h"
#include "core/relay/admission.h"
#include "core/relay/membership.h"
#include "core/relay/outbox.h"
#include "core/relay/roster.h"
#include "core/shards/neighbours.h"

namespace chatd {

class Admissions {
 public:
  Admissions(const Limits& limits, std::uint8_t shard, Roster& roster, Membership& membership,
             RandomStream& random);

  // Notices to the room go to `out`.
  AdmissionOutcome decide(TimeMs now_ms, const Neighbours& neighbours, AdmissionRequest request,
                          Outbox& out);

 private:
  // What all shards have together.
  struct Total {
    std::uint64_t rooms;
    std::uint64_t members;
  };

  Admission create(TimeMs now_ms, const Neighbours& neighbours, AdmissionRequest& request,
                   Outbox& out);
  Admission join(TimeMs now_ms, const Neighbours& neighbours, AdmissionRequest& request,
                 Outbox& out);
  Token enter(TimeMs now_ms, std::uint32_t room, AdmissionRequest& request, Outbox& out);
  Total total(const Neighbours& neighbours) const;

  const Limits& limits_;
  std::uint8_t shard_;
  Roster& roster_;
  Membership& membership_;
  RandomStream& random_;
};

}  // namespace chatd
