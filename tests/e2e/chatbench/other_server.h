// A server that is not chatd, for the other targets of chatbench: one of our two bare relays, or a
// broker of the machine's, if it has one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/temporary_folder.h"

namespace chatd::test {

// A server's name, for a test's: GoogleTest takes no hyphens.
std::string test_name(std::string target);

class OtherServer {
 public:
  // chatbench's name for it: redis, nats, mosquitto, naive or lower-bound. A broker's name with
  // «-tls» behind it: one that speaks TLS alone. Waits until it serves.
  explicit OtherServer(std::string name);

  // False for a broker that this machine does not have; `remedy` says what would change that.
  bool is_installed() const { return is_installed_; }
  std::string remedy() const;
  bool ready() const { return ready_; }
  std::string diagnosis();

  // The flags that send chatbench there.
  std::vector<std::string> flags() const;
  std::vector<std::string> flags_without_pid() const;
  // Whether it is one of our relays, which nobody has to install.
  bool is_relay() const;
  void kill(int signal) { process_->kill(signal); }
  // A certificate that is not the server's, for its address.
  static std::string make_certificate();
  // Whether it ended when it was asked to; ours with exit code 0.
  bool stop();

 private:
  void start_relay();
  void start_broker();
  std::vector<std::string> broker_command(std::uint16_t port) const;
  std::vector<std::string> tls_broker_command(std::uint16_t port) const;
  std::string certificate_path() const { return folder_.path() + "/certificate.pem"; }

  std::string target_;
  bool is_tls_ = false;
  TemporaryFolder folder_;  // certificate and configuration of a broker with TLS
  std::string program_;     // the path
  bool is_installed_ = true;
  bool ready_ = false;
  std::uint16_t port_ = 0;
  std::optional<Process> process_;
};

}  // namespace chatd::test
