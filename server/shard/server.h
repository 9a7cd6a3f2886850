// The whole server: its sockets, its shards, and what they have in common.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "core/base/endpoint.h"
#include "core/base/keyed_hash.h"
#include "core/stats/counters.h"
#include "server/bans/ban_book.h"
#include "server/config/options.h"
#include "server/group/shard_group.h"
#include "server/group/shard_threads.h"
#include "server/group/steering.h"
#include "server/handover/server_state.h"
#include "server/listen/server_sockets.h"
#include "server/os/unique_fd.h"
#include "server/shard/shard.h"
#include "server/tls/find_certificate.h"

namespace chatd {

// Why the shards have stopped.
enum class StopReason : std::uint8_t {
  kStop,      // members have been told that it is over
  kHandOver,  // members are to notice nothing: another process goes on, or run() again
};

// What another process has left besides its sockets and its shards.
struct LeftBehind {
  std::string tls_certificate;  // that it has made itself
  std::string tls_ticket_keys;
  std::string bans;
};

class Server {
 public:
  // Serves on `sockets` (one UDP socket for each of options.shards) and opens what else it needs.
  // An error is a sentence that says what failed and what to do. `steering` is for tests that want
  // another program than the right one, or none.
  static tl::expected<std::unique_ptr<Server>, std::string> open(const Options& options,
                                                                 ServerSockets sockets);
  static tl::expected<std::unique_ptr<Server>, std::string> open(const Options& options,
                                                                 ServerSockets sockets,
                                                                 const SteeringProgram& steering);

  // The same in place of another process, on its sockets.
  static tl::expected<std::unique_ptr<Server>, std::string> take_over(const Options& options,
                                                                      ImportedState imported);

  const Endpoint& tcp() const { return tcp_; }
  const Endpoint& udp() const { return udp_; }
  // Null: there is no TLS port.
  const Endpoint* tls() const;
  std::size_t shard_count() const { return shards_.size(); }

  // Gives each shard its thread; nobody is served yet. An error: there are not enough threads, and
  // members who were served before have been told that it is over.
  tl::expected<void, std::string> start();
  // Serves from here on. Nothing can fail any more that a start takes.
  void run();
  // Readable when a shard could not go on: then stop() says which one, and why.
  int failed_fd() const { return stop_.get(); }
  // Returns when all shards have stopped. After StopReason::kHandOver start() and run() go on as if
  // nothing had been.
  tl::expected<void, std::string> stop(StopReason reason);

  // After StopReason::kHandOver: sends what waits, and says all that another process needs to go
  // on. Nothing changes by that. An error: something does not get out within a moment.
  tl::expected<ExportedState, std::string> export_state();

  // While it runs, from any thread but the shards'. Errors name a shard that does not answer.
  //
  // Nobody is let in from here on, and members are told that the server is about to stop. The
  // eventfd `wake_fd` is woken whenever a shard has lost its last member.
  tl::expected<void, std::string> drain(int wake_fd);
  // Limits::with_sizes_of says which of them can change.
  tl::expected<void, std::string> set_limits(const Limits& limits);
  // Who is banned by an operator (server/bans/ban_book.h); what changes there is for all shards to
  // be told.
  BanBook& bans() { return *bans_; }
  // Those of the configuration, on all shards.
  tl::expected<void, std::string> set_configured_bans(const Options& options);
  // Looks for the certificate of the TLS port again, where these options say. What new connections
  // get from here on, or an error, and nothing has changed. Thread: the main one.
  tl::expected<void, std::string> reload_certificate(const Options& options);
  // Empty: there is no TLS port.
  std::string certificate_fingerprint() const;
  // Whether every shard answers.
  tl::expected<void, std::string> check();
  std::uint64_t member_count() const;

  // Another process has taken over: closes its own descriptors of all that the two have in common,
  // and ends what is encrypted, which cannot go there.
  void close();

  // For tasks while it runs (server/group/run_on_shards.h).
  ShardGroup& group() { return *group_; }

  // The sum over all shards. Not while it runs.
  Counters counters() const;

 private:
  explicit Server(const Options& options) : options_(options) {}

  static tl::expected<std::unique_ptr<Server>, std::string> open(const Options& options,
                                                                 ServerSockets sockets,
                                                                 const KeyedHash::Key& map_key,
                                                                 const LeftBehind& left);

  tl::expected<void, std::string> open_tls(const UniqueFd& listener, const LeftBehind& left);
  CertificatePlace certificate_place(const Options& options) const;
  tl::expected<void, std::string> quiesce();
  void set_socket_options();
  // On every shard's own thread, between two steps of its turn.
  tl::expected<void, std::string> tell_shards(const std::function<void(Relay&)>& order);

  Options options_;  // it was opened with
  std::string self_made_certificate_;
  KeyedHash::Key map_key_{};
  int family_ = 0;                   // of all sockets
  bool has_socket_options_ = false;  // those of options_
  bool has_run_ = false;
  // A shard that fails ends the others before anybody has said how.
  std::atomic<StopReason> stop_reason_ = StopReason::kStop;
  Endpoint tcp_;
  Endpoint udp_;
  std::unique_ptr<BanBook> bans_;
  UniqueFd stop_;  // an eventfd: the shards'
  std::unique_ptr<ShardGroup> group_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::unique_ptr<ShardThreads> threads_;  // the last: they use the others
};

}  // namespace chatd
