// Members of one of the two bare relays, naive and lower-bound (bench/baselines/bare_relay.h): a
// member registers with a datagram of its own, and from then on whatever comes from its address is
// a message.
//
// Neither relay has TCP: which of a name's addresses is the relay's, and later whether it is still
// there, is found out by registering one more, who never says anything.
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

#include "bench/chatbench/net/member_sockets.h"
#include "bench/chatbench/target/target.h"

namespace chatd::bench {

class UdpTarget final : public Target {
 public:
  explicit UdpTarget(TargetConfig config);

  tl::expected<Joined, std::string> connect() override;
  void queue(std::uint32_t member, std::string_view payload) override;
  void flush() override { sockets_->flush(); }
  int poll_fd() const override { return sockets_->poll_fd(); }
  void receive(std::vector<Delivery>& out) override;
  std::optional<client::Address> server_udp_address() const override { return server_; }
  tl::expected<void, std::string> check_server() override;
  ClientErrors faults() const override {
    return {.unsent = sockets_->unsent(), .receive_drops = sockets_->receive_drops()};
  }
  void disconnect() override {}  // the relays know no leaving

 private:
  tl::expected<void, std::string> open_sockets();
  tl::expected<std::uint32_t, std::string> register_all();
  void register_again(std::uint32_t first, std::uint32_t end);
  std::uint32_t take_acknowledgements();

  TargetConfig config_;
  std::optional<client::Address> server_;  // once it is known
  std::unique_ptr<MemberSockets> sockets_;
  std::vector<std::string> prefixes_;  // by member: what stands before a message
  std::vector<bool> is_in_;            // by member
  std::string room_stem_;
};

}  // namespace chatd::bench
