#include "server/shard/mailbox_drain.h"

#include <utility>
#include <variant>

#include "core/wire/received_datagram.h"

namespace chatd {

void MailboxDrain::drain_messages(TimeMs now_ms, Outbox& out) {
  empty_mailbox();
  for (; next_refusal_ < mail_.refusals.size() && !out.is_full(); ++next_refusal_) {
    relay_.on_unreachable(now_ms, mail_.refusals[next_refusal_], out);
  }
  for (std::size_t i = 0; i < kMaxEnvelopesPerTurn; ++i) {
    if (next_envelope_ == mail_.envelopes.size() || out.is_full()) return;
    Envelope& envelope = mail_.envelopes[next_envelope_++];
    if (auto* const connection = std::get_if<HandedConnection>(&envelope)) {
      control_.adopt(now_ms, std::move(*connection));
      continue;
    }
    if (const auto* const task = std::get_if<Task>(&envelope)) {
      (*task)(TaskContext{now_ms, relay_, out});
      continue;
    }
    port_.on_shard_message(now_ms, std::get<ShardMessage>(std::move(envelope)), out);
    for (const PeerShards::Reply& reply : port_.replies()) control_.deliver(now_ms, reply);
  }
}

void MailboxDrain::receive_misrouted(TimeMs now_ms, Outbox& out) {
  while (next_misrouted_ < mail_.misrouted.misrouted().size() && !out.is_full()) {
    const MisroutedBatch::Misrouted& misrouted = mail_.misrouted.misrouted()[next_misrouted_];
    const ReceivedDatagram datagram = parse_received(misrouted.from, misrouted.bytes);
    next_misrouted_ += relay_.on_datagrams(now_ms, {&datagram, 1}, out);
  }
}

bool MailboxDrain::is_done() const {
  return next_envelope_ == mail_.envelopes.size() &&
         next_misrouted_ == mail_.misrouted.misrouted().size() &&
         next_refusal_ == mail_.refusals.size();
}

// Only when all that was taken out before is dealt with.
void MailboxDrain::empty_mailbox() {
  if (!may_have_more_ || !is_done()) return;
  may_have_more_ = false;
  mail_.clear();
  next_envelope_ = 0;
  next_misrouted_ = 0;
  next_refusal_ = 0;
  port_.mailbox().take(mail_);
}

}  // namespace chatd
