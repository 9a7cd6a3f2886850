#include "server/group/shard_port.h"

#include <cstddef>
#include <utility>

namespace chatd {

ShardPort::ShardPort(ShardGroup& group, std::uint8_t shard, Relay& relay)
    : group_(group), shard_(shard), relay_(relay) {}

bool ShardPort::ask(TimeMs now_ms, const ConnectionId& from, const IpAddress& peer,
                    const FrameView& frame, std::string& reply, Outbox& out) {
  begin();
  const bool is_whole = relay_.on_request(now_ms, from, peer, frame, peers_, reply, out);
  publish();
  return is_whole;
}

void ShardPort::greet(std::string& reply) {
  begin();
  relay_.greet(peers_, reply);
}

void ShardPort::write_lists(TimeMs now_ms) {
  begin();
  relay_.write_lists(now_ms, peers_);
  publish();
}

void ShardPort::on_shard_message(TimeMs now_ms, ShardMessage&& message, Outbox& out) {
  begin();
  relay_.on_shard_message(now_ms, std::move(message), peers_, out);
  publish();
}

void ShardPort::begin() {
  group_.read_figures(peers_.figures);
  peers_.creation_order = group_.next_creation_order();
  peers_.replies.clear();
}

void ShardPort::publish() {
  if (relay_.roster().version() != published_version_) {
    group_.publish(shard_, relay_.figures());
    published_version_ = relay_.roster().version();
  }
  relay_.post(peers_);
  for (PeerShards::Outgoing& outgoing : peers_.messages) {
    group_.mailbox(outgoing.to).post(Envelope(std::move(outgoing.message)));
  }
  peers_.messages.clear();
}

std::span<ReceivedDatagram> ShardPort::hand_over(std::span<ReceivedDatagram> batch) {
  if (group_.shard_count() == 1) return batch;
  std::size_t left = 0;
  for (ReceivedDatagram& datagram : batch) {
    if (is_elsewhere(datagram)) {
      hand_over(datagram);
    } else if (ReceivedDatagram& place = batch[left++]; &place != &datagram) {
      place = datagram;
    }
  }
  return batch.first(left);
}

bool ShardPort::is_elsewhere(const ReceivedDatagram& datagram) const {
  const auto owner = datagram.shard();
  return owner && *owner != shard_ && *owner < group_.shard_count();
}

void ShardPort::hand_over(const ReceivedDatagram& datagram) {
  Mailbox& owner = group_.mailbox(*datagram.shard());
  Counters& counters = relay_.counters();
  if (owner.post(datagram.from, datagram.bytes)) return counters.add(Counter::kDatagramsHandedOver);
  counters.add(Counter::kDatagramsReceived);
  counters.add(Counter::kDroppedMailboxFull);
}

void ShardPort::tell_refusal(const Endpoint& destination) {
  for (std::uint32_t shard = 0; shard < group_.shard_count(); ++shard) {
    if (shard != shard_) group_.mailbox(static_cast<std::uint8_t>(shard)).post_refusal(destination);
  }
}

}  // namespace chatd
