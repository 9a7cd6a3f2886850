#include "server/shard/inbox.h"

#include <utility>
#include <variant>

#include "core/wire/v1/datagram.h"

namespace chatd {

void Inbox::drain_messages(TimeMs now_ms, Outbox& out) {
  empty_mailbox();
  for (; next_refusal_ < mail_.refusals.size() && !out.is_full(); ++next_refusal_) {
    relay_.on_refused(now_ms, mail_.refusals[next_refusal_], out);
  }
  for (std::size_t i = 0; i < kMaxParcelsPerTurn; ++i) {
    if (next_parcel_ == mail_.parcels.size() || out.is_full()) return;
    Parcel& parcel = mail_.parcels[next_parcel_++];
    if (auto* const connection = std::get_if<HandedConnection>(&parcel)) {
      control_.adopt(now_ms, std::move(*connection));
      continue;
    }
    if (const auto* const errand = std::get_if<Errand>(&parcel)) {
      (*errand)(ErrandSite{now_ms, relay_, out});
      continue;
    }
    line_.on_shard_message(now_ms, std::get<ShardMessage>(std::move(parcel)), out);
    for (const PeerShards::Reply& reply : line_.replies()) control_.deliver(now_ms, reply);
  }
}

void Inbox::receive_strays(TimeMs now_ms, Outbox& out) {
  while (next_stray_ < mail_.strays.strays().size() && !out.is_full()) {
    const StrayBatch::Stray& stray = mail_.strays.strays()[next_stray_];
    const ReceivedDatagram datagram{stray.from, stray.bytes, parse_client_datagram(stray.bytes)};
    next_stray_ += relay_.on_datagrams(now_ms, {&datagram, 1}, out);
  }
}

bool Inbox::is_done() const {
  return next_parcel_ == mail_.parcels.size() && next_stray_ == mail_.strays.strays().size() &&
         next_refusal_ == mail_.refusals.size();
}

// Only when all that was taken out before is dealt with.
void Inbox::empty_mailbox() {
  if (!may_have_more_ || !is_done()) return;
  may_have_more_ = false;
  mail_.clear();
  next_parcel_ = 0;
  next_stray_ = 0;
  next_refusal_ = 0;
  line_.mailbox().take(mail_);
}

}  // namespace chatd
