// The relay in a shard, held against the model: each call is first told to the model, then made,
// and what has come of it is checked (audit.h).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "core/relay/relay.h"
#include "tests/sim/audit.h"
#include "tests/sim/model.h"
#include "tests/sim/requests.h"
#include "tests/sim/world.h"

namespace chatd::sim {

class AuditedRelay final : public Relay {
 public:
  AuditedRelay(World& world, Model& model, Audit& audit, Requests& requests,
               const RelayConfig& config, TimeMs now_ms);

  std::size_t on_datagrams(TimeMs now_ms, std::span<const ReceivedDatagram> batch,
                           Outbox& out) override;
  void serve_rooms(Outbox& out) override;
  void drop_waiting() override;
  bool on_request(TimeMs now_ms, const ConnectionId& from, const IpAddress& peer,
                  const FrameView& frame, PeerShards& peers, std::string& reply,
                  Outbox& out) override;
  void write_lists(TimeMs now_ms, PeerShards& peers) override;
  void on_shard_message(TimeMs now_ms, ShardMessage&& message, PeerShards& peers,
                        Outbox& out) override;
  bool open_connection(TimeMs now_ms, const IpAddress& peer) override;
  void release_connection(const IpAddress& peer) override;
  void on_unreachable(TimeMs now_ms, const Endpoint& destination, Outbox& out) override;
  void on_deadline(TimeMs now_ms, Outbox& out) override;
  bool prepare_snapshot(Outbox& out) override;
  bool disconnect_all(Outbox& out) override;

  // The operator's (operator.h), in an task.
  void kick_audited(TimeMs now_ms, std::uint32_t room, std::uint32_t name, Outbox& out);
  void close_room_audited(std::uint32_t room, Outbox& out);
  void set_limits_audited(const Limits& limits, Outbox& out);
  void start_drain_audited(Outbox& out);

  // What another relay has counted is not this one's.
  void on_restored();
  // After a turn.
  void check_counters();

 private:
  void begin(const Outbox& out, Audit::Call call = Audit::Call::kOther);
  void end(const Outbox& out, std::size_t datagram_bytes = 0);
  void count_turned_away();
  void check_list(const std::string& frames);
  void take(TimeMs now_ms, const ReceivedDatagram& datagram, Outbox& out);
  bool is_gone(const Membership& member) const;
  void note_accepted();
  void deliver(PeerShards& peers);
  std::uint32_t host_of(const IpAddress& peer) const;

  World& world_;
  Model& model_;
  Audit& audit_;
  Requests& requests_;
  const std::uint8_t shard_;
  // What the shard has counted itself.
  std::uint64_t mailbox_full_ = 0;
  std::uint64_t refused_ = 0;      // requests, by the end of the last call
  std::uint64_t turned_away_ = 0;  // of connections beyond the limit
};

}  // namespace chatd::sim
