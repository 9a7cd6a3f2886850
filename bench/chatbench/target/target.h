// One kind of server under test, with all its members: chatd, or another that the same workload is
// put through. The engine decides who says what and when, and checks what arrives; a target knows
// how a member joins a room of this server, how a message leaves and how deliveries come in.
//
// Members are numbered 0..rooms * members_per_room - 1, room by room: member m is in room
// m / members_per_room. What a member says goes to everyone else in its room; a target whose server
// also returns it to its sender (a broker does) drops that copy, or does not ask for it.
//
// Calls are virtual per message sent and per batch received, never per delivery.
// Thread: all on one.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "bench/chatbench/net/member_sockets.h"
#include "bench/chatbench/report/run_result.h"
#include "client/net/address.h"

namespace chatd::bench {

// How many there are, and how far they may go.
struct Population {
  std::uint32_t rooms = 1;
  std::uint32_t members_per_room = 2;
  std::uint32_t senders_per_room = 1;  // the first ones of each room

  std::uint32_t members() const { return rooms * members_per_room; }
  std::uint32_t room_of(std::uint32_t member) const { return member / members_per_room; }
};

// How long check_server() waits for an answer.
inline constexpr std::int64_t kCheckPatienceMs = 5'000;

struct TargetConfig {
  std::string host = "127.0.0.1";  // a name or a literal address
  std::uint16_t tcp_port = 0;
  std::uint16_t udp_port = 0;
  Population population;
  std::uint32_t max_payload_bytes = 128;  // the largest that queue() will be given

  // Brokers: connections are in TLS, and these certificates are trusted; empty: in clear.
  std::string tls_ca_path;

  // Joining.
  std::uint32_t joins_per_connection = 1;  // pipelined
  std::uint32_t connections = 64;          // at a time, while members join
  double joins_per_s = 0;                  // at most; 0: as fast as they are answered
  std::int64_t timeout_ms = 10'000;        // without any progress

  // The first member's, on loopback (bench/chatbench/net/member_sockets.h).
  std::uint32_t first_address = kFirstMemberAddress;

  // How often a member is heard, if it says nothing.
  std::int64_t heartbeat_ms = 120'000;

  // UDP.
  std::uint32_t sockets = 0;  // that the members share; 0: as many as joins_per_connection
  bool one_socket_per_client = false;
  bool gro = true;
  bool gso = true;  // what a member says in one go leaves as one train
  std::uint64_t receive_buffer_bytes = 64 * 1024 * 1024;  // of each socket

  // Called now and then while members join, with how many are in.
  std::function<void(std::uint32_t joined)> on_progress = [](std::uint32_t) {};
  // Readable: whoever waits gives up at once (-1: never). It stays readable.
  int interrupt_fd = -1;
};

struct Joined {
  std::uint64_t members = 0;
  std::uint64_t connections = 0;  // that it took
  bool has_own_sockets = false;   // each member has one, asked for or not
};

// A message as `member` got it. The view is valid until the next receive().
struct Delivery {
  std::uint32_t member;
  std::string_view payload;  // as it was queued, without the server's framing
};

// What went wrong on this side of the wire, since the target was made.
struct ClientErrors {
  std::uint64_t unsent = 0;         // messages that the kernel refused for good
  std::uint64_t receive_drops = 0;  // datagrams (or trains of them) that found a buffer full
};

class Target {
 public:
  Target() = default;
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;
  virtual ~Target() = default;

  // All members in their rooms, ready to send and to receive. Blocks. The error is a sentence or
  // more: what failed, and what to do about it.
  virtual tl::expected<Joined, std::string> connect() = 0;

  // `member` says `payload`, which is copied. Nothing is sent before flush(), unless memory for
  // what is queued runs out.
  virtual void queue(std::uint32_t member, std::string_view payload) = 0;
  // Sends what is queued; never waits. What the kernel does not take yet stays queued.
  virtual void flush() = 0;

  // For poll(2), POLLIN: receive() has something to do.
  virtual int poll_fd() const = 0;
  // Appends what has arrived, a bounded number at a time: nothing appended means that nothing is
  // left. Goes on with what flush() had to leave.
  virtual void receive(std::vector<Delivery>& out) = 0;

  // Where the server receives messages over UDP: so that its socket can be looked at, when the
  // server is on this machine. Once connect() has found it.
  virtual std::optional<client::Address> server_udp_address() const { return std::nullopt; }

  // Whether the server is still there, asked in its own protocol by somebody who is not a member.
  // Blocks for some seconds at most. The error is a sentence that says how it is not.
  virtual tl::expected<void, std::string> check_server() { return {}; }

  // What keeps members alive: called some hundred times a second.
  virtual void maintain() {}

  virtual ClientErrors faults() const = 0;

  // What members have done about loss, since the target was made; nothing where the protocol leaves
  // it to TCP, or to nobody.
  virtual std::optional<RepairCounts> repairs() const { return std::nullopt; }

  // Members that the server has thrown out or does not know, or whose connection broke.
  virtual std::uint64_t members_lost() const { return 0; }
  // How often the server said that somebody sends more than its limits allow.
  virtual std::uint64_t warnings() const { return 0; }

  // Whole sentences for the person who runs this: what is not as it was asked for.
  virtual std::vector<std::string> remarks() const { return {}; }

  // Everybody leaves, politely where the server's protocol knows how to. Bounded to some seconds.
  virtual void disconnect() = 0;
};

}  // namespace chatd::bench
