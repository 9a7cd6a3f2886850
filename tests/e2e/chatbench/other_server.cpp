#include "tests/e2e/chatbench/other_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <map>
#include <optional>
#include <regex>
#include <utility>

#include "server/tls/certificate.h"
#include "tests/support/socket_address.h"
#include "tests/support/tcp_peer.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

struct Broker {
  const char* program;
  const char* package;
};

const std::map<std::string, Broker>& brokers() {
  static const std::map<std::string, Broker> kBrokers = {
      {"redis", {"redis-server", "redis-server"}},
      {"nats", {"nats-server", "nats-server"}},
      {"mosquitto", {"mosquitto", "mosquitto"}},
  };
  return kBrokers;
}

// Where Debian puts it; empty when it is not there.
std::string path_of(const std::string& program) {
  for (const char* folder : {"/usr/bin/", "/usr/sbin/"}) {
    if (::access((folder + program).c_str(), X_OK) == 0) return folder + program;
  }
  return "";
}

// Nobody listens there now; the brokers cannot be told to pick one themselves.
std::uint16_t free_tcp_port() {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const SocketAddress any("127.0.0.1", 0);
  if (::bind(fd.get(), any.get(), any.size()) != 0) return 0;
  return SocketAddress::local_of(fd.get()).port();
}

}  // namespace

std::string test_name(std::string target) {
  std::replace(target.begin(), target.end(), '-', '_');
  return target;
}

OtherServer::OtherServer(std::string name) : target_(std::move(name)) {
  constexpr std::string_view kTlsSuffix = "-tls";
  is_tls_ = target_.ends_with(kTlsSuffix);
  if (is_tls_) target_.resize(target_.size() - kTlsSuffix.size());
  if (is_relay()) {
    start_relay();
  } else {
    start_broker();
  }
}

std::string OtherServer::remedy() const {
  return "this machine has no " + std::string(brokers().at(target_).program) +
         ": apt-get install --no-install-recommends " + brokers().at(target_).package;
}

void OtherServer::start_relay() {
  program_ = target_ == "naive" ? CHATD_NAIVE_PROGRAM : CHATD_LOWER_BOUND_PROGRAM;
  process_.emplace(std::vector<std::string>{program_, "--udp-port", "0"});
  const auto line = process_->wait_for_line(Stream::kStdout, target_ + " ready ");
  std::smatch match;
  if (!line || !std::regex_search(*line, match, std::regex("udp=127\\.0\\.0\\.1:([0-9]+)$"))) {
    return;
  }
  port_ = static_cast<std::uint16_t>(std::stoul(match[1].str()));
  ready_ = true;
}

std::string OtherServer::make_certificate() {
  return make_self_signed({}, {IpAddress::parse("127.0.0.1").value()}).value();
}

void OtherServer::start_broker() {
  program_ = path_of(brokers().at(target_).program);
  is_installed_ = !program_.empty();
  if (is_tls_) std::ofstream(certificate_path()) << make_certificate();
  constexpr int kAttempts = 3;  // somebody may take the port before the broker does
  for (int i = 0; is_installed_ && !ready_ && i < kAttempts; ++i) {
    port_ = free_tcp_port();
    process_.emplace(is_tls_ ? tls_broker_command(port_) : broker_command(port_));
    const SocketAddress address("127.0.0.1", port_);
    ready_ = wait_until([&] { return !process_->running() || TcpPeer(address).connected(); }) &&
             process_->running();
    if (!ready_) process_.reset();
  }
}

std::vector<std::string> OtherServer::broker_command(std::uint16_t port) const {
  const std::string text = std::to_string(port);
  if (target_ == "redis") {
    return {program_, "--port", text, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"};
  }
  if (target_ == "nats") return {program_, "-a", "127.0.0.1", "-p", text};
  return {program_, "-p", text};  // on loopback, without a configuration
}

// Certificate and key are in one file.
std::vector<std::string> OtherServer::tls_broker_command(std::uint16_t port) const {
  const std::string text = std::to_string(port);
  const std::string pem = certificate_path();
  if (target_ == "redis") {
    return {program_, "--bind",         "127.0.0.1", "--save",
            "",       "--appendonly",   "no",        "--port",
            "0",      "--tls-port",     text,        "--tls-cert-file",
            pem,      "--tls-key-file", pem,         "--tls-auth-clients",
            "no"};
  }
  if (target_ == "nats") {
    return {program_, "-a", "127.0.0.1", "-p", text, "--tls", "--tlscert", pem, "--tlskey", pem};
  }
  // Started by root it would become another user, who may not read the key.
  const std::string path = folder_.path() + "/mosquitto.conf";
  std::ofstream(path) << "listener " << text << " 127.0.0.1\nallow_anonymous true\nuser root\n"
                      << "certfile " << pem << "\nkeyfile " << pem << "\n";
  return {program_, "-c", path};
}

std::string OtherServer::diagnosis() {
  if (!process_) return program_ + " does not start";
  process_->pump();
  return process_->captured(Stream::kStdout) + process_->captured(Stream::kStderr);
}

std::vector<std::string> OtherServer::flags_without_pid() const {
  std::vector<std::string> flags{"--target", target_, is_relay() ? "--udp-port" : "--tcp-port",
                                 std::to_string(port_)};
  if (is_tls_) flags.insert(flags.end(), {"--tls-ca", certificate_path()});
  return flags;
}

std::vector<std::string> OtherServer::flags() const {
  std::vector<std::string> flags = flags_without_pid();
  flags.insert(flags.end(), {"--server-pid", std::to_string(process_->pid())});
  return flags;
}

bool OtherServer::is_relay() const {
  return !brokers().contains(target_);
}

// A broker that has just opened its port may still forget that it was told: mosquitto installs its
// handler first, and says afterwards that it is to run.
bool OtherServer::stop() {
  const Deadline give_up(kPatience);
  std::optional<ExitStatus> status;
  while (!status && !give_up.passed()) {
    process_->kill(SIGTERM);
    status = process_->wait_exit(is_relay() ? give_up : Deadline(std::chrono::seconds(1)));
  }
  return status && (status->code == 0 || !is_relay());
}

}  // namespace chatd::test
