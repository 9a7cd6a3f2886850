#include "tests/resilience/faults/test_client.h"

#include <algorithm>

#include "tests/support/tcp_peer.h"

namespace chatd::test {
namespace {

// A server on a wildcard address is here, too.
constexpr char kLoopback[] = "127.0.0.1";

}  // namespace

Entry TestClient::enter(std::uint8_t operation, const ChatdServer& server, std::string_view room,
                        Deadline deadline) {
  TcpPeer control(server.tcp_at(kLoopback), socket_.address().ip());
  const Answer answer = control.request({.operation = operation,
                                         .state = kRequest,
                                         .room = std::string(room),
                                         .payload = join_payload({.username = name_,
                                                                  .ip = socket_.address().ip(),
                                                                  .port = socket_.address().port(),
                                                                  .password = ""})},
                                        deadline);
  room_ = room;
  token_ = answer.token();
  if (answer.status() == 201) return Entry::kDone;
  return deadline.passed() ? Entry::kHangs : Entry::kBroken;
}

std::string TestClient::say(const ChatdServer& server, std::string_view text) {
  std::string payload = message_payload(name_, text);
  socket_.send(server.udp_at(kLoopback), encode_datagram(room_, token_, payload));
  return payload;
}

void TestClient::leave(const ChatdServer& server) {
  socket_.send(server.udp_at(kLoopback), encode_datagram(room_, token_, leave_payload(name_)));
}

const std::vector<std::string>& TestClient::heard() {
  while (socket_.fd() >= 0) {
    auto datagram = socket_.try_receive();
    if (!datagram) break;
    heard_.push_back(datagram->bytes.substr(std::min<std::size_t>(2, datagram->bytes.size())));
  }
  return heard_;
}

bool TestClient::has_heard(std::string_view payload) {
  const auto& all = heard();
  return std::find(all.begin(), all.end(), payload) != all.end();
}

Entry ask_for_list(const ChatdServer& server, Deadline deadline) {
  TcpPeer control(server.tcp_at(kLoopback));
  const Answer answer = control.request(
      {.operation = kListRooms, .state = kRequest, .room = "", .payload = ""}, deadline);
  if (answer.completed) return Entry::kDone;
  return deadline.passed() ? Entry::kHangs : Entry::kBroken;
}

}  // namespace chatd::test
