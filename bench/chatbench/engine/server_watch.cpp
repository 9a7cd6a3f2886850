#include "bench/chatbench/engine/server_watch.h"

namespace chatd::bench {

ServerWatch::ServerWatch(std::optional<pid_t> pid, const std::optional<client::Address>& udp)
    : pid_(pid), udp_(udp), sockets_(look()) {
  if (pid) process_.emplace(*pid);
}

std::string ServerWatch::trouble() const {
  if (has_ended()) return "the server's process " + std::to_string(*pid_) + " has ended";
  if (!sockets_) return {};
  const auto now = look();
  if (now && now->has_one_of(*sockets_)) return {};
  return "the server's UDP socket at " + udp_->to_string() +
         (now ? " is another one than at the begin: the server was started afresh"
              : " is gone: the server has ended");
}

std::optional<std::uint64_t> ServerWatch::drops() const {
  const auto now = look();
  if (!sockets_ || !now || !now->has_one_of(*sockets_)) return std::nullopt;
  return now->drops;
}

std::optional<UdpSockets> ServerWatch::look() const {
  return udp_ ? udp_sockets_at(*udp_) : std::nullopt;
}

}  // namespace chatd::bench
