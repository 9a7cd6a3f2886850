// What other shards have sent, in bounded shares: the mailbox is emptied at once, and what was in
// it is dealt with turn by turn, like everything else that a shard has to do. Thread: the shard's.
#pragma once

#include <cstddef>
#include <vector>

#include "core/base/time.h"
#include "core/relay/relay.h"
#include "core/room/outbox.h"
#include "server/control/control_plane.h"
#include "server/group/mailbox.h"
#include "server/group/shard_port.h"

namespace chatd {

class MailboxDrain {
 public:
  MailboxDrain(ShardPort& port, Relay& relay, ControlPlane& control)
      : port_(port), relay_(relay), control_(control), mail_(port.mailbox().max_misrouted()) {}

  // Whether anything is there, also if its event has not been seen yet.
  bool look() {
    may_have_more_ = true;
    empty_mailbox();
    return !is_done();
  }

  // The mailbox's event.
  void on_event() { may_have_more_ = true; }
  bool has_work() const { return may_have_more_ || !is_done(); }

  // Opens shard messages, takes connections over, does tasks, hears of refusals.
  void drain_messages(TimeMs now_ms, Outbox& out);
  // Datagrams that came to other shards.
  void receive_misrouted(TimeMs now_ms, Outbox& out);

 private:
  static constexpr std::size_t kMaxEnvelopesPerTurn = 256;

  void empty_mailbox();

  ShardPort& port_;
  Relay& relay_;
  ControlPlane& control_;
  bool may_have_more_ = false;
  bool is_done() const;

  Mail mail_;  // taken out of the mailbox, and dealt with as far as these say
  std::size_t next_envelope_ = 0;
  std::size_t next_misrouted_ = 0;
  std::size_t next_refusal_ = 0;
};

}  // namespace chatd
