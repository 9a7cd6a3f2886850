// Members of LogWorld that stay over several sessions, as a program with sockets would keep them.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/lib/log_member.h"
#include "tests/unit/client/log_world.h"

namespace chatd::test {

// Somebody with a LogMember, who asks for the seat again as its sockets would.
class LogPerson {
 public:
  LogPerson(LogWorld& world, client::EntryRequest request, client::LogMember::Options options = {})
      : world_(world), guest_(world.guests.emplace_back()) {
    request.protocol = 2;
    guest_.from = world.next_endpoint();
    auto entry = world.ask(request, guest_.from);
    EXPECT_TRUE(entry.has_value()) << (entry ? "" : entry.error().reason);
    options.server_name = "the server";
    member_ = std::make_unique<client::LogMember>(std::move(request), std::move(*entry),
                                                  std::move(options), world.now_ms);
    guest_.on_datagram = [this](std::string_view bytes) {
      member_->on_datagram(world_.now_ms, bytes);
      collect();
    };
    guest_.on_deadline = [this] {
      member_->on_deadline(world_.now_ms);
      come_back();
      collect();
    };
    guest_.next_deadline = [this] { return member_->next_deadline(); };
    guest_.next_datagram = [this] { return member_->next_datagram(world_.now_ms); };
  }

  client::LogMember& operator*() { return *member_; }
  std::uint64_t say(std::string_view text) { return member_->say(world_.now_ms, text); }
  // While false, nobody answers its requests.
  bool has_tls = true;
  // Times that it has asked.
  int asked = 0;

  const std::vector<client::Event>& events() const { return events_; }
  // What was said, lost and told of the server, in order.
  std::vector<std::string> log() const {
    std::vector<std::string> lines;
    for (const client::Event& event : events_) {
      if (event.kind == client::Event::Kind::kMessage)
        lines.push_back(event.name + ": " + event.text);
      if (event.kind == client::Event::Kind::kLost)
        lines.push_back("lost " + std::to_string(event.count));
    }
    return lines;
  }
  std::ptrdiff_t count(client::Event::Kind kind) const {
    return std::count_if(events_.begin(), events_.end(),
                         [kind](const client::Event& event) { return event.kind == kind; });
  }
  const client::Event& last() const { return events_.back(); }

 private:
  void come_back() {
    while (const auto request = member_->wants_entry(world_.now_ms)) {
      ++asked;
      auto entry = has_tls ? world_.ask(*request, guest_.from)
                           : client::failure(client::ErrorKind::kUnreachable, "no way");
      if (entry) {
        guest_.from = world_.next_endpoint();  // another socket
        member_->on_entered(world_.now_ms, std::move(*entry));
      } else {
        member_->on_not_entered(world_.now_ms, entry.error());
      }
    }
  }
  void collect() {
    while (auto event = member_->next_event()) events_.push_back(std::move(*event));
  }

  LogWorld& world_;
  Guest& guest_;
  std::unique_ptr<client::LogMember> member_;
  std::vector<client::Event> events_;
};

inline client::EntryRequest join(const std::string& name) {
  return {.room = "kitchen", .username = name};
}
inline client::EntryRequest create(const std::string& name) {
  return {.operation = Operation::kCreate, .room = "kitchen", .username = name};
}

}  // namespace chatd::test
