#include "tests/sim/delays.h"

#include <algorithm>
#include <string_view>

#include "core/base/limits.h"
#include "tests/sim/words.h"

namespace chatd::sim {
namespace {

// The shares of a turn that are constants of the server's code, written here a second time.
// Lists, a last piece of one included: each piece counts as 16 KiB more than it has.
constexpr std::uint64_t kListsNs =
    (256 + 64) * 1024 * Delays::kByteNs + (256 / 16 + 1) * Delays::kCallNs;
constexpr std::uint64_t kAcceptsNs = 64 * 10'000;  // and a word to each that is turned away
constexpr std::uint64_t kConnectionNs = 40'000;    // one read, its requests, and their answers
constexpr std::uint64_t kTurnsBeside = 4;  // what is left of the turn in which it is said, and such

}  // namespace

// One room may fill the outbox by a turn of its own beyond the limit, which is twice as high while
// the socket is full.
std::string Delays::excess(std::uint32_t new_connections) const {
  const std::uint64_t datagrams = scenario_.datagrams_per_turn + scenario_.mailbox;
  const std::uint64_t messages =
      2 * std::uint64_t{scenario_.outbox_work} + kMaxTurnWork + 4 * scenario_.clients;
  const std::array<std::uint64_t, static_cast<std::size_t>(Share::kCount)> most_ns = {
      datagrams * kTakeInNs, messages * kMessageNs,
      kListsNs + kAcceptsNs + (1 + connections_ + new_connections) * kConnectionNs};
  constexpr std::array<std::string_view, most_ns.size()> kNames = {"datagrams", "messages",
                                                                   "connections"};
  for (std::size_t i = 0; i < most_ns.size(); ++i) {
    if (turn_ns_[i] <= most_ns[i]) continue;
    return std::to_string(turn_ns_[i] / 1000) + " us for " + std::string(kNames[i]) +
           ", whose share is " + std::to_string(most_ns[i] / 1000) + " us";
  }
  return {};
}

// With a small outbox the turn of an address takes several of the shard's, and in each of them the
// other shares are spent as well.
void Delays::accepted(MessageId message, std::uint32_t room, std::uint32_t address_turns) {
  const std::uint64_t turns =
      kTurnsBeside + std::uint64_t{address_turns} * (kMaxTurnWork / scenario_.outbox_work);
  const std::uint64_t other_shares_ns =
      scenario_.datagrams_per_turn * kTakeInNs + (1 + connections_) * kConnectionNs;
  Waiting& place = waiting_[scatter(message) % kRemembered];
  place = {.message = message,
           .room = room,
           .busy_times = busy_times_[room],
           .since_ns = spent_ns_[shard_],
           .allowed_ns =
               std::uint64_t{address_turns} * kMaxTurnWork * kMessageNs + turns * other_shares_ns};
}

void Delays::left(MessageId message) {
  const Waiting& waiting = waiting_[scatter(message) % kRemembered];
  if (waiting.message != message || message == 0) return;
  if (waiting.busy_times != busy_times_[waiting.room]) return;
  const std::uint64_t wait_ns = spent_ns_[shard_] - waiting.since_ns;
  waits_[waiting.room].push_back(static_cast<std::uint32_t>(wait_ns * 1000 / waiting.allowed_ns));
}

Delays::Worst Delays::worst_room() {
  Worst worst;
  for (std::uint32_t room = 0; room < waits_.size(); ++room) {
    std::vector<std::uint32_t>& waits = waits_[room];
    if (waits.size() < kMinDeliveries) continue;
    const auto p99 = waits.begin() + static_cast<std::ptrdiff_t>(waits.size() * 99 / 100);
    std::nth_element(waits.begin(), p99, waits.end());
    if (*p99 >= worst.per_mille) {
      worst = {.room = room, .per_mille = *p99, .deliveries = waits.size()};
    }
  }
  return worst;
}

}  // namespace chatd::sim
