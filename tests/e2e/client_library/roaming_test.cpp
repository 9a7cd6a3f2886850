// A member with protocol v2 and two sockets, one of each family, moves between them in the middle
// of talk, against the real chatd on one port for both (--host ::). The session is the client
// library's, which has one socket of its own elsewhere.
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <chatd/client.h>

#include "client/lib/log_session.h"
#include "client/lib/request.h"
#include "client/lib/response.h"
#include "client/net/control.h"
#include "client/net/udp_socket.h"
#include "client/net/wait.h"
#include "tests/e2e/chatd/server_test.h"
#include "tests/support/said_by.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

using client::LogEvent;
using client::LogSession;
using Lines = std::vector<std::string>;

constexpr std::size_t kIpv4 = 0;
constexpr std::size_t kIpv6 = 1;

class Roamer {
 public:
  Roamer(client::SessionInfo info, client::UdpSocket ipv4, client::UdpSocket ipv6)
      : session_(std::move(info), {.keeps_order = true}, now()),
        sockets_{std::move(ipv4), std::move(ipv6)} {}

  void say(const std::string& text) { EXPECT_NE(session_.say(now(), text), 0u); }
  // From here on it sends from the socket of this family.
  void move_to(std::size_t family) { family_ = family; }

  // Takes what has come to either socket, and sends what is due.
  void pump() {
    for (std::size_t family = 0; family < sockets_.size(); ++family) {
      for (auto came = sockets_[family].receive(); came.error == 0;
           came = sockets_[family].receive()) {
        session_.on_datagram(now(), came.datagram);
        while (auto event = session_.next_event()) take(*event, family);
      }
    }
    session_.on_deadline(now());
    while (const auto datagram = session_.next_datagram(now())) {
      EXPECT_EQ(sockets_[family_].send(*datagram), 0);
    }
  }

  const Lines& heard() const { return heard_; }
  // The family of the socket to which the last of it came.
  std::size_t heard_by() const { return heard_by_; }
  bool has_unsettled() const { return session_.unsettled() > 0; }
  const client::LogSessionStats& stats() const { return session_.stats(); }

 private:
  static TimeMs now() { return static_cast<TimeMs>(client::now_ms()); }

  void take(const LogEvent& event, std::size_t family) {
    EXPECT_NE(event.kind, LogEvent::Kind::kRefused);
    if (event.kind != LogEvent::Kind::kSaid) return;
    heard_.push_back(event.name + ": " + event.text);
    heard_by_ = family;
  }

  LogSession session_;
  std::array<client::UdpSocket, 2> sockets_;
  std::size_t family_ = kIpv4;
  Lines heard_;
  std::size_t heard_by_ = kIpv4;
};

class Roaming : public ServerTest, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(start({"--host", "::", "--shards", GetParam()}));
    auto alice = chatd_client::Room::enter(
        {.server = server().tcp_at("127.0.0.1").ip() + ":" + std::to_string(server().tls().port()),
         .room = "kitchen",
         .name = "alice",
         .create = true});
    ASSERT_TRUE(alice.has_value()) << alice.error().reason;
    alice_.emplace(std::move(*alice));
    ASSERT_NO_FATAL_FAILURE(enter_bob());
  }

  // Over IPv4, which proves that address.
  void enter_bob() {
    const auto answer = client::ask_over_tls(
        {.host = "127.0.0.1",
         .tcp_port = server().tls().port(),
         .check = [](const auto&) { return tl::expected<void, client::Error>(); }},
        client::encode_entry_request({.room = "kitchen", .username = "bob", .protocol = 2}),
        client::kMaxSessionAnswerBytes);
    ASSERT_TRUE(answer.has_value()) << answer.error().reason;
    auto entry = client::parse_entry_answer(answer->payload);
    ASSERT_TRUE(entry && entry->session);
    auto ipv4 = open_socket("127.0.0.1");
    auto ipv6 = open_socket("::1");
    ASSERT_TRUE(ipv4 && ipv6);
    bob_.emplace(std::move(*entry->session), std::move(*ipv4), std::move(*ipv6));
  }
  tl::expected<client::UdpSocket, client::Error> open_socket(const char* ip) {
    const SocketAddress at = server().udp_at(ip);
    return client::UdpSocket::open(client::Address(at.get(), at.size()), /*gro=*/true);
  }

  void pump() {
    bob_->pump();
    while (const auto event = alice_->next(0)) {
      EXPECT_NE(event->kind, chatd_client::Event::Kind::kLost);
      if (event->kind == chatd_client::Event::Kind::kMessage) {
        heard_by_alice_.push_back(event->name + ": " + event->text);
      }
    }
  }
  void both_speak() {
    const std::string text = std::to_string(said_++);
    ASSERT_TRUE(alice_->say(text).has_value());
    bob_->say(text);
    pump();
  }
  bool settle() {
    return wait_until([this] {
      pump();
      return !bob_->has_unsettled() && alice_->undelivered() == 0 &&
             bob_->heard().size() == 2 * said_ && heard_by_alice_.size() == 2 * said_;
    });
  }
  // Bob hears what is said now where he sends from.
  void expect_heard_by(std::size_t family) {
    const Deadline deadline = kPatience;
    do {
      ASSERT_NO_FATAL_FAILURE(both_speak());
      ASSERT_TRUE(settle());
    } while (bob_->heard_by() != family && !deadline.passed());
    EXPECT_EQ(bob_->heard_by(), family);
  }

  std::optional<chatd_client::Room> alice_;
  std::optional<Roamer> bob_;
  Lines heard_by_alice_;
  std::size_t said_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Shards, Roaming, testing::Values("1", "3"),
                         [](const auto& shards) { return std::string(shards.param); });

TEST_P(Roaming, AMemberMovesBetweenFamiliesInTheMiddleOfTalk) {
  ASSERT_NO_FATAL_FAILURE(expect_heard_by(kIpv4));
  for (const std::size_t family : {kIpv6, kIpv4, kIpv6}) {
    for (int i = 0; i < 40; ++i) {
      if (i == 20) bob_->move_to(family);  // with something under way
      ASSERT_NO_FATAL_FAILURE(both_speak());
    }
    ASSERT_TRUE(settle());
    ASSERT_NO_FATAL_FAILURE(expect_heard_by(family));
  }
  EXPECT_TRUE(bob_->heard() == heard_by_alice_);
  Lines said;
  for (std::size_t i = 0; i < said_; ++i) said.push_back(std::to_string(i));
  for (const std::string name : {"alice", "bob"}) {
    Lines expected;
    for (const std::string& text : said) expected.push_back(name + ": " + text);
    EXPECT_EQ(said_by(name, heard_by_alice_), expected);
  }
  EXPECT_EQ(bob_->stats().entries_lost, 0u);
  const Counters counted = totals();
  EXPECT_GE(counted["path_challenges"], 2u) << "IPv6 was to be proven";
  EXPECT_EQ(counted.sum_of("dropped_"), 0u) << counted.to_string();
}

}  // namespace
}  // namespace chatd::test
