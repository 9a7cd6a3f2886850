#include "server/control/acceptor.h"

#include <utility>

#include "server/os/system_error.h"

namespace chatd {
namespace {

constexpr int kMaxAcceptsPerTurn = 64;

}  // namespace

Acceptor::Acceptor(Io& io, UniqueFd listener, bool is_encrypted, const Limits& limits,
                   const ShardMap& shards, ShardGroup& group, std::uint8_t shard, Connections& own,
                   RateLimitedLog& log, Counters& counters)
    : io_(io),
      listener_(io, std::move(listener)),
      is_encrypted_(is_encrypted),
      limits_(limits),
      shards_(shards),
      group_(group),
      shard_(shard),
      own_(own),
      log_(log),
      counters_(counters) {}

void Acceptor::serve(TimeMs now_ms) {
  for (int i = 0; i < kMaxAcceptsPerTurn && listener_.is_ready(now_ms); ++i) {
    const int old_error = listener_.error();
    auto accepted = listener_.accept(now_ms);
    if (accepted) {
      admit(now_ms, std::move(*accepted));
    } else if (listener_.error() != 0 && old_error == 0) {
      counters_.add(Counter::kAcceptsPostponed);
      log_.say(now_ms, RateLimitedLog::Reason::kAcceptFailed, spdlog::level::warn,
               "new connections have to wait. {}", system_error("accept4", listener_.error()));
    }
  }
}

void Acceptor::admit(TimeMs now_ms, Listener::Accepted accepted) {
  const std::uint32_t open = group_.connections();
  if (open >= limits_.max_connections + kSpareConnections) {
    log_.say(now_ms, RateLimitedLog::Reason::kConnectionShed, spdlog::level::warn,
             "connection from {} closed at once: there are far too many", accepted.peer);
    io_.close(accepted.fd.release());
    return counters_.add(Counter::kConnectionsShed);
  }
  group_.add_connection();
  const std::uint8_t owner = shards_.of_address(accepted.peer);
  HandedConnection connection{.fd = std::move(accepted.fd),
                              .peer = accepted.peer,
                              .is_over_limit = open >= limits_.max_connections,
                              .is_encrypted = is_encrypted_};
  if (owner == shard_) {
    own_.adopt(now_ms, std::move(connection));
  } else {
    group_.mailbox(owner).post(Envelope(std::move(connection)));
  }
}

}  // namespace chatd
