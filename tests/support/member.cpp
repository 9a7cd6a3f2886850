#include "tests/support/member.h"

#include <algorithm>

#include "tests/support/json.h"

namespace chatd::test {
namespace {

constexpr int kJoined = 1;
constexpr int kLeft = 2;

std::string next_fence() {
  static int fences = 0;
  return "fence " + std::to_string(++fences);
}

}  // namespace

Member::Member(UdpPeer socket, SocketAddress server, std::string_view room, std::string_view name,
               std::string token)
    : socket_(std::move(socket)),
      server_(server),
      room_(room),
      name_(name),
      token_(std::move(token)) {}

std::optional<Member> Member::enter(std::uint8_t operation, const ChatdServer& server,
                                    std::string_view room, std::string_view name,
                                    const JoinOptions& options) {
  const bool elsewhere = !options.server_ip.empty();
  const SocketAddress tcp = elsewhere ? server.tcp_at(options.server_ip) : server.tcp();
  const SocketAddress udp = elsewhere ? server.udp_at(options.server_ip) : server.udp();
  UdpPeer socket(options.source_ip, 0, options.receive_buffer_bytes);
  const Frame request{
      .operation = operation,
      .state = kRequest,
      .room = std::string(room),
      .payload = join_payload({.username = std::string(name),
                               .ip = options.stated_ip.value_or(options.source_ip),
                               .port = options.stated_port.value_or(socket.address().port()),
                               .password = options.password})};
  const Answer answer = options.control != nullptr
                            ? options.control->request(request)
                            : TcpPeer(tcp, options.source_ip).request(request);
  if (answer.status() != 201) {
    ADD_FAILURE() << name << " may not enter " << room << ": "
                  << (answer.completed ? answer.completed->payload : "no answer");
    return std::nullopt;
  }
  return Member(std::move(socket), udp, room, name, answer.token());
}

std::optional<Member> Member::create(const ChatdServer& server, std::string_view room,
                                     std::string_view name, const JoinOptions& options) {
  return enter(kCreateRoom, server, room, name, options);
}

std::optional<Member> Member::join(const ChatdServer& server, std::string_view room,
                                   std::string_view name, const JoinOptions& options) {
  return enter(kJoinRoom, server, room, name, options);
}

std::string Member::say(std::string_view text) {
  std::string payload = message_payload(name_, text);
  send_payload(payload);
  return payload;
}

void Member::send_payload(std::string_view payload) {
  socket_.send(server_, encode_datagram(room_, token_, payload));
}

std::optional<std::string> Member::hear(Deadline deadline) {
  const auto datagram = socket_.receive(deadline);
  if (!datagram) return std::nullopt;
  EXPECT_EQ(datagram->from, server_)
      << name_ << " is spoken to from " << datagram->from.to_string();
  EXPECT_TRUE(datagram->bytes.starts_with(std::string_view("\0\0", 2)))
      << "not from a server: " << testing::PrintToString(datagram->bytes);
  return datagram->bytes.substr(std::min<std::size_t>(2, datagram->bytes.size()));
}

testing::AssertionResult Member::hears(std::string_view payload) {
  const auto heard = hear();
  if (heard == payload) return testing::AssertionSuccess();
  return testing::AssertionFailure() << name_ << " in " << room_ << " hears "
                                     << heard.value_or("nothing") << " instead of " << payload;
}

testing::AssertionResult Member::hears_notice(int operation, std::string_view username,
                                              std::string_view message) {
  const auto heard = hear();
  const JsonObject notice(heard.value_or(""));
  if (notice.text("sender") == "system" && notice.number("operation") == operation &&
      notice.text("username") == username && notice.text("message") == message) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure()
         << name_ << " in " << room_ << " hears " << heard.value_or("nothing")
         << " instead of the notice \"" << message << "\" about " << username;
}

testing::AssertionResult Member::hears_joined(std::string_view username) {
  return hears_notice(kJoined, username, std::string(username) + " joined");
}

testing::AssertionResult Member::hears_left(std::string_view username) {
  return hears_notice(kLeft, username, std::string(username) + " left");
}

testing::AssertionResult Member::hears_own_removal(std::string_view text) {
  return hears_notice(kLeft, name_, text);
}

testing::AssertionResult Member::hears_nothing_before(Member& sender) {
  const std::string first = sender.say(next_fence());
  const std::string second = sender.say(next_fence());
  if (const auto heard = hears(first); !heard) return heard;
  return hears(second);
}

std::vector<Member> make_room(const ChatdServer& server, std::string_view room,
                              const std::vector<std::string>& names, const JoinOptions& options) {
  std::vector<Member> members;
  for (const std::string& name : names) {
    auto member = members.empty() ? Member::create(server, room, name, options)
                                  : Member::join(server, room, name, options);
    if (!member) return {};
    for (Member& present : members) {
      const auto heard = present.hears_joined(name);
      EXPECT_TRUE(heard);
      if (!heard) return {};
    }
    members.push_back(std::move(*member));
  }
  return members;
}

testing::AssertionResult all_is_heard(std::vector<Member>& room) {
  for (Member* sender : {&room.back(), &room.front()}) {
    const std::string said = sender->say(next_fence());
    for (Member& listener : room) {
      if (&listener == sender) continue;
      if (const auto heard = listener.hears(said); !heard) return heard;
    }
  }
  return testing::AssertionSuccess();
}

}  // namespace chatd::test
