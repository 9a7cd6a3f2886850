// Where other threads leave what is for a shard: shard messages, connections, tasks, datagrams
// that the kernel gave to the wrong one, and refusals.
//
// A mutex is good enough here: nothing of this is on the way of a message that the kernel has
// steered right, and the lock is held for a move or for the copy of one datagram. The owner is
// woken (by an eventfd in its epoll) only when the box was empty: it takes everything at once.
//
// Shard messages, connections and tasks are bounded by what causes them
// (core/control/shard_message.h, --max-connections, the operator's own tools). Misrouted datagrams
// and refusals are not, so their number is: what finds no room is dropped by the caller. Thread:
// post from any, take from the owner's.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/endpoint.h"
#include "core/base/ip_address.h"
#include "core/control/shard_message.h"
#include "server/group/task.h"
#include "server/io/io.h"
#include "server/os/unique_fd.h"

namespace chatd {

// A connection on its way from the shard that has accepted it to the one that counts its address.
struct HandedConnection {
  UniqueFd fd;
  IpAddress peer;
  bool is_over_limit = false;
  bool is_encrypted = false;  // it has come to the TLS port
};

using Envelope = std::variant<ShardMessage, HandedConnection, Task>;

// Datagrams, each with readable padding behind it, in memory that is reserved once and touched when
// used.
class MisroutedBatch {
 public:
  struct Misrouted {
    Endpoint from;
    std::string_view bytes;
  };

  explicit MisroutedBatch(std::size_t max_misrouted);

  // False: there is no room.
  bool add(const Endpoint& from, std::string_view bytes);
  const std::vector<Misrouted>& misrouted() const { return misrouted_; }
  void clear();

 private:
  static constexpr std::size_t kMaxBytes = 1024 * 1024;

  std::size_t max_misrouted_;
  std::unique_ptr<char[]> memory_;
  std::size_t used_bytes_ = 0;
  std::vector<Misrouted> misrouted_;
};

// What a mailbox holds.
struct Mail {
  explicit Mail(std::size_t max_misrouted) : misrouted(max_misrouted) {}

  std::vector<Envelope> envelopes;
  MisroutedBatch misrouted;
  // Where nobody listens (ICMP port unreachable). The kernel reports that to any socket of the
  // group, for it does not ask the steering program then, so every shard is told.
  std::vector<Endpoint> refusals;

  void clear();
};

class Mailbox {
 public:
  static constexpr std::size_t kMaxMisrouted = 1024;

  Mailbox(Io& io, UniqueFd event, std::size_t max_misrouted = kMaxMisrouted)
      : io_(io), event_(std::move(event)), max_misrouted_(max_misrouted), mail_(max_misrouted) {}

  std::size_t max_misrouted() const { return max_misrouted_; }

  // An eventfd, for epoll with EPOLLET: each edge means that there is something to take. It is
  // never read.
  int event_fd() const { return event_.get(); }

  void post(Envelope envelope);
  // False: the box is full of misrouted.
  bool post(const Endpoint& from, std::string_view misrouted);

  // False: the box is full of refusals. No harm: who keeps refusing will refuse again.
  bool post_refusal(const Endpoint& destination);

  // Moves everything into `mail`, which must be empty.
  void take(Mail& mail);

 private:
  static constexpr std::size_t kMaxRefusals = 1024;

  // Puts something in with `add` (false: there is no room) and wakes the owner if need be.
  template <class Add>
  bool post_with(Add add);

  Io& io_;
  UniqueFd event_;
  std::size_t max_misrouted_;
  std::mutex mutex_;
  bool is_empty_ = true;
  Mail mail_;
};

}  // namespace chatd
