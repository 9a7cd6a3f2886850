// Someone with protocol v2, through the client library. What he says arrives, or the library says
// that it does not; he keeps both, and all that he hears, for the audit at the end.
#pragma once

#include <chatd/client.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/resilience/faults/test_client.h"
#include "tests/support/chatd_server.h"

namespace chatd::test {

class SealedClient {
 public:
  explicit SealedClient(std::string name) : name_(std::move(name)) {}

  Entry enter(bool creates, const ChatdServer& server, const std::string& room, Deadline deadline);
  bool is_in() const { return room_ && !room_->is_over(); }

  // The number by which was_delivered() asks; 0: he is out.
  std::uint64_t say(std::string_view text);
  // Takes what has come, and sends what is due.
  void pump();
  void leave();

  const std::string& name() const { return name_; }
  bool was_delivered(std::uint64_t id) const;
  // How often he has heard this, his own words too.
  std::size_t times_heard(std::string_view text) const;
  bool has_seen_leave(std::string_view name) const;
  // Entries that he will never get.
  std::uint64_t lost() const { return lost_; }

 private:
  std::string name_;
  std::optional<chatd_client::Room> room_;
  std::vector<std::uint64_t> delivered_;
  std::vector<std::string> heard_;
  std::vector<std::string> left_;
  std::uint64_t lost_ = 0;
};

}  // namespace chatd::test
