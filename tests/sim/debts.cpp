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
    member.debts.push_back(
        {.message = message, .accepted = accepted_, .turn = turns_[sender.shard]});
    ++sum.planned;
  }
  ++accepted_;
  ++room.accepted;
  owed_[sender.shard] += sum.planned;
  return sum;
}

void Debts::accept_notice(Membership& member, MessageId notice, Debt::Certainty certainty,
                          bool is_farewell) {
  member.debts.push_back({.message = notice,
                          .accepted = accepted_,
                          .certainty = certainty,
                          .is_farewell = is_farewell});
}

// What cannot come any more when `debt` has come. Two messages of different senders may change
// places, and what is the relay's choice may come at any time.
bool Debts::must_precede(const Debt& earlier, const Debt& debt) {
  if (earlier.message == kPaid || earlier.certainty != Debt::Certainty::kCertain ||
      debt.certainty != Debt::Certainty::kCertain) {
    return false;
  }
  return is_notice(earlier.message) || is_notice(debt.message) ||
         sender_of(earlier.message) == sender_of(debt.message);
}

// As pay() would go, without paying. Only the members who share an endpoint are compared like this.
Debts::Fit Debts::fit(const Membership& member, std::span<const MessageId> messages) {
  Membership copy;
  copy.debts.assign(member.debts.begin() + static_cast<std::ptrdiff_t>(member.first_debt),
                    member.debts.end());
  Fit fit{.is_owed = true};
  auto last = copy.debts.begin();
  for (const MessageId message : messages) {
    const auto debt = std::find_if(copy.debts.begin(), copy.debts.end(),
                                   [&](const Debt& one) { return one.message == message; });
    if (debt == copy.debts.end()) return {};
    if (message == messages.front()) fit.accepted = debt->accepted;
    for (auto earlier = copy.debts.begin(); earlier != debt; ++earlier) {
      if (!must_precede(*earlier, *debt)) continue;
      earlier->message = kPaid;
      ++fit.missed;
    }
    debt->message = kPaid;
    last = std::max(last, debt);
  }
  fit.passed_over = static_cast<std::size_t>(std::count_if(
      copy.debts.begin(), last, [](const Debt& one) { return one.message != kPaid; }));
  return fit;
}

bool Debts::pay(Membership& member, std::span<const MessageId> messages, Order order) {
  return std::all_of(messages.begin(), messages.end(),
                     [&](MessageId message) { return pay_one(member, message, order); });
}

bool Debts::pay_one(Membership& member, MessageId message, Order order) {
  for (std::size_t i = member.first_debt; i < member.debts.size(); ++i) {
    Debt& debt = member.debts[i];
    if (debt.message != message) continue;
    for (std::size_t j = member.first_debt; j < i; ++j) {
      if (order == Order::kKept && must_precede(member.debts[j], debt)) {
        lose(member, member.debts[j]);
      }
    }
    if (!is_notice(message)) --owed_[member.shard];
    if (!is_notice(message) && member.is_in &&
        roll_.rooms[member.room].accepted * roll_.rooms[member.room].members.size() <=
            kFewMessages) {
      longest_wait_turns_ = std::max(longest_wait_turns_, turns_[member.shard] - debt.turn);
    }
    debt.message = kPaid;
    drop_paid(member);
    return true;
  }
  return false;
}

void Debts::write_off(Membership& member) {
  for (std::size_t i = member.first_debt; i < member.debts.size(); ++i) {
    Debt& debt = member.debts[i];
    if (debt.message != kPaid) lose(member, debt);
  }
  drop_paid(member);
}

void Debts::abandon(Membership& member) {
  for (std::size_t i = member.first_debt; i < member.debts.size(); ++i) {
    Debt& debt = member.debts[i];
    if (debt.message == kPaid || debt.is_farewell) continue;
    if (!is_notice(debt.message)) {
      --owed_[member.shard];
      ++abandoned_[member.shard];
    }
    debt.message = kPaid;
  }
  drop_paid(member);
}

void Debts::lose(const Membership& member, Debt& debt) {
  const bool is_a_notice = is_notice(debt.message);
  debt.message = kPaid;
  if (is_a_notice) {
    const bool was_certain = debt.certainty == Debt::Certainty::kCertain ||
                             (debt.certainty == Debt::Certainty::kIfThere && member.is_in);
    if (!was_certain) return;
    ++lost_notices_[member.shard];
    has_lost_farewell_ = has_lost_farewell_ || debt.is_farewell;
  } else {
    --owed_[member.shard];
    ++lost_[member.shard];
  }
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
