// What a call of the control plane may use besides what it is about: the time, what is known of the
// other shards, and where its effects go. Thread: that of the call.
#pragma once

#include "core/base/time.h"
#include "core/control/peer_shards.h"
#include "core/room/outbox.h"

namespace chatd {

struct Context {
  TimeMs now_ms;
  PeerShards& peers;  // in: their figures; out: messages to them, and answers that had to wait
  Outbox& out;        // out: datagrams
};

}  // namespace chatd
