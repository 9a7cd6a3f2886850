#include "tests/sim/expected_deliveries.h"

#include <algorithm>
#include <cstddef>

namespace chatd::sim {
namespace {

constexpr MessageId kPaid = 0;

}  // namespace

ExpectedDeliveries::Accepted ExpectedDeliveries::accept(const Membership& sender, MessageId message,
                                                        bool is_for_v1) {
  ModelRoom& room = members_.rooms[sender.room];
  Accepted sum{.planned = 0, .pending = 0, .sealed = 0};
  for (const MemberNumber number : room.members) {
    if (number == sender.number) continue;
    Membership& member = members_[number];
    if (member.is_sealed) {
      ++sum.sealed;
      continue;
    }
    if (member.port == kNoPort) {
      ++sum.pending;
      continue;
    }
    ++sum.planned;
    if (!is_for_v1) continue;
    member.expected.push_back(
        {.message = message, .accepted = accepted_, .turn = turns_[sender.shard]});
    ++owed_[sender.shard];
  }
  ++accepted_;
  ++room.accepted;
  return sum;
}

void ExpectedDeliveries::accept_notice(Membership& member, MessageId notice,
                                       ExpectedDelivery::Certainty certainty, bool is_farewell) {
  member.expected.push_back({.message = notice,
                             .accepted = accepted_,
                             .certainty = certainty,
                             .is_farewell = is_farewell});
}

// What cannot come any more when `expectation` has come. Two messages of different senders may
// change places, and what is the relay's choice may come at any time.
bool ExpectedDeliveries::must_precede(const ExpectedDelivery& earlier,
                                      const ExpectedDelivery& expectation) {
  if (earlier.message == kPaid || earlier.certainty != ExpectedDelivery::Certainty::kCertain ||
      expectation.certainty != ExpectedDelivery::Certainty::kCertain) {
    return false;
  }
  return is_notice(earlier.message) || is_notice(expectation.message) ||
         sender_of(earlier.message) == sender_of(expectation.message);
}

// As pay() would go, without paying. Only the members who share an endpoint are compared like this.
ExpectedDeliveries::Fit ExpectedDeliveries::fit(const Membership& member,
                                                std::span<const MessageId> messages) {
  Membership copy;
  copy.expected.assign(member.expected.begin() + static_cast<std::ptrdiff_t>(member.first_expected),
                       member.expected.end());
  Fit fit{.is_expected = true};
  auto last = copy.expected.begin();
  for (const MessageId message : messages) {
    const auto expectation =
        std::find_if(copy.expected.begin(), copy.expected.end(),
                     [&](const ExpectedDelivery& one) { return one.message == message; });
    if (expectation == copy.expected.end()) return {};
    if (message == messages.front()) fit.accepted = expectation->accepted;
    for (auto earlier = copy.expected.begin(); earlier != expectation; ++earlier) {
      if (!must_precede(*earlier, *expectation)) continue;
      earlier->message = kPaid;
      ++fit.missed;
    }
    expectation->message = kPaid;
    last = std::max(last, expectation);
  }
  fit.passed_over = static_cast<std::size_t>(
      std::count_if(copy.expected.begin(), last,
                    [](const ExpectedDelivery& one) { return one.message != kPaid; }));
  return fit;
}

bool ExpectedDeliveries::pay(Membership& member, std::span<const MessageId> messages, Order order) {
  return std::all_of(messages.begin(), messages.end(),
                     [&](MessageId message) { return pay_one(member, message, order); });
}

bool ExpectedDeliveries::pay_one(Membership& member, MessageId message, Order order) {
  for (std::size_t i = member.first_expected; i < member.expected.size(); ++i) {
    ExpectedDelivery& expectation = member.expected[i];
    if (expectation.message != message) continue;
    for (std::size_t j = member.first_expected; j < i; ++j) {
      if (order == Order::kKept && must_precede(member.expected[j], expectation)) {
        lose(member, member.expected[j]);
      }
    }
    if (!is_notice(message)) --owed_[member.shard];
    if (!is_notice(message) && member.is_in && members_.rooms[member.room].is_quiet()) {
      longest_wait_turns_ = std::max(longest_wait_turns_, turns_[member.shard] - expectation.turn);
    }
    expectation.message = kPaid;
    drop_paid(member);
    return true;
  }
  return false;
}

void ExpectedDeliveries::hand_on(Membership& gone, Membership& other, MessageId has_come) {
  for (std::size_t i = gone.first_expected; i < gone.expected.size(); ++i) {
    ExpectedDelivery& expectation = gone.expected[i];
    const auto first = other.expected.begin() + static_cast<std::ptrdiff_t>(other.first_expected);
    const auto is_same = [&](const ExpectedDelivery& one) {
      return one.message == expectation.message && one.accepted == expectation.accepted;
    };
    const bool is_own =
        expectation.message == has_come ||
        (!is_notice(expectation.message) && sender_of(expectation.message) == other.number);
    if (expectation.message == kPaid || is_own || expectation.is_farewell ||
        expectation.accepted < other.expects_from ||
        std::any_of(first, other.expected.end(), is_same)) {
      continue;
    }
    const auto later = std::find_if(first, other.expected.end(), [&](const ExpectedDelivery& one) {
      return one.accepted > expectation.accepted;
    });
    other.expected.insert(later, expectation);
    expectation.message = kPaid;
  }
  drop_paid(gone);
}

void ExpectedDeliveries::write_off(Membership& member) {
  for (std::size_t i = member.first_expected; i < member.expected.size(); ++i) {
    ExpectedDelivery& expectation = member.expected[i];
    if (expectation.message != kPaid) lose(member, expectation);
  }
  drop_paid(member);
}

void ExpectedDeliveries::abandon(Membership& member) {
  for (std::size_t i = member.first_expected; i < member.expected.size(); ++i) {
    ExpectedDelivery& expectation = member.expected[i];
    if (expectation.message == kPaid || expectation.is_farewell) continue;
    if (!is_notice(expectation.message)) {
      --owed_[member.shard];
      ++abandoned_[member.shard];
    }
    expectation.message = kPaid;
  }
  drop_paid(member);
}

void ExpectedDeliveries::lose(const Membership& member, ExpectedDelivery& expectation) {
  const bool is_a_notice = is_notice(expectation.message);
  expectation.message = kPaid;
  if (is_a_notice) {
    const bool was_certain =
        expectation.certainty == ExpectedDelivery::Certainty::kCertain ||
        (expectation.certainty == ExpectedDelivery::Certainty::kIfThere && member.is_in);
    if (!was_certain) return;
    ++lost_notices_[member.shard];
    has_lost_farewell_ = has_lost_farewell_ || expectation.is_farewell;
  } else {
    --owed_[member.shard];
    ++lost_[member.shard];
  }
  const ModelRoom& room = members_.rooms[member.room];
  const bool is_of_this_room = member.creation == room.creations;
  if (is_of_this_room && room.accepted <= kFewMessages) has_lost_unfairly_ = true;
}

void ExpectedDeliveries::drop_paid(Membership& member) {
  while (member.first_expected < member.expected.size() &&
         member.expected[member.first_expected].message == kPaid) {
    ++member.first_expected;
  }
  if (member.first_expected == member.expected.size()) {
    member.expected.clear();
    member.first_expected = 0;
  }
}

}  // namespace chatd::sim
