// What one call of the relay must tell members with protocol v2 besides entries as they come: where
// the log ends, what is refused, that a session is over, that an address is to be proven; and what
// they have asked for again.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/base/endpoint.h"
#include "core/wire/v2/frames.h"
#include "tests/sim/sessions.h"

namespace chatd::sim {

class SealedExpectations {
 public:
  struct Head {
    std::uint64_t last;
    bool operator==(const Head&) const = default;
  };
  struct Refusal {
    std::uint64_t client_number;
    v2::RefusalReason reason;
    bool operator==(const Refusal&) const = default;
  };
  struct Taken {
    std::uint64_t client_number;
    bool operator==(const Taken&) const = default;
  };
  struct Closing {
    v2::CloseReason reason;
    bool operator==(const Closing&) const = default;
  };
  struct Challenge {
    bool operator==(const Challenge&) const = default;
  };
  using Frame = std::variant<Head, Refusal, Taken, Closing, Challenge>;

  void clear() {
    frames_.clear();
    repairs_.clear();
    not_stored_.clear();
  }

  // `is_certain`: it must come; otherwise it may.
  void expect(SealedSession& session, const Endpoint& to, const Frame& frame,
              bool is_certain = true) {
    frames_.push_back({&session, to, frame, is_certain});
  }
  // False: it was not to come, or not there.
  bool take(const SealedSession& session, const Endpoint& to, const Frame& frame) {
    const auto found = std::find_if(frames_.begin(), frames_.end(), [&](const Expected& one) {
      return one.session == &session && one.to == to && one.frame == frame;
    });
    if (found == frames_.end()) return false;
    frames_.erase(found);
    return true;
  }
  // What the session has said, and may find no memory: it is refused then, and told so if it can
  // be told anything.
  struct NotStored {
    SealedSession* session;
    std::uint64_t client_number;
    bool operator==(const NotStored&) const = default;
  };
  void may_not_store(const NotStored& one) { not_stored_.push_back(one); }
  // False: it was told so already, or has not just said it.
  bool take_not_stored(const NotStored& one) { return std::erase(not_stored_, one) > 0; }
  // Of which it was not told.
  const std::vector<NotStored>& not_stored() const { return not_stored_; }
  // What has not come; empty: nothing.
  std::string missing() const;

  // The session has asked for these numbers. Of each such question the first must be answered, if
  // there is any room for it.
  void expect_repair(const SealedSession& session, std::vector<v2::Range> missing) {
    repairs_.push_back({&session, std::move(missing)});
  }
  bool asks(const SealedSession& session) const {
    return std::any_of(repairs_.begin(), repairs_.end(),
                       [&](const Repair& one) { return one.session == &session; });
  }
  // False: they were not asked for.
  bool take_repair(const SealedSession& session, const v2::Range& numbers);
  // A question to which nothing was sent.
  bool has_unanswered_repair() const {
    return std::any_of(repairs_.begin(), repairs_.end(),
                       [](const Repair& one) { return !one.is_answered && !one.missing.empty(); });
  }

 private:
  struct Expected {
    SealedSession* session;
    Endpoint to;
    Frame frame;
    bool is_certain;
  };
  struct Repair {
    const SealedSession* session;
    std::vector<v2::Range> missing;
    bool is_answered = false;
  };

  std::vector<Expected> frames_;
  std::vector<Repair> repairs_;
  std::vector<NotStored> not_stored_;
};

}  // namespace chatd::sim
