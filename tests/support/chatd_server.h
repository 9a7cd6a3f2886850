// The real chatd, started as a user would start it, on ports that the kernel picks.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/deadline.h"
#include "tests/support/process.h"
#include "tests/support/socket_address.h"

namespace chatd::test {

// What chatd counted, as it tells on a clean stop. A counter that stayed at zero is not told.
class Counters {
 public:
  // `line` is the log line that holds "totals:" and name=value pairs after it.
  explicit Counters(std::string_view line);

  std::uint64_t operator[](const std::string& name) const;
  // The sum of all counters whose name starts with `prefix`.
  std::uint64_t sum_of(std::string_view prefix) const;
  std::string to_string() const;

 private:
  std::map<std::string, std::uint64_t> values_;
};

class ChatdServer {
 public:
  // Adds `--tcp-port 0 --udp-port 0`, and `--tls-port 0` if it is not there, to `flags` and waits
  // for the ready line. See `ready`. With CHATD_TEST_SHARDS in the environment, also --shards and
  // its value: nothing may depend on it.
  explicit ChatdServer(std::vector<std::string> flags = {}, const ProcessOptions& options = {});

  // The program under test: CHATD_TEST_PROGRAM in the environment, or the one built beside the
  // test.
  static std::string program();

  // Whether CHATD_TEST_SHARDS asks for more than one.
  static bool has_several_shards();

  bool ready() const { return ready_; }
  // The whole ready line.
  const std::string& ready_line() const { return ready_line_; }
  // What went wrong, for a failed assertion: chatd's standard error.
  const std::string& diagnosis();

  // As the ready line tells. `tcp_at` is for a server on a wildcard address.
  const SocketAddress& tcp() const { return tcp_; }
  const SocketAddress& udp() const { return udp_; }
  // There must be one.
  const SocketAddress& tls() const { return tls_.value(); }
  bool has_tls() const { return tls_.has_value(); }
  // Where the log says that the admin endpoint is, with --admin; empty when it does not.
  std::string admin_place();
  SocketAddress tcp_at(std::string_view ip) const { return {ip, tcp_.port()}; }
  SocketAddress udp_at(std::string_view ip) const { return {ip, udp_.port()}; }

  Process& process() { return process_; }
  // The process that was started. It stays after a hand-over, and passes on what it is told, unless
  // there is a service manager (server/lifecycle/keeper.h).
  pid_t pid() const { return process_.pid(); }
  // The one that serves.
  pid_t serving_pid() const { return serving_pid_; }
  bool running() { return process_.running(); }

  // Tells chatd by `signal` to hand over to a new process. False when it does not, within a while.
  bool hand_over(int signal = 10);
  // Waits for the hand-over that chatd has been told to do, as hand_over() does.
  bool await_hand_over();

  // Asks chatd to stop and reads what it counted. Nothing when it does not stop in time, exits
  // with anything but 0, or tells no totals. A second call returns the first one's result.
  const std::optional<Counters>& stop(int signal = 15);

 private:
  Process process_;
  pid_t serving_pid_;
  bool has_manager_;
  bool ready_ = false;
  bool stopped_ = false;
  std::string ready_line_;
  SocketAddress tcp_;
  SocketAddress udp_;
  std::optional<SocketAddress> tls_;
  std::optional<Counters> totals_;
};

}  // namespace chatd::test
