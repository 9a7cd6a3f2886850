#include "tests/support/chatd_server.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <sstream>

#ifndef CHATD_PROGRAM
#define CHATD_PROGRAM "chatd"
#endif

namespace chatd::test {
namespace {

constexpr const char* kShardsVariable = "CHATD_TEST_SHARDS";

std::vector<std::string> command_line(std::vector<std::string> flags) {
  std::vector<std::string> argv{ChatdServer::program(), "--tcp-port", "0", "--udp-port", "0"};
  if (const char* const shards = std::getenv(kShardsVariable)) {
    argv.insert(argv.end(), {"--shards", shards});
  }
  if (std::ranges::find(flags, "--tls-port") == flags.end()) {
    argv.insert(argv.end(), {"--tls-port", "0"});
  }
  for (std::string& flag : flags) argv.push_back(std::move(flag));
  return argv;
}

// HOST:PORT after `name=`; an IPv6 host may stand in brackets.
std::optional<SocketAddress> address_in(const std::string& line, const std::string& name) {
  static const std::string kHost = R"(\[?([0-9a-fA-F:.]+?)\]?:([0-9]{1,5})(?:\s|$))";
  std::smatch match;
  if (!std::regex_search(line, match, std::regex(name + "=" + kHost))) return std::nullopt;
  return SocketAddress(match[1].str(), static_cast<std::uint16_t>(std::stoul(match[2].str())));
}

bool is_among(const std::vector<std::pair<std::string, std::string>>& variables,
              std::string_view name) {
  return std::ranges::any_of(variables, [name](const auto& each) { return each.first == name; });
}

}  // namespace

Counters::Counters(std::string_view line) {
  const std::string_view marker = "totals:";
  const std::size_t at = line.find(marker);
  if (at == std::string_view::npos) return;
  std::istringstream words(std::string(line.substr(at + marker.size())));
  for (std::string word; words >> word;) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) continue;
    std::uint64_t value = 0;
    std::from_chars(word.data() + equals + 1, word.data() + word.size(), value);
    values_[word.substr(0, equals)] = value;
  }
}

std::uint64_t Counters::operator[](const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? 0 : found->second;
}

std::uint64_t Counters::sum_of(std::string_view prefix) const {
  std::uint64_t sum = 0;
  for (const auto& [name, value] : values_) {
    if (name.starts_with(prefix)) sum += value;
  }
  return sum;
}

std::string Counters::to_string() const {
  std::string text;
  for (const auto& [name, value] : values_) text += name + "=" + std::to_string(value) + " ";
  return text;
}

std::string ChatdServer::program() {
  const char* chosen = std::getenv("CHATD_TEST_PROGRAM");
  return chosen != nullptr ? chosen : CHATD_PROGRAM;
}

bool ChatdServer::has_several_shards() {
  const char* const shards = std::getenv(kShardsVariable);
  return shards != nullptr && std::string_view(shards) != "1";
}

ChatdServer::ChatdServer(std::vector<std::string> flags, const ProcessOptions& options)
    : process_(command_line(std::move(flags)), options),
      serving_pid_(process_.pid()),
      has_manager_(is_among(options.environment, "NOTIFY_SOCKET")) {
  const auto line = process_.wait_for_line(Stream::kStdout, "chatd ready ");
  if (!line) return;
  ready_line_ = *line;
  const auto tcp = address_in(*line, "tcp");
  const auto udp = address_in(*line, "udp");
  if (!tcp || !udp) return;
  tcp_ = *tcp;
  udp_ = *udp;
  tls_ = address_in(*line, "tls");
  ready_ = true;
}

std::string ChatdServer::admin_place() {
  constexpr std::string_view kMark = "admin endpoint: ";
  const auto line = process_.wait_for_line(Stream::kStderr, kMark);
  return line ? line->substr(line->find(kMark) + kMark.size()) : "";
}

const std::string& ChatdServer::diagnosis() {
  process_.pump();
  return process_.captured(Stream::kStderr);
}

bool ChatdServer::hand_over(int signal) {
  process_.kill(signal);
  return await_hand_over();
}

bool ChatdServer::await_hand_over() {
  static const std::string kSays = "handed over to process ";
  while (const auto line = process_.read_line(Stream::kStderr)) {
    const std::size_t at = line->find(kSays);
    if (at == std::string::npos) continue;
    serving_pid_ = std::stoi(line->substr(at + kSays.size()));
    return has_manager_ ? process_.follow(serving_pid_) : process_.running();
  }
  return false;
}

const std::optional<Counters>& ChatdServer::stop(int signal) {
  if (stopped_) return totals_;
  stopped_ = true;
  process_.kill(signal);
  const auto status = process_.wait_exit();
  if (!status || status->code != 0) return totals_;
  const auto line = process_.wait_for_line(Stream::kStderr, "totals:");
  if (line) totals_ = Counters(*line);
  return totals_;
}

}  // namespace chatd::test
