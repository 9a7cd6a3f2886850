// A relay and members with protocol v2 (client::LogSession) on one clock, with a network between
// them that loses, doubles and reorders datagrams by seed. No sockets: what one side has to send is
// put into a queue by time, and arrives at the other.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "client/lib/log_session.h"
#include "client/lib/request.h"
#include "client/lib/response.h"
#include "core/relay/relay.h"
#include "tests/unit/core/relay_kit.h"

namespace chatd::test {

struct Network {
  double loss = 0;
  double duplicates = 0;
  TimeMs delay_ms = 10;
  TimeMs jitter_ms = 0;  // beyond the delay
  // All members are programs on one host with one receive buffer, which is read once a millisecond:
  // what it has no room for is lost. In bytes as the kernel counts them; 0: there is always room.
  std::size_t host_buffer_bytes = 0;
  // What the way to members takes in one piece; larger datagrams are lost unless they may be cut.
  std::size_t path_bytes = 65'507;
};

// A member with protocol v2, and what it was told.
struct SealedMember {
  std::string name;
  Token token;
  Endpoint from;
  std::unique_ptr<client::LogSession> session;
  std::vector<client::LogEvent> events;
  // Datagrams, in the order in which they came to it.
  std::vector<std::string> arrived;

  // What was said, joined and left, as text, in the order in which it was told.
  std::vector<std::string> log() const;
  // The same, but only what was said: "alice: hello".
  std::vector<std::string> heard() const;
  // Numbers of entries that were told.
  std::vector<std::uint64_t> numbers() const;
  std::uint64_t count(client::LogEvent::Kind kind) const;
};

// A member with protocol v1, who hears what is in LogWorld::heard_by_v1.
struct PlainMember {
  Endpoint from;
  Token token;

  // What it says in this room, as a datagram.
  std::string with(std::string_view room, std::string_view payload) const;
};

// Another client in the same world, of whatever kind.
struct Guest {
  Endpoint from;
  std::function<void(std::string_view)> on_datagram;
  std::function<void()> on_deadline;
  std::function<std::optional<TimeMs>()> next_deadline;
  std::function<std::optional<std::string>()> next_datagram;
};

class LogWorld {
 public:
  explicit LogWorld(const Network& network = {}, std::uint64_t seed = 1,
                    const RelayConfig& config = LogWorld::config());

  // Nobody is limited, so that tests may say much in no time.
  static RelayConfig config();
  // And of the past no more than so many entries are kept.
  static RelayConfig config_that_keeps(std::uint32_t entries);

  SealedMember& create(std::string_view room, std::string_view name, std::uint32_t history = 0);
  SealedMember& join(std::string_view room, std::string_view name);
  // A join as it is answered: over TLS or not.
  tl::expected<client::Entry, client::Error> ask(const client::EntryRequest& request,
                                                 const Endpoint& from, bool is_encrypted = true);
  PlainMember join_v1(std::string_view room, std::string_view name);
  SealedMember& add(const client::EntryRequest& request, const Endpoint& from);

  void say(SealedMember& who, std::string_view text);
  // Time goes on, and everything that is due happens.
  void run_for(TimeMs duration_ms);
  // Until every member has everything and nothing is under way, or so long. False: it has not come
  // to that.
  bool settle(TimeMs at_most_ms = 60'000);

  // Empty: nobody waits for anything, and all members of a room know the same.
  std::string why_not_settled() const;

  // A datagram arrives at the relay, as it is.
  void deliver(const Endpoint& from, std::string_view bytes);
  // Another relay goes on in place of this one.
  void hand_over();
  // Another relay begins in place of this one, and knows nothing.
  void start_afresh();

  // Where the relay sends what is for it.
  const Endpoint& bound_of(const SealedMember& member) const;
  std::uint64_t count(Counter counter) const { return relay->counters()[counter]; }
  Endpoint next_endpoint() { return at("127.0.0.1", next_port_++); }

  TimeMs now_ms = 1'000'000;
  Network network;
  // Of whoever enters from here on.
  client::LogSessionOptions session_options;
  std::unique_ptr<Relay> relay;
  Outbox out;
  std::deque<SealedMember> members;
  std::deque<Guest> guests;
  // What members with protocol v1 have heard, by port.
  std::map<std::uint16_t, std::vector<std::string>> heard_by_v1;
  // What arrived at the relay last, for tests that send it again.
  std::vector<std::string> to_relay;

 private:
  struct InFlight {
    bool is_to_relay;
    Endpoint from;
    Endpoint to;
    std::string bytes;
  };

  void send(InFlight datagram);
  void arrive(const InFlight& datagram);
  bool has_room_at_host(const InFlight& datagram);
  void step();
  void collect(SealedMember& member);
  void collect(Guest& guest);
  void empty_outbox();
  bool is_settled() const { return why_not_settled().empty(); }
  TimeMs next_time() const;

  RelayConfig config_;
  std::mt19937_64 random_;
  std::multimap<TimeMs, InFlight> in_flight_;
  std::uint16_t next_port_ = 30'000;
  TimeMs host_read_at_ms_ = 0;
  std::size_t host_bytes_ = 0;  // that came since
};

}  // namespace chatd::test
