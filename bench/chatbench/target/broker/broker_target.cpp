#include "bench/chatbench/target/broker/broker_target.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "bench/chatbench/workload/payload.h"

namespace chatd::bench {
namespace {

using Kind = BrokerItem::Kind;
using Role = BrokerCodec::Role;

constexpr std::size_t kBrokerReadBytes = 64 * 1024;
constexpr std::size_t kArenaBytes = 16 * kBrokerReadBytes;
constexpr int kMaxBrokerEvents = 128;
// What may wait for a broker that takes nothing, in all, before messages are lost for it.
constexpr std::size_t kMaxPendingBytes = std::size_t{256} * 1024 * 1024;
// The beginning of one item: a message has a few thousand bytes.
constexpr std::size_t kMaxUnreadBytes = std::size_t{1} * 1024 * 1024;
constexpr int kMaxEmptyReads = 64;

static_assert(kBrokerReadBytes >= kMaxTlsRecordBytes);

}  // namespace

BrokerTarget::BrokerTarget(TargetConfig config, std::unique_ptr<BrokerCodec> codec)
    : config_(std::move(config)), codec_(std::move(codec)), arena_(kArenaBytes) {}

Role BrokerTarget::role_of(std::uint32_t member) const {
  const Population& population = config_.population;
  const std::uint32_t number = member % population.members_per_room;
  if (number >= population.senders_per_room) return Role::kSubscriber;
  const bool is_alone = population.senders_per_room == 1 && !codec_->can_exclude_sender();
  return is_alone ? Role::kPublisher : Role::kBoth;
}

// --- Sending -------------------------------------------------------------------------------------

void BrokerTarget::queue(std::uint32_t member, std::string_view payload) {
  Connection& connection = connections_[member];
  if (connection.is_lost || pending_bytes_ > kMaxPendingBytes) return;  // and so is the message
  const std::size_t before = connection.unsent.size();
  codec_->publish(room_names_[config_.population.room_of(member)], payload, connection.unsent);
  pending_bytes_ += connection.unsent.size() - before;
  if (std::exchange(connection.is_queued, true)) return;
  to_flush_.push_back(member);
}

void BrokerTarget::flush() {
  for (const std::uint32_t member : to_flush_) {
    connections_[member].is_queued = false;
    if (connections_[member].awaited == Awaited::kNothing) write(member);
  }
  to_flush_.clear();
}

// What the kernel does not take waits for epoll.
void BrokerTarget::write(std::uint32_t member) {
  Connection& connection = connections_[member];
  while (connection.sent_bytes < connection.unsent.size()) {
    const StreamResult result =
        connection.stream.send(std::string_view(connection.unsent).substr(connection.sent_bytes));
    switch (result.state) {
      case StreamState::kMoved:
        take_off(connection, result.size_bytes);
        break;
      case StreamState::kWaitsForRoom:
        return await(member, Awaited::kRoom);
      case StreamState::kWaitsForInput:
        return await(member, Awaited::kInput);
      case StreamState::kEnded:
        return lose(member, result.reason);
    }
  }
  await(member, Awaited::kNothing);
}

// What was sent, from the front; moved up only now and then.
void BrokerTarget::take_off(Connection& connection, std::size_t sent_bytes) {
  pending_bytes_ -= sent_bytes;
  connection.sent_bytes += sent_bytes;
  const std::size_t left = connection.unsent.size() - connection.sent_bytes;
  if (left > connection.sent_bytes) return;
  connection.unsent.erase(0, connection.sent_bytes);
  connection.sent_bytes = 0;
}

// --- Receiving -----------------------------------------------------------------------------------

void BrokerTarget::receive(std::vector<Delivery>& out) {
  arena_used_ = 0;
  const std::size_t before = out.size();
  // Half an item, or an answer to a publisher, is not a delivery, but one may follow it.
  for (int i = 0; i < kMaxEmptyReads && out.size() == before && read_some(out, 0); ++i) {
  }
}

bool BrokerTarget::read_some(std::vector<Delivery>& out, int timeout_ms) {
  std::array<epoll_event, kMaxBrokerEvents> events;
  const int count = ::epoll_wait(epoll_.get(), events.data(), kMaxBrokerEvents, timeout_ms);
  bool did_something = false;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    const std::uint32_t member = event.data.u32;
    if ((event.events & EPOLLOUT) != 0) write(member);
    if ((event.events & ~EPOLLOUT) == 0 || connections_[member].is_lost) continue;
    // The rest is still readable the next time (level-triggered); epoll begins where it stopped.
    const std::size_t needed = kBrokerReadBytes + connections_[member].unread.size();
    if (arena_.size() - arena_used_ < needed) {
      if (arena_used_ > 0) break;
      arena_.resize(needed);
    }
    read(member, out);
    if (connections_[member].awaited == Awaited::kInput) write(member);
    did_something = true;
  }
  return did_something;
}

void BrokerTarget::read(std::uint32_t member, std::vector<Delivery>& out) {
  Connection& connection = connections_[member];
  char* const begin = arena_.data() + arena_used_;
  const std::size_t kept_bytes = connection.unread.size();
  std::copy(connection.unread.begin(), connection.unread.end(), begin);
  const StreamResult got = connection.stream.receive(begin + kept_bytes, kBrokerReadBytes);
  if (got.state == StreamState::kEnded) return lose(member, got.reason);
  if (got.size_bytes == 0) return;

  const std::string_view bytes(begin, kept_bytes + got.size_bytes);
  arena_used_ += bytes.size();
  if (connection.awaited == Awaited::kGreeting) return take_greeting(member, bytes);
  const std::size_t used = take_items(member, bytes, out);
  if (connection.is_lost) return;
  if (bytes.size() - used > kMaxUnreadBytes) return lose(member, "it sends what has no end");
  connection.unread.assign(bytes.substr(used));
}

// Behind the greeting the broker says nothing before TLS begins, with our side's first word.
void BrokerTarget::take_greeting(std::uint32_t member, std::string_view bytes) {
  Connection& connection = connections_[member];
  const BrokerItem item = codec_->next_item(bytes);
  if (item.kind == Kind::kError) return lose(member, item.text);
  if (item.kind == Kind::kIncomplete && bytes.size() <= kMaxUnreadBytes) {
    connection.unread.assign(bytes);
    return;
  }
  connection.unread.clear();
  if (item.size_bytes != bytes.size()) return lose(member, "it does not begin TLS");
  if (auto started = connection.stream.start_tls(*tls_); !started) {
    return lose(member, started.error());
  }
  write(member);
}

// How many bytes were whole items.
std::size_t BrokerTarget::take_items(std::uint32_t member, std::string_view bytes,
                                     std::vector<Delivery>& out) {
  Connection& connection = connections_[member];
  std::size_t used = 0;
  for (;;) {
    const BrokerItem item = codec_->next_item(bytes.substr(used));
    switch (item.kind) {
      case Kind::kIncomplete:
        return used;
      case Kind::kIgnored:
        break;
      case Kind::kReady:
        connection.has_answered = true;
        if (!std::exchange(connection.is_ready, true)) ++ready_;
        break;
      case Kind::kMessage:
        take_message(member, item.text, out);
        break;
      case Kind::kPing:
        connection.unsent.append(codec_->pong());
        pending_bytes_ += codec_->pong().size();
        if (connection.awaited == Awaited::kNothing) write(member);
        break;
      case Kind::kError:
        connection.has_answered = true;
        lose(member, item.text);
        return used;
    }
    used += item.size_bytes;
  }
}

void BrokerTarget::take_message(std::uint32_t member, std::string_view payload,
                                std::vector<Delivery>& out) {
  if (!codec_->can_exclude_sender() && payload.size() >= kMinPayloadBytes) {
    NameWord sender = 0;
    std::memcpy(&sender, payload.data() + kNameAt, sizeof sender);
    if (sender == connections_[member].own_name) return;
  }
  out.push_back({.member = member, .payload = payload});
}

void BrokerTarget::lose(std::uint32_t member, std::string_view why) {
  Connection& connection = connections_[member];
  last_trouble_ = why;
  connection.is_lost = true;
  connection.awaited = Awaited::kNothing;
  connection.stream = {};
  connection.unread = {};
  pending_bytes_ -= connection.unsent.size() - connection.sent_bytes;
  connection.unsent = {};
  connection.sent_bytes = 0;
  if (member < config_.population.members()) ++members_lost_;
}

void BrokerTarget::disconnect() {
  connections_.clear();
  to_flush_.clear();
}

}  // namespace chatd::bench
