// Clients with protocol v2: they speak through the client library's session (client/lib/
// log_session.h), and what it tells them is held against the room's log as the model knows it.
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "core/wire/v1/payload.h"
#include "tests/sim/clients.h"
#include "tests/sim/words.h"

namespace chatd::sim {
namespace {

using client::LogEvent;

constexpr std::size_t kMostUnsettled = 200;  // then a client says nothing more for a while
constexpr std::uint64_t kRememberedOneIn = 8;
constexpr std::size_t kRemembered = 64;

}  // namespace

void Clients::become_sealed_member(Client& client, const client::SessionInfo& info) {
  if (world_.is_calm) return drop_out(client);  // too late
  client.session.reset();
  client.saying.clear();
  if (client.nature == Client::Nature::kAttacker) {
    client.raw.emplace(info);
    return beat_raw(client);
  }
  const bool wants_history = world_.dice.one_in(2);
  const bool has_history = wants_history && info.oldest_entry < info.next_entry;
  client.told = (has_history ? info.oldest_entry : info.next_entry) - 1;
  client.log = std::make_unique<client::LogSession>(
      info, client::LogSessionOptions{.wants_history = wants_history}, log_now_ms());
  // Who takes its time may stay pending for a while.
  if (!world_.dice.one_in(4)) pump(client);
}

// What one does who is in a room.
void Clients::act_sealed(Client& client) {
  if (client.is_leaving) return;
  const std::uint32_t roll = world_.dice.roll32(1000);
  switch (client.nature) {
    case Client::Nature::kFlooder:
      if (world_.scenario.has_noisy_neighbour && client.room != 0) break;
      if (roll < (network_.sockets_full > 0 ? 300u : world_.scenario.floods_in_thousand)) {
        world_.seen.saw(Sight::kSealedFlood);
        return say_sealed(client, world_.scenario.messages_in_a_flood);
      }
      break;
    case Client::Nature::kFickle:
      if (roll < 40) return leave_sealed(client);
      if (roll < 80) return roam(client);
      if (roll < 120) {
        world_.seen.saw(Sight::kSealedVanish);
        close_port(client);
        return lose_seat(client);
      }
      break;
    default:
      if (roll < 5) return leave_sealed(client);
  }
  if (roll > 900) return pump(client);  // nothing to say
  say_sealed(client, roll > 880 ? 1 + world_.dice.roll32(12) : 1);
}

void Clients::say_sealed(Client& client, std::uint32_t times) {
  std::string content;
  for (std::uint32_t i = 0; i < times && client.log->unsettled() < kMostUnsettled; ++i) {
    const bool is_opaque = world_.dice.one_in(8);
    const MessageId id = next_message(client) | kSealedBit | (is_opaque ? kOpaqueBit : 0);
    content.clear();
    append_sealed_content(content, id);
    const std::uint64_t number = client.log->say(
        log_now_ms(), content, is_opaque ? v2::ContentType::kSealed : v2::ContentType::kText);
    if (number == 0) break;
    client.saying[number] = id;
  }
  pump(client);
}

void Clients::leave_sealed(Client& client) {
  world_.seen.saw(Sight::kSealedLeave);
  client.log->leave();
  client.is_leaving = true;
  pump(client);
}

// All that it has to send, and all that it is told; and when it wants to be woken.
void Clients::pump(Client& client) {
  client::LogSession& log = *client.log;
  while (auto datagram = log.next_datagram(log_now_ms())) send_sealed(client, *datagram);
  while (const auto event = log.next_event()) on_event(client, *event);
  if (log.is_over() || client.is_given_up) return drop_out(client);
  const auto deadline_ms = log.next_deadline();
  if (!deadline_ms) return;
  const std::uint64_t due_us = std::max(world_.now_us + 1'000, *deadline_ms * 1'000);
  if (client.due_us > world_.now_us && client.due_us <= due_us) return;
  client.due_us = due_us;
  world_.events.plan(due_us, EventKind::kSessionDue, client.number);
}

void Clients::on_session_due(std::uint32_t number) {
  Client& client = clients_[number];
  if (!client.log || client.due_us > world_.now_us) return;
  client.due_us = 0;
  client.log->on_deadline(log_now_ms());
  pump(client);
}

std::uint32_t Clients::make_sealed(const Client& client, std::string_view bytes) {
  const std::uint32_t number = world_.packets.make();
  Packet& packet = world_.packets[number];
  packet.bytes = bytes;
  packet.size_bytes = bytes.size();
  packet.bytes.append(kPayloadPaddingBytes, '}');
  packet.from = network_.endpoint(client.port);
  packet.claim.header = Claim::Header::kSealed;
  packet.claim.client = client.number;
  return number;
}

void Clients::send_sealed(Client& client, std::string_view bytes) {
  if (client.port == kNoPort) return;
  const std::uint32_t number = make_sealed(client, bytes);
  const Packet& packet = world_.packets[number];
  world_.note(Step::kSends, client.number, 0, packet.from.port);
  if (world_.dice.one_in(kRememberedOneIn)) {
    remember(to_server_, {.from = packet.from, .port = client.port, .bytes = std::string(bytes)});
  }
  network_.send_to_server(client.host, number);
  world_.packets.release(number);
}

void Clients::remember(std::vector<Overheard>& among, Overheard datagram) {
  if (among.size() < kRemembered) return among.push_back(std::move(datagram));
  among[static_cast<std::size_t>(world_.dice.roll(kRemembered))] = std::move(datagram);
}

void Clients::hear_sealed(Client& client, const Packet& packet, std::uint32_t port) {
  const std::string_view bytes = std::string_view(packet.bytes).substr(0, packet.size_bytes);
  if (!packet.is_forged && world_.dice.one_in(kRememberedOneIn)) {
    remember(to_clients_, {.from = {}, .port = port, .bytes = std::string(bytes)});
  }
  if (!client.log) return;
  const std::uint64_t complete = client.log->complete();
  client.log->on_datagram(log_now_ms(), bytes);
  if (packet.is_forged) {
    const auto event = client.log->next_event();
    if (event || client.log->complete() != complete) {
      world_.fail("a client is deceived by a datagram that is not the server's");
    }
  }
  pump(client);
}

// --- What it is told -----------------------------------------------------------------------------

void Clients::on_event(Client& client, const LogEvent& event) {
  SealedSession& session = model_.sessions()[client.log->id()];
  switch (event.kind) {
    case LogEvent::Kind::kDelivered:
      return on_delivered(client, session, event);
    case LogEvent::Kind::kRefused:
      world_.seen.saw(Sight::kSayRefused);
      client.saying.erase(event.id);
      if (session.refused.contains(event.id) || session.unsure.contains(event.id)) return;
      return world_.fail("a client is told that something is refused, and it is not");
    case LogEvent::Kind::kSaid:
    case LogEvent::Kind::kJoined:
    case LogEvent::Kind::kLeft:
      return on_told(client, session, event);
    case LogEvent::Kind::kGap:
      return on_gap(client, session, event);
    case LogEvent::Kind::kCaughtUp:
      return world_.seen.saw(Sight::kHeardHistory);
    case LogEvent::Kind::kClosed:
    case LogEvent::Kind::kUnknown:
      world_.seen.saw(event.kind == LogEvent::Kind::kClosed ? Sight::kHeardClosed
                                                            : Sight::kHeardReset);
      // Who has said several times that it goes, and hears nothing, is gone all the same.
      if (session.state != SealedSession::State::kOpen || client.is_leaving) return;
      return world_.fail("a client is told that its session is over, and it is not");
    case LogEvent::Kind::kSilent:
      world_.seen.saw(Sight::kFoundSilent);
      if (!world_.dice.one_in(3)) return;
      client.lost_seat = client.seat;
      client.lost_seat.said = client.said;
      client.is_given_up = true;
      return;
    case LogEvent::Kind::kAnswers:
      return world_.seen.saw(Sight::kFoundAnswering);
  }
}

// What was echoed is in the log, as it was said.
void Clients::on_delivered(Client& client, const SealedSession& session, const LogEvent& event) {
  world_.seen.saw(Sight::kDelivered);
  const auto said = client.saying.find(event.id);
  if (event.number == 0) {  // its echo was lost in a gap
    world_.seen.saw(Sight::kDeliveredInGap);
    const std::uint64_t number = session.log->find_said(client.log->member(), event.id);
    if (number == 0 || !session.was_told_gone(number)) {
      world_.fail("a client is told that something was lost in a gap, and it was not");
    }
    client.saying.erase(event.id);
    return;
  }
  const LogEntry* const entry = session.log->find(event.number);
  std::string content;
  if (said != client.saying.end()) append_sealed_content(content, said->second);
  const bool is_right = said != client.saying.end() && entry != nullptr &&
                        entry->member == client.log->member() && entry->client_number == event.id &&
                        entry->hash == LogEntry::hash_of(content);
  if (!is_right) world_.fail("a client is told that something has arrived that has not");
  client.saying.erase(event.id);
}

// Each entry once, in the order of the numbers, and as everybody gets it. Its own arrival is told
// to nobody.
void Clients::on_told(Client& client, const SealedSession& session, const LogEvent& event) {
  world_.seen.saw(Sight::kHeardEntry);
  world_.note(Step::kHearsEntry, client.number, event.number,
              static_cast<std::uint64_t>(event.kind));
  const bool is_said = event.kind == LogEvent::Kind::kSaid;
  const std::string& bytes = is_said ? event.text : event.name;
  const LogEntry* const entry = session.log->find(event.number);
  for (; client.told + 1 < event.number; ++client.told) {
    const LogEntry* const skipped = session.log->find(client.told + 1);
    const bool is_own_arrival = skipped != nullptr && skipped->kind == v2::EntryKind::kJoined &&
                                skipped->member == client.log->member();
    if (!is_own_arrival) break;
  }
  const v2::EntryKind kind = is_said                                 ? v2::EntryKind::kSaid
                             : event.kind == LogEvent::Kind::kJoined ? v2::EntryKind::kJoined
                                                                     : v2::EntryKind::kLeft;
  const bool is_right = event.number == client.told + 1 && entry != nullptr &&
                        entry->kind == kind && entry->member == event.member &&
                        entry->hash == LogEntry::hash_of(bytes) && has_right_name(session, event);
  if (!is_right) {
    world_.fail("client " + std::to_string(client.number) + " is told entry " +
                std::to_string(event.number) + " after " + std::to_string(client.told) +
                ", or another than everybody");
  }
  client.told = event.number;
}

// History may not know the name of who has gone since, and it may have been told in a gap.
bool Clients::has_right_name(const SealedSession& session, const LogEvent& event) const {
  if (event.kind != LogEvent::Kind::kSaid) return true;
  if (event.name.empty() && (event.is_history || !session.gaps.empty())) return true;
  if (event.member == v2::kServerId) return event.name.empty();
  const auto id = event.content_type == v2::ContentType::kV1Payload
                      ? id_in(event.text)
                      : id_in_sealed_content(event.text);
  const Membership* const sender = id ? model_.members().find(sender_of(*id)) : nullptr;
  return sender == nullptr || world_.client_names[sender->name] == event.name;
}

// What is lost for good the server has said to be so.
void Clients::on_gap(Client& client, const SealedSession& session, const LogEvent& event) {
  world_.seen.saw(Sight::kHeardGap);
  for (; client.told + 1 < event.number; ++client.told) {
    const LogEntry* const skipped = session.log->find(client.told + 1);
    if (skipped == nullptr || skipped->kind != v2::EntryKind::kJoined) break;
  }
  bool is_right = event.number == client.told + 1;
  for (std::uint64_t i = event.number; i <= event.last_number; ++i) {
    is_right = is_right && session.was_told_gone(i);
  }
  if (!is_right) world_.fail("a client is told of a gap that there is not");
  client.told = event.last_number;
}

// --- The end -------------------------------------------------------------------------------------

// Who is in has everything, and knows what became of all that it has said.
std::string Clients::why_not_settled() {
  for (const Client& client : clients_) {
    if (!client.log) continue;
    const SealedSession& session = model_.sessions()[client.log->id()];
    if (session.state != SealedSession::State::kOpen) continue;
    const std::string name = "client " + std::to_string(client.number);
    const std::uint64_t last = session.log->head() - 1;
    if (client.log->complete() != last) {
      return name + " has " + std::to_string(client.log->complete()) + " of " +
             std::to_string(last) + " entries";
    }
    if (client.saying.empty()) continue;
    return name + " does not know what became of what it has said as its " +
           std::to_string(client.saying.begin()->first);
  }
  return "";
}

std::uint64_t Clients::settled() const {
  std::uint64_t entries = 0;
  for (const Client& client : clients_) {
    if (client.log) entries += client.log->complete();
  }
  return entries;
}

void Clients::fall_silent() {
  for (Client& client : clients_) {
    if (client.log || client.raw) drop_out(client);
  }
}

}  // namespace chatd::sim
