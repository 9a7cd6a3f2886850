#include "bench/chatbench/target/chatd/chatd_v2_target.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "bench/chatbench/target/chatd/notice.h"
#include "client/net/wait.h"
#include "core/wire/v1/datagram.h"

namespace chatd::bench {
namespace {

// Members whose deadlines are looked at in one call of maintain().
constexpr std::uint32_t kDeadlinesPerTurn = 512;

}  // namespace

ChatdV2Target::ChatdV2Target(TargetConfig config, Rooms rooms)
    : config_(std::move(config)),
      rooms_(rooms),
      room_stem_("bench-" + std::to_string(::getpid()) + "-" + std::to_string(client::now_ms()) +
                 "-") {}

bool ChatdV2Target::speaks_v1(std::uint32_t member) const {
  return rooms_ == Rooms::kMixed && member % config_.population.members_per_room % 2 == 0;
}

std::string ChatdV2Target::room_name(std::uint32_t member) const {
  return room_stem_ + std::to_string(config_.population.room_of(member));
}

void ChatdV2Target::mark(std::uint32_t member) {
  if (std::exchange(members_[member].is_dirty, true)) return;
  dirty_.push_back(member);
}

void ChatdV2Target::queue(std::uint32_t member, std::string_view payload) {
  if (speaks_v1(member)) return queue_v1(member, payload);
  members_[member].session->say(static_cast<TimeMs>(client::now_ms()), payload);
  mark(member);
}

void ChatdV2Target::queue_v1(std::uint32_t member, std::string_view payload) {
  head_.clear();
  append_client_datagram(head_, room_name(member), members_[member].token, "");
  sockets_->queue(member, head_, payload);
}

void ChatdV2Target::flush() {
  for (const std::uint32_t member : dirty_) send_from(member);
  dirty_.clear();
  sockets_->flush();
}

void ChatdV2Target::send_from(std::uint32_t member) {
  members_[member].is_dirty = false;
  const auto now_ms = static_cast<TimeMs>(client::now_ms());
  while (const auto datagram = members_[member].session->next_datagram(now_ms)) {
    sockets_->queue(member, *datagram, "");
  }
}

void ChatdV2Target::receive(std::vector<Delivery>& out) {
  texts_.clear();
  const std::size_t before = out.size();
  const auto now_ms = static_cast<TimeMs>(client::now_ms());
  sockets_->receive([&](std::uint32_t member, std::string_view datagram) {
    if (speaks_v1(member)) return take_v1(member, datagram, out);
    client::LogSession* const session = members_[member].session.get();
    if (session == nullptr || !session->on_datagram(now_ms, datagram)) return;
    take_events(member, out);
    mark(member);
  });
  // The texts have moved as they became more.
  for (std::size_t i = before; i < out.size(); ++i) out[i].payload = texts_[i - before];
  flush();
}

void ChatdV2Target::deliver(std::uint32_t member, std::string text, std::vector<Delivery>& out) {
  texts_.push_back(std::move(text));
  out.push_back({.member = member, .payload = {}});
}

void ChatdV2Target::take_v1(std::uint32_t member, std::string_view datagram,
                            std::vector<Delivery>& out) {
  const std::string_view payload = datagram.substr(std::min(datagram.size(), kServerPrefix.size()));
  const Notice notice = notice_of(payload);
  if (notice == Notice::kNone) return deliver(member, std::string(payload), out);
  if (notice == Notice::kTooFast) ++warnings_;
  if (notice == Notice::kRemoved || notice == Notice::kUnknown) ++members_lost_;
}

void ChatdV2Target::take_events(std::uint32_t member, std::vector<Delivery>& out) {
  using EventKind = client::LogEvent::Kind;
  while (auto event = members_[member].session->next_event()) {
    switch (event->kind) {
      case EventKind::kSaid:
        if (event->id != 0) break;  // its own
        deliver(member, std::move(event->text), out);
        break;
      case EventKind::kRefused:
        ++warnings_;
        break;
      case EventKind::kClosed:
      case EventKind::kUnknown:
        ++members_lost_;
        break;
      default:
        break;
    }
  }
}

std::optional<client::Address> ChatdV2Target::server_udp_address() const {
  return udp_;
}

// Who only listens has to be heard now and then.
void ChatdV2Target::beat_v1(std::uint32_t member, TimeMs now_ms) {
  TimeMs& beat_at_ms = members_[member].beat_at_ms;
  if (now_ms < beat_at_ms) return;
  queue_v1(member, "");
  beat_at_ms = now_ms + static_cast<TimeMs>(config_.heartbeat_ms);
}

// A few members' deadlines a turn, so that all of them have theirs some times a second.
void ChatdV2Target::maintain() {
  const auto now_ms = static_cast<TimeMs>(client::now_ms());
  const auto count = static_cast<std::uint32_t>(members_.size());
  for (std::uint32_t i = 0; i < std::min(count, kDeadlinesPerTurn); ++i) {
    const std::uint32_t member = next_deadline_++ % count;
    if (speaks_v1(member)) {
      beat_v1(member, now_ms);
      continue;
    }
    client::LogSession* const session = members_[member].session.get();
    const auto deadline = session == nullptr ? std::nullopt : session->next_deadline();
    if (!deadline || *deadline > now_ms) continue;
    session->on_deadline(now_ms);
    mark(member);
  }
  flush();
}

ClientErrors ChatdV2Target::faults() const {
  return {.unsent = sockets_->unsent(), .receive_drops = sockets_->receive_drops()};
}

std::optional<RepairCounts> ChatdV2Target::repairs() const {
  RepairCounts all;
  for (const Member& member : members_) {
    if (member.session == nullptr) continue;
    const client::LogSessionStats& stats = member.session->stats();
    all.said_again += stats.said_again;
    all.repairs_asked += stats.repairs_asked;
    all.entries_repeated += stats.entries_repeated;
    all.entries_lost += stats.entries_lost;
  }
  return all;
}

}  // namespace chatd::bench
