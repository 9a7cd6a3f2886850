// What the model knows about addresses: what each may still ask for (docs/reference/protocol.md,
// "Limits"), and who has been answered without being a member.
//
// Where the relay remembers sources in a table of fixed size, two of them may share a place and
// what is in it. So a source may be kept back early, if another one has spent something shortly
// before; it is never let through late. Shortly before: what another one has spent is missing until
// the place has filled up again, and while the source goes on spending, it does not.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "core/base/ip_address.h"
#include "core/base/limits.h"
#include "core/base/time.h"
#include "tests/sim/bucket.h"
#include "tests/sim/world.h"

namespace chatd::sim {

class AddressBook {
 public:
  explicit AddressBook(const World& world) : world_(world), limits_(world.limits) { forget_all(); }

  void forget_all() {
    uses_.assign(world_.hosts.size() + 1, Use{});
    attempts_.assign(uses_.size() * world_.room_names.size(), Spender{});
    answers_.clear();
  }

  // Everybody may spend afresh, as under new limits. What is open stays counted.
  void forgive_requests() {
    for (Use& use : uses_) use.requests = use.arrivals = {};
  }
  // All of it, also what was spent on passwords and answers: as after a hot restart.
  void forgive_all() {
    forgive_requests();
    attempts_.assign(attempts_.size(), Spender{});
    answers_.clear();
  }

  bool may_ask(TimeMs now_ms, std::uint32_t host) {
    return is_exempt(host) || use(host).requests.take(now_ms, request_rate());
  }

  bool open_connection(TimeMs now_ms, std::uint32_t host) {
    const std::uint32_t most = limits_.abuse.max_address_connections;
    if (!is_exempt(host)) {
      if (most != 0 && use(host).connections >= most) return false;
      if (!use(host).arrivals.take(now_ms, request_rate())) return false;
    }
    ++use(host).connections;
    return true;
  }
  void close_connection(std::uint32_t host) {
    if (use(host).connections > 0) --use(host).connections;
  }

  bool may_open_room(std::uint32_t host) {
    const std::uint32_t most = limits_.abuse.max_address_rooms;
    return most == 0 || is_exempt(host) || use(host).rooms < most;
  }
  // Counted whether it is limited or not, for limits may change while it is open.
  void open_room(std::uint32_t host) { ++use(host).rooms; }
  void close_room(std::uint32_t host) { --use(host).rooms; }

  // Wrong passwords.
  bool may_guess(TimeMs now_ms, std::uint32_t host, std::uint32_t room) {
    return attempts(host, room).bucket.has(now_ms, attempt_rate(host));
  }
  void guessed_wrong(TimeMs now_ms, std::uint32_t host, std::uint32_t room) {
    attempts(host, room).spend(now_ms, attempt_rate(host));
  }
  bool has_another_guessed(TimeMs now_ms, std::uint32_t host, std::uint32_t room) {
    const Spender& own = attempts(host, room);
    const TimeMs since_ms = own.busy_since(now_ms, attempt_rate(host));
    for (const Spender& other : attempts_) {
      if (&other != &own && other.has_spent(since_ms, kMinuteMs)) return true;
    }
    return false;
  }

  // "You are not authenticated".
  bool may_answer(TimeMs now_ms, std::uint8_t shard, const IpAddress& to) {
    return limits_.max_source_answers_per_s != 0 &&
           answers_[{shard, to.bytes()}].bucket.has(now_ms, answer_rate());
  }
  void answered(TimeMs now_ms, std::uint8_t shard, const IpAddress& to) {
    answers_[{shard, to.bytes()}].spend(now_ms, answer_rate());
  }
  bool has_answered_another(TimeMs now_ms, std::uint8_t shard, const IpAddress& to) {
    const TimeMs since_ms = answers_[{shard, to.bytes()}].busy_since(now_ms, answer_rate());
    for (const auto& [source, spender] : answers_) {
      if (source.first == shard && source.second != to.bytes() &&
          spender.has_spent(since_ms, kSecondMs * world_.scenario.shards)) {
        return true;
      }
    }
    return false;
  }

 private:
  static constexpr TimeMs kSecondMs = 1000;
  static constexpr TimeMs kMinuteMs = 60'000;

  struct Use {
    std::uint32_t rooms = 0;
    std::uint32_t connections = 0;
    Bucket requests;
    Bucket arrivals;
  };
  struct Spender {
    Bucket bucket;
    TimeMs spent_ms = 0;
    TimeMs busy_since_ms = 0;

    void spend(TimeMs now_ms, const Bucket::Rate& rate) {
      busy_since_ms = busy_since(now_ms, rate);
      bucket.take(now_ms, rate);
      spent_ms = now_ms;
    }
    // Before that it has been at rest for as long as its place, and then another's debt, takes to
    // fill up.
    TimeMs busy_since(TimeMs now_ms, const Bucket::Rate& rate) const {
      const auto rest_ms = static_cast<TimeMs>(2 * rate.burst_ms);
      return has_spent(now_ms, rest_ms) ? busy_since_ms : now_ms;
    }
    bool has_spent(TimeMs now_ms, TimeMs within_ms) const {
      return spent_ms != 0 && now_ms < spent_ms + within_ms;
    }
  };

  bool is_exempt(std::uint32_t host) const {
    return world_.hosts[host].is_loopback && !limits_.abuse.limit_loopback;
  }
  Use& use(std::uint32_t host) { return uses_[world_.hosts[host].group]; }
  Spender& attempts(std::uint32_t host, std::uint32_t room) {
    return attempts_[world_.hosts[host].group * world_.room_names.size() + room];
  }
  Bucket::Rate request_rate() const {
    return {.units = limits_.abuse.max_address_requests_per_s, .burst_ms = 4000};
  }
  Bucket::Rate attempt_rate(std::uint32_t host) const {
    return {.units = is_exempt(host) ? 0 : limits_.abuse.max_password_attempts_per_min,
            .per_ms = 60'000,
            .burst_ms = 60'000};
  }
  // A source may choose among the shards, so each gives its share.
  Bucket::Rate answer_rate() const {
    const std::int64_t per_ms = kSecondMs * world_.scenario.shards;
    return {.units = limits_.max_source_answers_per_s, .per_ms = per_ms, .burst_ms = per_ms};
  }

  const World& world_;
  const Limits& limits_;
  std::vector<Use> uses_;          // by group
  std::vector<Spender> attempts_;  // by group and room
  std::map<std::pair<std::uint8_t, std::array<std::uint8_t, 16>>, Spender> answers_;
};

}  // namespace chatd::sim
