#include "server/config/table.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "core/wire/v1/token.h"

namespace chatd::config {
namespace {

using Kind = ValueType::Kind;

constexpr Section kNetwork{"network", "Network"};
constexpr Section kTls{"tls", "Control over TLS", "tls_"};
constexpr Section kDataPlane{"data_plane", "Data plane"};
constexpr Section kLimits{"limits", "Limits"};
constexpr Section kAbuse{"abuse", "Limits against abuse (0: no limit)"};
constexpr Section kBans{"bans", "Bans", "banned_"};
constexpr Section kLife{"life", "Life"};
constexpr Section kAdmin{"admin", "Admin endpoint"};
constexpr Section kLog{"log", "Log", "log_"};

constexpr bool kRestart = true;
constexpr bool kReload = false;

ValueType number(std::uint64_t lowest, std::uint64_t highest) {
  return {Kind::kNumber, "NUMBER", lowest, highest};
}
ValueType port() {
  return {Kind::kNumber, "PORT", 0, 65'535};
}
ValueType buffer() {
  return {Kind::kSize, "SIZE", 4096, 1u << 30};
}
ValueType duration() {
  return {Kind::kDuration, "DURATION"};
}
ValueType either(const char* off, const char* on) {
  return {Kind::kSwitch, "MODE", 0, 1, {off, on}};
}
ValueType abuse_limit() {
  return number(0, 1'000'000'000);
}

std::vector<OptionSpec> network_rows() {
  return {
      {&kNetwork,
       "host",
       {Kind::kText, "HOST"},
       kRestart,
       "Address or name to listen on; :: is IPv6 and IPv4",
       [](Options& o) -> Field { return &o.host; }},
      {&kNetwork, "tcp_port", port(), kRestart, "Control port (0: a free one)",
       [](Options& o) -> Field { return &o.tcp_port; }},
      {&kNetwork, "udp_port", port(), kRestart, "Message port (0: a free one)",
       [](Options& o) -> Field { return &o.udp_port; }},
  };
}

std::vector<OptionSpec> tls_rows() {
  return {
      {&kTls,
       "port",
       {Kind::kTlsPort, "PORT"},
       kRestart,
       "Control port that speaks TLS 1.3 (0: a free one); auto: 8001, or none if it is taken; off: "
       "none",
       [](Options& o) -> Field { return &o.tls_port; }},
      {&kTls,
       "certificate",
       {Kind::kText, "FILE"},
       kReload,
       "Certificate (PEM), the server's own first, then those that lead to an authority; "
       "self-signed: chatd makes one",
       [](Options& o) -> Field { return &o.tls_certificate; }},
      {&kTls,
       "key",
       {Kind::kText, "FILE"},
       kReload,
       "Its private key (PEM); in-certificate: it stands in the certificate's file",
       [](Options& o) -> Field { return &o.tls_key; }},
  };
}

std::vector<OptionSpec> data_plane_rows() {
  return {
      {&kDataPlane, "gso", either("off", "auto"), kRestart,
       "Send several messages for one member as one train (UDP_SEGMENT); auto: if kernel and path "
       "support it",
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
       {Kind::kShards, "N|auto"},
       kRestart,
       "Threads, each of which serves a part of the rooms: a number, or auto for one per processor "
       "that chatd may use, limited by its CPU quota (cgroups), rounded up",
       [](Options& o) -> Field { return &o.shards; }},
  };
}

// Whether one of Limits needs a restart is said where it is declared (core/base/limits.h).
using SizeMember = std::uint32_t SizeLimits::*;

template <auto kMember>
OptionSpec limit(const char* key, ValueType type, const char* description) {
  constexpr bool kIsSize = std::is_same_v<decltype(kMember), SizeMember>;
  return {&kLimits,        key,
          std::move(type), kIsSize ? kRestart : kReload,
          description,     [](Options& o) -> Field { return &(o.limits.*kMember); }};
}

std::vector<OptionSpec> limit_rows() {
  return {
      limit<&Limits::idle_timeout_ms>(
          "idle_timeout", duration(),
          "Remove a member that sends no datagram for this time (300s, 500ms, 5min)"),
      limit<&Limits::handshake_timeout_ms>(
          "handshake_timeout", duration(),
          "Close a connection that completes no request within this time"),
      limit<&Limits::max_rooms>("max_rooms", number(1, 10'000'000), "Maximum number of rooms"),
      limit<&Limits::max_members>("max_members", number(1, kMaxTokenSlot),
                                  "Maximum number of members, in all rooms"),
      limit<&Limits::max_room_members>("max_room_members", number(1, kMaxTokenSlot),
                                       "Maximum number of members of one room"),
      limit<&Limits::max_connections>("max_connections", number(1, 1'000'000),
                                      "Maximum number of control connections"),
      limit<&Limits::max_frame_bytes>("max_frame_bytes", number(1024, 1u << 29),
                                      "Maximum size of a control frame, in bytes"),
      limit<&Limits::max_notified_members>(
          "max_notified_members", number(0, kMaxTokenSlot),
          "Rooms with more members get no notices of joins and leaves"),
      limit<&Limits::history_entries>("history_messages", number(1, kMaxHistoryEntries),
                                      "What a room keeps of what was said, for members with "
                                      "protocol v2 who have missed some of "
                                      "it or come late: at most so many messages"),
      limit<&Limits::history_bytes>("history_bytes", number(4096, 1u << 30),
                                    "The same, in bytes; all rooms together share 16 MiB a shard"),
      limit<&Limits::max_source_answers_per_s>(
          "max_source_answers", number(0, 1000),
          "Answers per second to a source that is not authenticated (0: none)"),
      limit<&Limits::roaming_same_ip>("roaming", either("off", "same-ip"),
                                      "Whether a member may move to another port of its IP"),
  };
}

std::vector<OptionSpec> abuse_rows() {
  return {
      {&kAbuse, "rate_limits", either("off", "on"), kReload,
       "off disables the limits of this section, except those that are set explicitly: for a "
       "benchmark in a closed network",
       [](Options& o) -> Field { return &o.has_abuse_limits; }, nullptr, "limits"},
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
       {Kind::kBool, "", 0, 1, {"false", "true"}},
       kReload,
       "Apply the limits per address to loopback addresses, too",
       [](Options& o) -> Field { return &o.limits.abuse.limit_loopback; }},
  };
}

std::vector<OptionSpec> bans_rows() {
  return {
      {&kBans,
       "addresses",
       {Kind::kAddresses, "LIST"},
       kReload,
       "From these addresses nobody may create or join rooms; who is there is removed. They stay "
       "banned for as long as they stand here; chatctl ban has the others",
       [](Options& o) -> Field { return &o.banned_addresses; }},
      {&kBans,
       "names",
       {Kind::kNames, "LIST"},
       kReload,
       "The same for names, and for all that look like them",
       [](Options& o) -> Field { return &o.banned_names; }},
  };
}

std::vector<OptionSpec> life_rows() {
  return {
      {&kLife, "drain_timeout", duration(), kReload,
       "End a drain (SIGUSR2) after this time, even if members are left",
       [](Options& o) -> Field { return &o.drain_timeout_ms; }},
  };
}

std::vector<OptionSpec> admin_rows() {
  return {
      {&kAdmin,
       "listen",
       {Kind::kAdmin, "ADDRESS"},
       kRestart,
       "Endpoint for the status page, metrics and chatctl: 127.0.0.1:PORT, "
       "[::1]:PORT, unix:/PATH or off",
       [](Options& o) -> Field { return &o.admin; },
       "admin"},
  };
}

std::vector<OptionSpec> log_rows() {
  const ValueType level{
      Kind::kChoice, "LEVEL", 0, 0, {"trace", "debug", "info", "warn", "error", "critical", "off"}};
  return {
      {&kLog, "level", level, kReload, "Least severe lines that are written",
       [](Options& o) -> Field { return &o.log_level; }},
      {&kLog,
       "format",
       {Kind::kChoice, "FORMAT", 0, 0, {"text", "json"}},
       kRestart,
       "How lines are written; text is as the journal wants it, under systemd",
       [](Options& o) -> Field { return &o.log_format; }},
  };
}

std::string flag_of(const Section& section, std::string_view key) {
  std::string flag = std::string("--") + section.prefix + std::string(key);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

std::string environment_of(const Section& section, std::string_view key) {
  std::string name = std::string("CHATD_") + section.prefix + std::string(key);
  for (char& c : name) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return name;
}

}  // namespace

std::string OptionSpec::toml_name() const {
  return std::string(section->name) + "." + key;
}

std::string OptionSpec::flag() const {
  return flag_of(*section, full_name != nullptr ? full_name : key);
}

std::string OptionSpec::environment() const {
  return environment_of(*section, full_name != nullptr ? full_name : key);
}

std::string OptionSpec::old_toml_name() const {
  return std::string(section->name) + "." + std::string(old_key);
}

std::string OptionSpec::old_flag() const {
  return flag_of(*section, old_key);
}

std::string OptionSpec::old_environment() const {
  return environment_of(*section, old_key);
}

std::string OptionSpec::default_text() const {
  return text_of(*this, Options{});
}

const std::vector<OptionSpec>& all_options() {
  static const std::vector<OptionSpec> kOptions = [] {
    std::vector<OptionSpec> options;
    for (const auto& part : {network_rows(), tls_rows(), data_plane_rows(), limit_rows(),
                             abuse_rows(), bans_rows(), life_rows(), admin_rows(), log_rows()}) {
      options.insert(options.end(), part.begin(), part.end());
    }
    return options;
  }();
  return kOptions;
}

const std::vector<const Section*>& all_sections() {
  static const std::vector<const Section*> kSections = {
      &kNetwork, &kTls, &kDataPlane, &kLimits, &kAbuse, &kBans, &kLife, &kAdmin, &kLog};
  return kSections;
}

const OptionSpec& option_named(std::string_view toml_name) {
  const auto& options = all_options();
  return *std::find_if(options.begin(), options.end(), [toml_name](const OptionSpec& each) {
    return each.toml_name() == toml_name;
  });
}

bool is_abuse_limit(const OptionSpec& option) {
  return option.section == &kAbuse && option.type.kind == Kind::kNumber;
}

void store(const OptionSpec& option, const Value& value, Options& options) {
  const auto put = [&value](auto* field) {
    using Target = std::remove_pointer_t<decltype(field)>;
    if constexpr (std::is_same_v<Target, std::string>) {
      *field = value.text;
    } else {
      *field = static_cast<Target>(value.number);  // its kind's range fits the field
    }
  };
  std::visit(put, option.field(options));
}

void copy(const OptionSpec& option, const Options& from, Options& to) {
  Options source = from;
  const Field target = option.field(to);
  const auto put = [&target](const auto* field) {
    *std::get<std::remove_const_t<std::remove_pointer_t<decltype(field)>>*>(target) = *field;
  };
  std::visit(put, option.field(source));
}

std::string text_of(const OptionSpec& option, const Options& options) {
  Options copy = options;
  const auto get = [&option](const auto* field) -> std::string {
    if constexpr (std::is_same_v<std::remove_cv_t<std::remove_pointer_t<decltype(field)>>,
                                 std::string>) {
      return *field;
    } else {
      return write_number(option.type, *field);
    }
  };
  return std::visit(get, option.field(copy));
}

}  // namespace chatd::config
