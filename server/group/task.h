// A task: what another thread wants asked or done on a shard's own thread, between two steps of
// its turn, where nobody else touches the relay.
//
// So an operator's questions (counters, rooms, members) and orders (new limits, a room to be
// closed) need no lock and no atomic in anything that a message passes: nothing is paid until
// somebody asks, and then a wake-up and a copy. Tasks come by way of the mailbox, like shard
// messages (server/group/run_on_shards.h sends them). They must be short: the shard's members wait
// meanwhile.
#pragma once

#include <functional>

#include "core/base/time.h"

namespace chatd {

class Outbox;
class Relay;

// Where a task is done. What `out` gets is sent in the same turn.
struct TaskContext {
  TimeMs now_ms;
  Relay& relay;
  Outbox& out;
};

using Task = std::function<void(const TaskContext&)>;

}  // namespace chatd
