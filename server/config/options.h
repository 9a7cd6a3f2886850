// What an operator has set, as the server uses it. server/config/ knows where it comes from.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/limits.h"
#include "server/bans/ban_text.h"

namespace chatd {

inline constexpr char kNoAdmin[] = "off";

// Of the TLS port, where it is no number.
inline constexpr std::uint32_t kNoTlsPort = 0x1'0000;
inline constexpr std::uint32_t kAutoTlsPort = 0x1'0001;  // the usual one, if it is free
inline constexpr std::uint16_t kUsualTlsPort = 8001;
// Of its certificate and key, where they are no files.
inline constexpr char kSelfSigned[] = "self-signed";
inline constexpr char kKeyInCertificate[] = "in-certificate";

struct Options {
  std::string host = "127.0.0.1";
  std::uint16_t tcp_port = 8000;  // 0: the kernel picks one
  std::uint16_t udp_port = 9000;
  std::uint32_t tls_port = kAutoTlsPort;  // or 0..65535
  std::string tls_certificate = kSelfSigned;
  std::string tls_key = kKeyInCertificate;
  bool gso = true;  // send trains of messages where the kernel and the path take them
  std::uint32_t mtu_bytes = 1280;  // what every path to a member takes (IPv6 asks for as much)
  std::uint64_t receive_buffer_bytes = 4 * 1024 * 1024;  // of the UDP socket
  std::uint64_t send_buffer_bytes = 4 * 1024 * 1024;
  std::uint32_t shards = 1;                  // 1..kMaxShards
  std::uint32_t drain_timeout_ms = 300'000;  // then a drain disconnects who is left
  std::string log_level = "info";
  std::string log_format = "text";  // or json
  std::string admin = kNoAdmin;     // where the admin endpoint listens (server/admin/)
  bool has_abuse_limits = true;     // without: those that nobody gave are 0 in `limits.abuse`
  std::string banned_addresses = kNoBans;  // lists (server/bans/ban_text.h)
  std::string banned_names = kNoBans;
  Limits limits;
};

}  // namespace chatd
