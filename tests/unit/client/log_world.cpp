#include "tests/unit/client/log_world.h"

#include <gtest/gtest.h>
#include <sodium/core.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "tests/support/wire.h"

namespace chatd::test {

using client::LogEvent;

std::vector<std::string> SealedMember::log() const {
  std::vector<std::string> lines;
  for (const LogEvent& event : events) {
    if (event.kind == LogEvent::Kind::kSaid) lines.push_back(event.name + ": " + event.text);
    if (event.kind == LogEvent::Kind::kJoined) lines.push_back(event.name + " joined");
    if (event.kind == LogEvent::Kind::kLeft) lines.push_back(event.name + " left");
  }
  return lines;
}

std::vector<std::string> SealedMember::heard() const {
  std::vector<std::string> lines;
  for (const LogEvent& event : events) {
    if (event.kind == LogEvent::Kind::kSaid) lines.push_back(event.name + ": " + event.text);
  }
  return lines;
}

std::vector<std::uint64_t> SealedMember::numbers() const {
  std::vector<std::uint64_t> numbers;
  for (const LogEvent& event : events) {
    const bool is_entry = event.kind == LogEvent::Kind::kSaid ||
                          event.kind == LogEvent::Kind::kJoined ||
                          event.kind == LogEvent::Kind::kLeft;
    if (is_entry) numbers.push_back(event.number);
  }
  return numbers;
}

std::uint64_t SealedMember::count(LogEvent::Kind kind) const {
  return static_cast<std::uint64_t>(std::count_if(
      events.begin(), events.end(), [kind](const LogEvent& event) { return event.kind == kind; }));
}

RelayConfig LogWorld::config() {
  RelayConfig config;
  config.limits.abuse = AbuseLimits::none();
  config.ports = {.udp = 9000, .tls = 8001};
  return config;
}

RelayConfig LogWorld::config_that_keeps(std::uint32_t entries) {
  RelayConfig kept = config();
  kept.limits.history_entries = entries;
  return kept;
}

LogWorld::LogWorld(const Network& wanted, std::uint64_t seed, const RelayConfig& config)
    : network(wanted),
      relay(std::make_unique<Relay>(config, now_ms)),
      out(1 << 20, config.limits.max_room_members),
      config_(config),
      random_(seed) {
  EXPECT_GE(sodium_init(), 0);
}

tl::expected<client::Entry, client::Error> LogWorld::ask(const client::EntryRequest& request,
                                                         const Endpoint& from, bool is_encrypted) {
  const std::string bytes = client::encode_entry_request(request);
  const DecodedFrame frame = decode_frame(bytes, 16'384);
  EXPECT_EQ(frame.status, FrameStatus::kComplete);
  PeerShards nobody;
  std::string reply;
  EXPECT_TRUE(relay->on_request(now_ms, {.is_encrypted = is_encrypted}, from.ip, frame.frame,
                                nobody, reply, out));
  empty_outbox();
  client::ResponseReader reader(client::kMaxSessionAnswerBytes);
  const auto answer = reader.push(reply);
  if (!answer || !*answer) return tl::unexpected(client::Error{.reason = "no answer"});
  return client::parse_entry_answer(**answer);
}

const Endpoint& LogWorld::bound_of(const SealedMember& member) const {
  const Roster& roster = relay->roster();
  return roster.endpoint_of(roster.members()[member.session->id().slot()]);
}

SealedMember& LogWorld::add(const client::EntryRequest& request, const Endpoint& from) {
  const auto entry = ask(request, from);
  EXPECT_TRUE(entry.has_value()) << (entry ? "" : entry.error().reason);
  EXPECT_TRUE(entry && entry->session);
  SealedMember& member = members.emplace_back();
  member.name = request.username;
  member.from = from;
  if (!entry || !entry->session) return member;
  EXPECT_EQ(entry->endpoints.at(0).port, 9000);
  member.token = entry->token;
  member.session = std::make_unique<client::LogSession>(*entry->session, session_options, now_ms);
  collect(member);
  return member;
}

SealedMember& LogWorld::create(std::string_view room, std::string_view name,
                               std::uint32_t history) {
  return add({.operation = Operation::kCreate,
              .room = std::string(room),
              .username = std::string(name),
              .protocol = 2,
              .history_entries = history},
             next_endpoint());
}

SealedMember& LogWorld::join(std::string_view room, std::string_view name) {
  return add({.room = std::string(room), .username = std::string(name), .protocol = 2},
             next_endpoint());
}

PlainMember LogWorld::join_v1(std::string_view room, std::string_view name) {
  const Endpoint from = next_endpoint();
  const auto entry = ask({.room = std::string(room),
                          .username = std::string(name),
                          .udp_ip = "127.0.0.1",
                          .udp_port = from.port},
                         from, /*is_encrypted=*/false);
  EXPECT_TRUE(entry.has_value()) << (entry ? "" : entry.error().reason);
  return {.from = from, .token = entry ? entry->token : Token{}};
}

std::string PlainMember::with(std::string_view room, std::string_view payload) const {
  std::string datagram;
  append_client_datagram(datagram, room, token, payload);
  return datagram;
}

void LogWorld::say(SealedMember& who, std::string_view text) {
  EXPECT_NE(who.session->say(now_ms, text), 0u);
  collect(who);
}

// What a member has to send, and what it was told.
void LogWorld::collect(SealedMember& member) {
  while (auto datagram = member.session->next_datagram(now_ms)) {
    send({.is_to_relay = true, .from = member.from, .to = {}, .bytes = std::move(*datagram)});
  }
  while (auto event = member.session->next_event()) member.events.push_back(std::move(*event));
}

void LogWorld::collect(Guest& guest) {
  while (auto datagram = guest.next_datagram()) {
    send({.is_to_relay = true, .from = guest.from, .to = {}, .bytes = std::move(*datagram)});
  }
}

void LogWorld::send(InFlight datagram) {
  std::uniform_real_distribution<double> chance;
  const int copies = chance(random_) < network.duplicates ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    if (chance(random_) < network.loss) continue;
    const TimeMs late_ms = network.jitter_ms > 0 ? random_() % (network.jitter_ms + 1) : 0;
    in_flight_.emplace(now_ms + network.delay_ms + late_ms, datagram);
  }
}

void LogWorld::deliver(const Endpoint& from, std::string_view bytes) {
  std::string padded(bytes);
  padded.append(kPayloadPaddingBytes, '}');
  relay->on_datagram(now_ms, from, std::string_view(padded).substr(0, bytes.size()), out);
  std::fill(padded.begin(), padded.end(), '?');
}

void LogWorld::arrive(const InFlight& datagram) {
  if (datagram.is_to_relay) {
    to_relay.push_back(datagram.bytes);
    return deliver(datagram.from, datagram.bytes);
  }
  if (!has_room_at_host(datagram)) return;
  for (SealedMember& member : members) {
    if (member.session == nullptr || member.from != datagram.to) continue;
    member.arrived.push_back(datagram.bytes);
    member.session->on_datagram(now_ms, datagram.bytes);
    return collect(member);
  }
  for (Guest& guest : guests) {
    if (guest.from != datagram.to) continue;
    guest.on_datagram(datagram.bytes);
    return collect(guest);
  }
  if (datagram.bytes.size() > 2) {
    heard_by_v1[datagram.to.port].push_back(datagram.bytes.substr(2));
  }
}

// To Linux a datagram is its headers, what is kept about it, and a power of two.
bool LogWorld::has_room_at_host(const InFlight& datagram) {
  if (network.host_buffer_bytes == 0) return true;
  if (std::exchange(host_read_at_ms_, now_ms) != now_ms) host_bytes_ = 0;
  const std::size_t counted_bytes =
      256 + std::bit_ceil(std::max<std::size_t>(datagram.bytes.size() + 350, 512));
  if (host_bytes_ + counted_bytes > network.host_buffer_bytes) return false;
  host_bytes_ += counted_bytes;
  return true;
}

void LogWorld::empty_outbox() {
  for (const Outbox::SendGroup& group : out.groups()) {
    EXPECT_GT(group.train_count, 0u) << "a group with nothing in it";
    for (const Outbox::Train& train : out.trains(group)) {
      for (std::uint32_t i = 0; i < train.message_count; ++i) {
        const std::string bytes(out.message(train, i));
        const bool may_be_cut =
            group.kind != Outbox::Kind::kLargeBundle && group.kind != Outbox::Kind::kProbe;
        if (bytes.size() > network.path_bytes && !may_be_cut) continue;
        for (const Endpoint& to : out.destinations(group)) {
          EXPECT_NE(to.port, 0) << "nothing may go to a member whose address is not known";
          send({.is_to_relay = false, .from = {}, .to = to, .bytes = bytes});
        }
      }
    }
  }
  out.clear();
}

TimeMs LogWorld::next_time() const {
  std::optional<TimeMs> next = relay->next_deadline();
  if (!in_flight_.empty()) next = earliest(next, in_flight_.begin()->first);
  for (const SealedMember& member : members) {
    if (member.session != nullptr) next = earliest(next, member.session->next_deadline());
  }
  for (const Guest& guest : guests) next = earliest(next, guest.next_deadline());
  return std::max(next.value_or(now_ms + 1'000), now_ms + 1);
}

// All that is due now.
void LogWorld::step() {
  while (!in_flight_.empty() && in_flight_.begin()->first <= now_ms) {
    const InFlight datagram = std::move(in_flight_.begin()->second);
    in_flight_.erase(in_flight_.begin());
    arrive(datagram);
  }
  relay->on_deadline(now_ms, out);
  do {
    relay->serve_rooms(out);
    empty_outbox();
  } while (relay->has_waiting());
  for (SealedMember& member : members) {
    if (member.session == nullptr) continue;
    member.session->on_deadline(now_ms);
    collect(member);
  }
  for (Guest& guest : guests) {
    guest.on_deadline();
    collect(guest);
  }
}

void LogWorld::run_for(TimeMs duration_ms) {
  const TimeMs end_ms = now_ms + duration_ms;
  step();
  while (next_time() <= end_ms) {
    now_ms = next_time();
    step();
  }
  now_ms = end_ms;
}

std::string LogWorld::why_not_settled() const {
  for (const SealedMember& member : members) {
    if (member.session == nullptr || member.session->is_over()) continue;
    const Member* const known = relay->roster().members().find(member.session->id().slot());
    if (known == nullptr) return member.name + " is no member";
    const std::uint64_t last = relay->roster().rooms()[known->room].log.head() - 1;
    if (member.session->unsettled() > 0) {
      return member.name + " waits for " + std::to_string(member.session->unsettled()) + " echoes";
    }
    if (member.session->complete() != last) {
      return member.name + " has " + std::to_string(member.session->complete()) + " of " +
             std::to_string(last);
    }
  }
  return relay->has_waiting() ? "the relay has something to send" : "";
}

bool LogWorld::settle(TimeMs at_most_ms) {
  const TimeMs end_ms = now_ms + at_most_ms;
  step();
  while (!is_settled() && next_time() <= end_ms) {
    now_ms = next_time();
    step();
  }
  return is_settled();
}

void LogWorld::start_afresh() {
  config_.seed[0] = static_cast<std::uint8_t>(config_.seed[0] + 1);
  relay = std::make_unique<Relay>(config_, now_ms);
}

void LogWorld::hand_over() {
  while (!relay->prepare_snapshot(out)) empty_outbox();
  empty_outbox();
  const RelaySnapshot snapshot = relay->snapshot();
  config_.seed[0] = static_cast<std::uint8_t>(config_.seed[0] + 1);
  relay = std::make_unique<Relay>(config_, now_ms);
  const auto restored = relay->restore(snapshot);
  ASSERT_TRUE(restored.has_value()) << restored.error();
}

}  // namespace chatd::test
