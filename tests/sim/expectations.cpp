#include "tests/sim/expectations.h"

#include <algorithm>
#include <utility>

namespace chatd::sim {
namespace {

std::string text_of(Notice notice, std::string_view username) {
  std::string text("\0\0", 2);
  if (notice == Notice::kTooFast) {
    return text.append(R"({"sender":"Server","message":"You are sending too fast: )")
        .append(R"(some of your messages were not delivered"})");
  }
  text.append(R"({"sender":"system","operation":)").append(notice == Notice::kJoined ? "1" : "2");
  text.append(R"(,"username":")").append(username).append(R"(","message":")");
  switch (notice) {
    case Notice::kJoined:
      text.append(username).append(" joined");
      break;
    case Notice::kLeft:
      text.append(username).append(" left");
      break;
    default:
      text += "You have been disconnected";
  }
  return text + "\"}";
}

bool is_less(const Endpoint& a, const Endpoint& b) {
  return a.port != b.port ? a.port < b.port : a.ip.bytes() < b.ip.bytes();
}

}  // namespace

void Expectations::expect(Notice notice, std::string_view username) {
  notices_.push_back({.datagram = text_of(notice, username), .destinations = {}});
}

void Expectations::to(const Endpoint& destination) {
  notices_.back().destinations.push_back(destination);
}

bool Expectations::take_answer(const Endpoint& to) {
  if (answer_ != to) return false;
  answer_.reset();
  return true;
}

bool Expectations::take_echo(const Endpoint& to, std::string_view datagram) {
  using std::string_view_literals::operator""sv;
  if (!echo_ || echo_->to != to || datagram.size() != 2 + echo_->payload_bytes) return false;
  echo_.reset();
  return datagram.starts_with("\0\0{\"heartbeat\":\""sv) && datagram.ends_with("\"}");
}

bool Expectations::take_notice(std::string_view datagram, std::span<const Endpoint> destinations) {
  if (destinations.empty()) return true;  // nobody hears it
  for (Entry& entry : notices_) {
    if (entry.has_come || entry.datagram != datagram || !reaches(entry, destinations)) continue;
    entry.has_come = true;
    return true;
  }
  return false;
}

// The order among destinations does not matter.
bool Expectations::reaches(const Entry& entry, std::span<const Endpoint> destinations) {
  if (entry.is_certain && destinations.size() != entry.destinations.size()) return false;
  std::vector<Endpoint> wanted = entry.destinations;
  std::vector<Endpoint> given(destinations.begin(), destinations.end());
  std::sort(wanted.begin(), wanted.end(), is_less);
  std::sort(given.begin(), given.end(), is_less);
  return std::includes(wanted.begin(), wanted.end(), given.begin(), given.end(), is_less);
}

std::optional<std::string> Expectations::missing() const {
  for (const Entry& entry : notices_) {
    if (entry.has_come || !entry.is_certain || entry.destinations.empty()) continue;
    return entry.datagram.substr(2) + " to " + std::to_string(entry.destinations.size());
  }
  return std::nullopt;
}

}  // namespace chatd::sim
