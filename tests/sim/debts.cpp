#include "tests/sim/debts.h"

namespace chatd::sim {
namespace {

constexpr MessageId kPaid = 0;

}  // namespace

Debts::Accepted Debts::accept(const Membership& sender, MessageId message) {
  ModelRoom& room = roll_.rooms[sender.room];
  Accepted sum{.planned = 0, .pending = 0};
  for (const MemberNumber number : room.members) {
    if (number == sender.number) continue;
    Membership& member = roll_[number];
    if (member.port == kNoPort) {
      ++sum.pending;
      continue;
    }
    member.debts.push_back({.message = message, .accepted = accepted_, .port = member.port});
    ++sum.planned;
  }
  ++accepted_;
  ++room.accepted;
  owed_[sender.shard] += sum.planned;
  return sum;
}

std::optional<Debts::Found> Debts::find(const Membership& member, std::uint32_t port,
                                        MessageId message) {
  bool is_next = true;
  for (std::size_t i = member.first_debt; i < member.debts.size(); ++i) {
    const Debt& debt = member.debts[i];
    if (debt.message == message && debt.port == port) {
      return Found{.place = i, .is_next = is_next, .accepted = debt.accepted};
    }
    if (sender_of(debt.message) == sender_of(message)) is_next = false;
  }
  return std::nullopt;
}

void Debts::pay(Membership& member, std::size_t place) {
  Debt& debt = member.debts[place];
  for (std::size_t i = member.first_debt; i < place; ++i) {
    Debt& earlier = member.debts[i];
    if (earlier.message != kPaid && sender_of(earlier.message) == sender_of(debt.message)) {
      lose(member, earlier);
    }
  }
  debt.message = kPaid;
  --owed_[member.shard];
  drop_paid(member);
}

void Debts::write_off(Membership& member, std::uint64_t accepted) {
  for (std::size_t i = member.first_debt; i < member.debts.size(); ++i) {
    Debt& debt = member.debts[i];
    if (debt.accepted >= accepted) break;
    if (debt.message != kPaid) lose(member, debt);
  }
  drop_paid(member);
}

void Debts::lose(const Membership& member, Debt& debt) {
  debt.message = kPaid;
  --owed_[member.shard];
  ++lost_[member.shard];
  if (roll_.rooms[member.room].accepted <= kFewMessages) has_lost_unfairly_ = true;
}

void Debts::drop_paid(Membership& member) {
  while (member.first_debt < member.debts.size() &&
         member.debts[member.first_debt].message == kPaid) {
    ++member.first_debt;
  }
  if (member.first_debt == member.debts.size()) {
    member.debts.clear();
    member.first_debt = 0;
  }
}

}  // namespace chatd::sim
