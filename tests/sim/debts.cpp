#include "tests/sim/debts.h"

#include <algorithm>
#include <cstddef>

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

// As pay() would go, without paying. Only the members who share an endpoint are compared like this.
Debts::Fit Debts::fit(const Membership& member, std::uint32_t port,
                      std::span<const MessageId> messages) {
  Membership copy;
  copy.debts.assign(member.debts.begin() + static_cast<std::ptrdiff_t>(member.first_debt),
                    member.debts.end());
  Fit fit{.is_owed = true};
  for (const MessageId message : messages) {
    const auto debt = std::find_if(copy.debts.begin(), copy.debts.end(), [&](const Debt& one) {
      return one.message == message && one.port == port;
    });
    if (debt == copy.debts.end()) return {};
    if (message == messages.front()) fit.accepted = debt->accepted;
    for (auto earlier = copy.debts.begin(); earlier != debt; ++earlier) {
      if (earlier->message == kPaid || sender_of(earlier->message) != sender_of(message)) continue;
      earlier->message = kPaid;
      ++fit.missed;
    }
    debt->message = kPaid;
  }
  return fit;
}

bool Debts::pay(Membership& member, std::uint32_t port, std::span<const MessageId> messages) {
  return std::all_of(messages.begin(), messages.end(),
                     [&](MessageId message) { return pay_one(member, port, message); });
}

bool Debts::pay_one(Membership& member, std::uint32_t port, MessageId message) {
  for (std::size_t i = member.first_debt; i < member.debts.size(); ++i) {
    Debt& debt = member.debts[i];
    if (debt.message != message || debt.port != port) continue;
    for (std::size_t j = member.first_debt; j < i; ++j) {
      Debt& earlier = member.debts[j];
      if (earlier.message != kPaid && sender_of(earlier.message) == sender_of(message)) {
        lose(member, earlier);
      }
    }
    debt.message = kPaid;
    --owed_[member.shard];
    drop_paid(member);
    return true;
  }
  return false;
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
