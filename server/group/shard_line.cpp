#include "server/group/shard_line.h"

#include <cstddef>
#include <utility>

namespace chatd {

ShardLine::ShardLine(Switchboard& board, std::uint8_t shard, Relay& relay)
    : board_(board), shard_(shard), relay_(relay) {}

bool ShardLine::ask(TimeMs now_ms, const ConnectionId& from, const IpAddress& peer,
                    const FrameView& frame, std::string& reply, Outbox& out) {
  begin();
  const bool is_whole = relay_.on_request(now_ms, from, peer, frame, peers_, reply, out);
  publish();
  return is_whole;
}

void ShardLine::greet(std::string& reply) {
  begin();
  relay_.greet(peers_, reply);
}

void ShardLine::write_lists(TimeMs now_ms) {
  begin();
  relay_.write_lists(now_ms, peers_);
  publish();
}

void ShardLine::on_shard_message(TimeMs now_ms, ShardMessage&& message, Outbox& out) {
  begin();
  relay_.on_shard_message(now_ms, std::move(message), peers_, out);
  publish();
}

void ShardLine::begin() {
  board_.read_figures(peers_.figures);
  peers_.sequence = board_.next_sequence();
  peers_.replies.clear();
}

void ShardLine::publish() {
  if (relay_.roster().version() != published_version_) {
    board_.publish(shard_, relay_.figures());
    published_version_ = relay_.roster().version();
  }
  relay_.post(peers_);
  for (PeerShards::Outgoing& outgoing : peers_.messages) {
    board_.mailbox(outgoing.to).post(Parcel(std::move(outgoing.message)));
  }
  peers_.messages.clear();
}

std::span<ReceivedDatagram> ShardLine::hand_over(std::span<ReceivedDatagram> batch) {
  if (board_.shard_count() == 1) return batch;
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

bool ShardLine::is_elsewhere(const ReceivedDatagram& datagram) const {
  if (!datagram.parsed) return false;
  const std::uint8_t owner = datagram.parsed->token.shard();
  return owner != shard_ && owner < board_.shard_count();
}

void ShardLine::hand_over(const ReceivedDatagram& datagram) {
  Mailbox& owner = board_.mailbox(datagram.parsed->token.shard());
  Counters& counters = relay_.counters();
  if (owner.post(datagram.from, datagram.bytes)) return counters.add(Counter::kDatagramsHandedOver);
  counters.add(Counter::kDatagramsReceived);
  counters.add(Counter::kDroppedMailboxFull);
}

void ShardLine::tell_refusal(const Endpoint& destination) {
  for (std::uint32_t shard = 0; shard < board_.shard_count(); ++shard) {
    if (shard != shard_) board_.mailbox(static_cast<std::uint8_t>(shard)).post_refusal(destination);
  }
}

}  // namespace chatd
