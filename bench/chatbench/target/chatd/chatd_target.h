// chatd: joins over TCP, messages over UDP (docs/reference/protocol.md).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/chatbench/net/member_sockets.h"
#include "bench/chatbench/target/target.h"
#include "core/wire/v1/token.h"

namespace chatd::bench {

class ChatdTarget final : public Target {
 public:
  explicit ChatdTarget(TargetConfig config);

  tl::expected<Joined, std::string> connect() override;
  void queue(std::uint32_t member, std::string_view payload) override;
  void flush() override { sockets_->flush(); }
  int poll_fd() const override { return sockets_->poll_fd(); }
  void receive(std::vector<Delivery>& out) override;
  std::optional<client::Address> server_udp_address() const override;
  tl::expected<void, std::string> check_server() override;
  void maintain() override;
  ClientErrors faults() const override;
  std::uint64_t members_lost() const override { return members_lost_; }
  std::uint64_t warnings() const override { return warnings_; }
  std::vector<std::string> remarks() const override { return remarks_; }
  void disconnect() override;

 private:
  bool take_notice(std::string_view payload);
  void discard();
  void leave(std::uint32_t room);

  TargetConfig config_;
  std::vector<std::string> rooms_;
  std::optional<client::Address> tcp_;  // of the server, once it is known
  std::unique_ptr<MemberSockets> sockets_;
  std::vector<Token> tokens_;
  std::string head_;  // of the datagram that is being queued
  std::vector<std::string> remarks_;
  std::uint64_t members_lost_ = 0;
  std::uint64_t warnings_ = 0;
  std::uint64_t members_told_ = 0;  // that their room has ended, once we leave
  bool leaves_ = false;

  // Heartbeats.
  std::int64_t joined_ms_ = 0;
  std::uint64_t beats_ = 0;
};

}  // namespace chatd::bench
