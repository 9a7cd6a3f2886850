// chatd with protocol v2: joins over TLS, and each member is a whole client of its own
// (client/lib/log_session.h): it opens what comes, asks for what is missing, says again what is not
// echoed. A message counts as delivered when the entry is there and all before it are.
//
// In a mixed room every other member speaks v1, the first among them, who alone says something: its
// payload reaches all members with the same bytes, in entries and in datagrams. What a member with
// v2 says would be longer for those with v1, and the figures of two kinds of room no comparison.
//
// The joins are made one after the other, several on a connection: how fast they are is measured
// with protocol v1, and by perf/handshakes. Thread: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/chatbench/net/member_sockets.h"
#include "bench/chatbench/target/target.h"
#include "client/lib/log_session.h"
#include "client/lib/response.h"
#include "client/net/tls_connection.h"
#include "core/wire/v1/token.h"

namespace chatd::bench {

class ChatdV2Target final : public Target {
 public:
  enum class Rooms : std::uint8_t { kV2, kMixed };
  explicit ChatdV2Target(TargetConfig config, Rooms rooms = Rooms::kV2);

  tl::expected<Joined, std::string> connect() override;
  void queue(std::uint32_t member, std::string_view payload) override;
  void flush() override;
  int poll_fd() const override { return sockets_->poll_fd(); }
  void receive(std::vector<Delivery>& out) override;
  std::optional<client::Address> server_udp_address() const override;
  tl::expected<void, std::string> check_server() override;
  void maintain() override;
  ClientErrors faults() const override;
  std::optional<RepairCounts> repairs() const override;
  std::uint64_t members_lost() const override { return members_lost_; }
  std::uint64_t warnings() const override { return warnings_; }
  void disconnect() override;

 private:
  struct Member {
    std::unique_ptr<client::LogSession> session;  // null: it speaks v1
    bool is_dirty = false;                        // the session may have something to send
    Token token;                                  // v1
    TimeMs beat_at_ms = 0;                        // v1: it is to be heard then
  };

  tl::expected<client::TlsConnection, std::string> call(std::uint32_t member,
                                                        std::int64_t timeout_ms);
  tl::expected<client::Entry, std::string> join(client::TlsConnection& connection,
                                                std::uint32_t member);
  tl::expected<void, std::string> open_sockets();
  tl::expected<void, std::string> join_all();
  tl::expected<void, std::string> hear_of_joins();
  void mark(std::uint32_t member);
  void send_from(std::uint32_t member);
  bool speaks_v1(std::uint32_t member) const;
  void queue_v1(std::uint32_t member, std::string_view payload);
  void take_v1(std::uint32_t member, std::string_view datagram, std::vector<Delivery>& out);
  void beat_v1(std::uint32_t member, TimeMs now_ms);
  void deliver(std::uint32_t member, std::string text, std::vector<Delivery>& out);
  std::string room_name(std::uint32_t member) const;
  bool is_in(std::uint32_t member) const;
  bool has_ended(std::uint32_t room) const;
  void take_events(std::uint32_t member, std::vector<Delivery>& out);

  TargetConfig config_;
  Rooms rooms_;
  std::optional<client::TlsContext> tls_;
  std::optional<client::Address> tcp_;
  std::optional<client::Address> udp_;
  std::string room_stem_;
  std::unique_ptr<MemberSockets> sockets_;
  std::vector<Member> members_;
  std::vector<std::uint32_t> dirty_;
  std::string head_;                 // of the v1 datagram that is being queued
  std::vector<std::string> texts_;   // that the deliveries of a batch point into
  std::uint32_t next_deadline_ = 0;  // the member whose deadline is looked at next
  bool has_own_sockets_ = false;
  std::uint64_t connections_ = 0;
  std::uint64_t members_lost_ = 0;
  std::uint64_t warnings_ = 0;
};

}  // namespace chatd::bench
