#include "server/config/table.h"

#include <algorithm>
#include <type_traits>

#include "core/wire/token.h"

namespace chatd::config {
namespace {

using Type = Kind::Type;

constexpr Group kNetwork{"network", "Network"};
constexpr Group kDataPlane{"data_plane", "Data plane"};
constexpr Group kLimits{"limits", "Limits"};
constexpr Group kAbuse{"abuse", "Limits against abuse (0: no limit)"};
constexpr Group kLife{"life", "Life"};
constexpr Group kAdmin{"admin", "Admin endpoint"};
constexpr Group kLog{"log", "Log", "log_"};

constexpr bool kRestart = true;
constexpr bool kReload = false;

Kind number(std::uint64_t lowest, std::uint64_t highest) {
  return {Type::kNumber, "NUMBER", lowest, highest};
}
Kind port() {
  return {Type::kNumber, "PORT", 0, 65'535};
}
Kind buffer() {
  return {Type::kSize, "SIZE", 4096, 1u << 30};
}
Kind duration() {
  return {Type::kDuration, "DURATION"};
}
Kind either(const char* off, const char* on) {
  return {Type::kSwitch, "MODE", 0, 1, {off, on}};
}
Kind abuse_limit() {
  return number(0, 1'000'000'000);
}

std::vector<Row> network_rows() {
  return {
      {&kNetwork,
       "host",
       {Type::kText, "HOST"},
       kRestart,
       "Address or name to listen on; :: is IPv6 and IPv4",
       [](Options& o) -> Field { return &o.host; }},
      {&kNetwork, "tcp_port", port(), kRestart, "Control port (0: a free one)",
       [](Options& o) -> Field { return &o.tcp_port; }},
      {&kNetwork, "udp_port", port(), kRestart, "Message port (0: a free one)",
       [](Options& o) -> Field { return &o.udp_port; }},
  };
}

std::vector<Row> data_plane_rows() {
  return {
      {&kDataPlane, "gso", either("off", "auto"), kRestart,
       "Send several messages for one member as one train (UDP_SEGMENT): auto, if kernel and path "
       "support it, or off",
       [](Options& o) -> Field { return &o.gso; }},
      {&kDataPlane, "mtu", number(576, 65'536), kRestart,
       "Smallest MTU on the way to members, in bytes; longer messages travel alone and may be "
       "fragmented",
       [](Options& o) -> Field { return &o.mtu_bytes; }},
      {&kDataPlane, "receive_buffer", buffer(), kRestart, "Receive buffer of each UDP socket",
       [](Options& o) -> Field { return &o.receive_buffer_bytes; }},
      {&kDataPlane, "send_buffer", buffer(), kRestart, "Send buffer of each UDP socket",
       [](Options& o) -> Field { return &o.send_buffer_bytes; }},
      {&kDataPlane,
       "shards",
       {Type::kShards, "N|auto"},
       kRestart,
       "Threads, each of which serves a part of the rooms: a number, or auto for one per processor "
       "that chatd may use, limited by its CPU quota (cgroups), rounded up",
       [](Options& o) -> Field { return &o.shards; }},
  };
}

// Memory for rooms, members and connections is reserved at the start.
std::vector<Row> limit_rows() {
  return {
      {&kLimits, "idle_timeout", duration(), kReload,
       "Remove a member that sends no datagram for this time (300s, 500ms, 5min)",
       [](Options& o) -> Field { return &o.limits.idle_timeout_ms; }},
      {&kLimits, "handshake_timeout", duration(), kReload,
       "Close a connection that completes no request within this time",
       [](Options& o) -> Field { return &o.limits.handshake_timeout_ms; }},
      {&kLimits, "max_rooms", number(1, 10'000'000), kRestart, "Maximum number of rooms",
       [](Options& o) -> Field { return &o.limits.max_rooms; }},
      {&kLimits, "max_members", number(1, kMaxTokenSlot), kRestart,
       "Maximum number of members, in all rooms",
       [](Options& o) -> Field { return &o.limits.max_members; }},
      {&kLimits, "max_room_members", number(1, kMaxTokenSlot), kRestart,
       "Maximum number of members of one room",
       [](Options& o) -> Field { return &o.limits.max_room_members; }},
      {&kLimits, "max_connections", number(1, 1'000'000), kRestart,
       "Maximum number of control connections",
       [](Options& o) -> Field { return &o.limits.max_connections; }},
      {&kLimits, "max_frame_bytes", number(1024, 1u << 29), kRestart,
       "Maximum size of a control frame, in bytes",
       [](Options& o) -> Field { return &o.limits.max_frame_bytes; }},
      {&kLimits, "max_notified_members", number(0, kMaxTokenSlot), kReload,
       "Rooms with more members get no notices of joins and leaves",
       [](Options& o) -> Field { return &o.limits.max_notified_members; }},
      {&kLimits, "max_source_answers", number(0, 1000), kReload,
       "Answers per second to a source that is not authenticated (0: none)",
       [](Options& o) -> Field { return &o.limits.max_source_answers_per_s; }},
      {&kLimits, "roaming", either("off", "same-ip"), kReload,
       "Whether a member may move to another port of its IP: off or same-ip",
       [](Options& o) -> Field { return &o.limits.roaming_same_ip; }},
  };
}

std::vector<Row> abuse_rows() {
  return {
      {&kAbuse, "limits", either("off", "on"), kReload,
       "off disables the limits of this group, except those that are set explicitly: for a "
       "benchmark in a closed network",
       [](Options& o) -> Field { return &o.has_abuse_limits; }},
      {&kAbuse, "max_member_messages", abuse_limit(), kReload,
       "Messages per second from one member, refused ones included; bursts of 2 s' worth",
       [](Options& o) -> Field { return &o.limits.abuse.max_member_messages_per_s; }},
      {&kAbuse, "max_member_bytes", abuse_limit(), kReload,
       "Bytes per second sent for one member's messages, once for each receiver; bursts of 2 s' "
       "worth",
       [](Options& o) -> Field { return &o.limits.abuse.max_member_bytes_per_s; }},
      {&kAbuse, "max_room_notices", abuse_limit(), kReload,
       "Notices of joins and leaves per second in one room; bursts of 5 s' worth",
       [](Options& o) -> Field { return &o.limits.abuse.max_room_notices_per_s; }},
      {&kAbuse, "max_address_rooms", abuse_limit(), kReload, "Rooms opened from one address",
       [](Options& o) -> Field { return &o.limits.abuse.max_address_rooms; }},
      {&kAbuse, "max_address_connections", abuse_limit(), kReload,
       "Control connections at a time from one address",
       [](Options& o) -> Field { return &o.limits.abuse.max_address_connections; }},
      {&kAbuse, "max_address_requests", abuse_limit(), kReload,
       "Requests per second from one address, and as many connections; bursts of 4 s' worth",
       [](Options& o) -> Field { return &o.limits.abuse.max_address_requests_per_s; }},
      {&kAbuse, "max_password_attempts", abuse_limit(), kReload,
       "Wrong passwords per minute from one address at one room",
       [](Options& o) -> Field { return &o.limits.abuse.max_password_attempts_per_min; }},
      {&kAbuse,
       "limit_loopback",
       {Type::kBool, "", 0, 1, {"false", "true"}},
       kReload,
       "Apply the limits per address to loopback addresses, too",
       [](Options& o) -> Field { return &o.limits.abuse.limit_loopback; }},
  };
}

std::vector<Row> life_rows() {
  return {
      {&kLife, "drain_timeout", duration(), kReload,
       "End a drain (SIGUSR2) after this time, even if members are left",
       [](Options& o) -> Field { return &o.drain_timeout_ms; }},
  };
}

std::vector<Row> admin_rows() {
  return {
      {&kAdmin,
       "listen",
       {Type::kAdmin, "ADDRESS"},
       kRestart,
       "Endpoint for the status page, metrics and chatctl: 127.0.0.1:PORT, "
       "[::1]:PORT, unix:/PATH or off",
       [](Options& o) -> Field { return &o.admin; },
       "admin"},
  };
}

std::vector<Row> log_rows() {
  const Kind level{
      Type::kChoice, "LEVEL", 0, 0, {"trace", "debug", "info", "warn", "error", "critical", "off"}};
  return {
      {&kLog, "level", level, kReload, "trace, debug, info, warn, error, critical or off",
       [](Options& o) -> Field { return &o.log_level; }},
      {&kLog,
       "format",
       {Type::kChoice, "FORMAT", 0, 0, {"text", "json"}},
       kRestart,
       "text (as the journal wants it, under systemd) or json",
       [](Options& o) -> Field { return &o.log_format; }},
  };
}

std::string full_key(const Row& row) {
  if (row.full_name != nullptr) return row.full_name;
  return std::string(row.group->prefix) + row.key;
}

}  // namespace

std::string Row::toml_name() const {
  return std::string(group->name) + "." + key;
}

std::string Row::flag() const {
  std::string flag = "--" + full_key(*this);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

std::string Row::environment() const {
  std::string name = "CHATD_" + full_key(*this);
  for (char& c : name) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return name;
}

std::string Row::default_text() const {
  return text_of(*this, Options{});
}

const std::vector<Row>& all_rows() {
  static const std::vector<Row> kRows = [] {
    std::vector<Row> rows;
    for (const auto& part : {network_rows(), data_plane_rows(), limit_rows(), abuse_rows(),
                             life_rows(), admin_rows(), log_rows()}) {
      rows.insert(rows.end(), part.begin(), part.end());
    }
    return rows;
  }();
  return kRows;
}

const std::vector<const Group*>& all_groups() {
  static const std::vector<const Group*> kGroups = {&kNetwork, &kDataPlane, &kLimits, &kAbuse,
                                                    &kLife,    &kAdmin,     &kLog};
  return kGroups;
}

bool is_abuse_limit(const Row& row) {
  return row.group == &kAbuse && row.kind.type == Type::kNumber;
}

void store(const Row& row, const Value& value, Options& options) {
  const auto put = [&value](auto* field) {
    using Target = std::remove_pointer_t<decltype(field)>;
    if constexpr (std::is_same_v<Target, std::string>) {
      *field = value.text;
    } else {
      *field = static_cast<Target>(value.number);  // its kind's range fits the field
    }
  };
  std::visit(put, row.field(options));
}

void copy(const Row& row, const Options& from, Options& to) {
  Options source = from;
  const Field target = row.field(to);
  const auto put = [&target](const auto* field) {
    *std::get<std::remove_const_t<std::remove_pointer_t<decltype(field)>>*>(target) = *field;
  };
  std::visit(put, row.field(source));
}

std::string text_of(const Row& row, const Options& options) {
  Options copy = options;
  const auto get = [&row](const auto* field) -> std::string {
    if constexpr (std::is_same_v<std::remove_cv_t<std::remove_pointer_t<decltype(field)>>,
                                 std::string>) {
      return *field;
    } else {
      return write_number(row.kind, *field);
    }
  };
  return std::visit(get, row.field(copy));
}

}  // namespace chatd::config
