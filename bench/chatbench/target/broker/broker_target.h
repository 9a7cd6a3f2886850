// Members of a TCP message broker: one connection each, subscribed to the channel of its room, and
// the senders publish over theirs.
//
// The workload is chatd's: what a member says reaches everyone else in the room, and not itself.
// NATS and MQTT are told so. Redis cannot be: there, a room's only sender does not subscribe, so
// that the server has exactly the same deliveries to make. With several senders in a room each has
// to subscribe, and what comes back to it is dropped here: Redis then makes one delivery more for
// each message than is counted, which is to be remembered when its cost is read.
//
// With TLS the bytes are sealed, and nothing else changes.
//
// Thread: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "bench/chatbench/target/broker/broker_stream.h"
#include "bench/chatbench/target/broker/broker_tls.h"
#include "bench/chatbench/target/broker/codec.h"
#include "bench/chatbench/target/target.h"
#include "client/net/address.h"
#include "client/net/unique_fd.h"

namespace chatd::bench {

class BrokerTarget final : public Target {
 public:
  BrokerTarget(TargetConfig config, std::unique_ptr<BrokerCodec> codec);

  tl::expected<Joined, std::string> connect() override;
  void queue(std::uint32_t member, std::string_view payload) override;
  void flush() override;
  int poll_fd() const override { return epoll_.get(); }
  void receive(std::vector<Delivery>& out) override;
  tl::expected<void, std::string> check_server() override;
  // TCP refuses nothing: what a broker does not take waits, and what waits too long is lost there.
  ClientErrors faults() const override { return {}; }
  std::uint64_t members_lost() const override { return members_lost_; }
  void disconnect() override;

 private:
  // What has to come before a connection can send on.
  enum class Awaited : std::uint8_t {
    kNothing,
    kRoom,      // in the kernel's buffer
    kInput,     // of TLS
    kGreeting,  // in clear, after which TLS begins
  };
  struct Connection {
    BrokerStream stream;
    std::string unread;  // the beginning of an item
    std::string unsent;
    std::size_t sent_bytes = 0;  // of `unsent`
    std::uint64_t own_name = 0;
    Awaited awaited = Awaited::kNothing;
    bool has_answered = false;  // well or not
    bool is_ready = false;
    bool is_lost = false;
    bool is_queued = false;  // in to_flush_
  };

  BrokerCodec::Role role_of(std::uint32_t member) const;
  tl::expected<void, std::string> join_all();
  tl::expected<void, std::string> start_join(std::uint32_t member);
  // Connects, and introduces itself.
  tl::expected<void, std::string> open(std::uint32_t number, BrokerCodec::Role role,
                                       std::string_view name, std::string_view room);
  void write(std::uint32_t member);
  void take_off(Connection& connection, std::size_t sent_bytes);
  void await(std::uint32_t member, Awaited awaited);
  void watch(std::uint32_t member, int operation);
  // Whether anything was there to do.
  bool read_some(std::vector<Delivery>& out, int timeout_ms);
  void read(std::uint32_t member, std::vector<Delivery>& out);
  void take_greeting(std::uint32_t member, std::string_view bytes);
  std::size_t take_items(std::uint32_t member, std::string_view bytes, std::vector<Delivery>& out);
  void take_message(std::uint32_t member, std::string_view payload, std::vector<Delivery>& out);
  void lose(std::uint32_t member, std::string_view why);

  TargetConfig config_;
  std::unique_ptr<BrokerCodec> codec_;
  std::optional<client::Address> address_;  // of the broker, once it is known
  std::optional<BrokerTls> tls_;            // nothing: in clear
  UniqueFd epoll_;
  std::vector<Connection> connections_;  // by member; behind them a stranger's
  std::vector<std::string> room_names_;
  std::vector<std::uint32_t> to_flush_;
  std::vector<char> arena_;  // what receive() has read: deliveries point into it
  std::size_t arena_used_ = 0;
  std::uint32_t ready_ = 0;
  std::uint64_t members_lost_ = 0;
  std::size_t pending_bytes_ = 0;  // in `unsent` of all connections, and not sent
  std::string last_trouble_;
};

}  // namespace chatd::bench
