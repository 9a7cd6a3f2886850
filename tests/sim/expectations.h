// What the server itself has to say in one call of the relay: the notices that must come, each to
// exactly these addresses, and an answer that may. The texts are written here a second time, from
// docs/protocol.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/address/endpoint.h"

namespace chatd::sim {

enum class Notice : std::uint8_t { kJoined, kLeft, kDisconnected, kTooFast };

class Expectations {
 public:
  void clear() {
    notices_.clear();
    answer_.reset();
    echo_.reset();
  }

  // Opens a notice; then its destinations are added.
  void expect(Notice notice, std::string_view username);
  void to(const Endpoint& destination);
  // It is not certain who hears it, and whether: some of these, each once at most.
  void may_come() { notices_.back().is_certain = false; }

  void expect_answer(const Endpoint& to) { answer_ = to; }
  // Whether it was expected; then it is not any more.
  bool take_answer(const Endpoint& to);
  bool has_answer() const { return answer_.has_value(); }

  // A heartbeat that asks comes back as it was.
  void expect_echo(const Endpoint& to, std::size_t payload_bytes) { echo_ = {to, payload_bytes}; }
  bool take_echo(const Endpoint& to, std::string_view datagram);
  bool has_echo() const { return echo_.has_value(); }

  // What has come. False: nobody should have said so, or not to them.
  bool take_notice(std::string_view datagram, std::span<const Endpoint> destinations);
  // A notice that has not come; nothing when all have.
  std::optional<std::string> missing() const;

 private:
  struct Entry {
    std::string datagram;
    std::vector<Endpoint> destinations;
    bool is_certain = true;
    bool has_come = false;
  };
  static bool reaches(const Entry& entry, std::span<const Endpoint> destinations);

  std::vector<Entry> notices_;
  struct Echo {
    Endpoint to;
    std::size_t payload_bytes;
  };

  std::optional<Endpoint> answer_;
  std::optional<Echo> echo_;
};

}  // namespace chatd::sim
