// A server on a wildcard address with several addresses: whichever a member has called, it hears
// from that one and no other. (Member::hear fails a test when a datagram comes from elsewhere.)
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "tests/integration/networks/networks_test.h"

namespace chatd::test {
namespace {

constexpr char kStranger[] = "00000000000000000000000000000000";

// A link-local address is the same on every interface: this is the one on `device`, as the network
// that the thread is in knows it.
SocketAddress on_link(const char* ip, std::uint16_t port, const char* device) {
  SocketAddress address(ip, port);
  sockaddr_in6 scoped{};
  std::memcpy(&scoped, address.get(), sizeof scoped);
  scoped.sin6_scope_id = ::if_nametoindex(device);
  std::memcpy(address.get(), &scoped, sizeof scoped);
  return address;
}

class LocalAddresses : public NetworksTest {
 protected:
  // Routing picks the first address of the network whatever the way; members call all of them.
  void lay(const std::string& host) {
    lay_cable(*server_, "eth0", *members_, "eth0");
    server_->add_addresses("eth0", {"10.9.0.1/24", "10.9.0.3/24", "10.8.0.1/32"});
    server_->add_addresses("eth0", {"fd09::1/64", "fd09::3/64", "fd08::1/128"});
    members_->add_addresses("eth0", {"10.9.0.2/24", "fd09::2/64"});
    members_->ip({"route add 10.8.0.1 via 10.9.0.1", "route add fd08::1 via fd09::1"});
    ASSERT_NO_FATAL_FAILURE(start_in(*server_, {"--host", host, "--idle-timeout", "60s"}));
  }

  void enter_all(const std::vector<std::string>& called) {
    for (const std::string& ip : called) {
      const std::string own = ip.find(':') == std::string::npos ? "10.9.0.2" : "fd09::2";
      const std::string name = std::to_string(room().size()) + " at " + ip;
      ASSERT_TRUE(enter(*members_, own, name, {.server_ip = ip})) << ip;
    }
  }

  // One at a time, then several in one go, which makes trains.
  void converse() {
    const Inside inside(*members_);
    for (Member& sender : room()) {
      std::vector<std::string> said{sender.say("alone")};
      for (int i = 0; i < 20; ++i) said.push_back(sender.say("in a row " + std::to_string(i)));
      for (Member& listener : room()) {
        if (&listener == &sender) continue;
        for (const std::string& each : said) ASSERT_TRUE(listener.hears(each)) << listener.name();
      }
    }
  }

  // Who is not known is told so from there, too.
  void expect_refusals(const std::vector<std::string>& called) {
    const Inside inside(*members_);
    for (const std::string& ip : called) {
      UdpPeer stranger(ip.find(':') == std::string::npos ? "10.9.0.2" : "fd09::2");
      std::optional<Datagram> answer;
      const Deadline deadline = kPatience;  // there is one answer a second
      while (!answer && !deadline.passed()) {
        stranger.send(server().udp_at(ip),
                      encode_datagram("room", kStranger,
                                      message_payload("somebody", "long enough for an answer")));
        answer = stranger.receive(std::chrono::milliseconds(50));
      }
      ASSERT_TRUE(answer) << ip;
      EXPECT_EQ(answer->from.ip(), ip);
    }
  }

  void SetUp() override {
    NetworksTest::SetUp();
    if (IsSkipped()) return;
    server_.emplace();
    members_.emplace();
  }

  std::optional<NetworkNamespace> server_;
  std::optional<NetworkNamespace> members_;
};

TEST_F(LocalAddresses, MembersHearFromTheOneThatTheyHaveCalled) {
  const std::vector<std::string> called{"10.9.0.1", "10.9.0.3", "10.8.0.1"};
  ASSERT_NO_FATAL_FAILURE(lay("0.0.0.0"));
  ASSERT_NO_FATAL_FAILURE(enter_all(called));
  ASSERT_NO_FATAL_FAILURE(converse());
  ASSERT_NO_FATAL_FAILURE(expect_refusals(called));
  ASSERT_TRUE(server().hand_over());
  ASSERT_NO_FATAL_FAILURE(converse());
  room()[0].leave();  // the host: notices to each
  for (Member& member : room()) {
    if (&member == &room()[0]) continue;
    EXPECT_TRUE(member.hears_left(room()[0].name()));
    EXPECT_TRUE(member.hears_own_removal());
  }
  EXPECT_EQ(totals().sum_of("dropped_send"), 0U);
}

TEST_F(LocalAddresses, OfBothFamiliesOnOneSocket) {
  const std::vector<std::string> called{"10.9.0.1", "fd09::1", "10.9.0.3",
                                        "fd09::3",  "fd08::1", "10.8.0.1"};
  ASSERT_NO_FATAL_FAILURE(lay("::"));
  ASSERT_NO_FATAL_FAILURE(enter_all(called));
  ASSERT_NO_FATAL_FAILURE(converse());
  ASSERT_NO_FATAL_FAILURE(expect_refusals(called));
  ASSERT_TRUE(server().hand_over());
  ASSERT_NO_FATAL_FAILURE(converse());
  EXPECT_EQ(totals().sum_of("dropped_send"), 0U);
}

// A member that calls another address from now on is answered from there.
TEST_F(LocalAddresses, AMemberMayCallAnother) {
  ASSERT_NO_FATAL_FAILURE(lay("0.0.0.0"));
  ASSERT_NO_FATAL_FAILURE(enter_all({"10.9.0.1", "10.9.0.1"}));
  Member& changing = room()[1];
  changing.socket().send(server().udp_at("10.9.0.3"),
                         encode_datagram("room", changing.token(), ""));
  const std::string said = room()[0].say("hello");
  const auto heard = changing.socket().receive();
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->bytes, std::string(2, '\0') + said);
  EXPECT_EQ(heard->from.ip(), "10.9.0.3");
}

// The machine loses an address: who has called it is sent to from another one, and from that one
// again when it is back and they have called.
TEST_F(LocalAddresses, OneThatIsGoneCostsNobodyAMessage) {
  ASSERT_NO_FATAL_FAILURE(lay("0.0.0.0"));
  ASSERT_NO_FATAL_FAILURE(enter_all({"10.9.0.1", "10.8.0.1"}));
  server_->ip({"addr del 10.8.0.1/32 dev eth0"});
  room()[0].say("hello");
  auto heard = room()[1].socket().receive();
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->from.ip(), "10.9.0.1");
  server_->add_addresses("eth0", {"10.8.0.1/32"});
  room()[1].heartbeat();
  ASSERT_NO_FATAL_FAILURE(converse());
  EXPECT_EQ(totals().sum_of("dropped_send"), 0U);
}

// chatd is not to talk to itself, whenever the machine got the address.
TEST_F(LocalAddresses, OneThatCameLaterIsKnownAsItsOwn) {
  ASSERT_NO_FATAL_FAILURE(lay("0.0.0.0"));
  server_->add_addresses("eth0", {"10.9.0.9/24"});
  const Inside inside(*server_);
  TcpPeer control(server().tcp_at("10.9.0.9"), "10.9.0.9");
  const JoinFields itself{.username = "alice", .ip = "10.9.0.9", .port = server().udp().port()};
  EXPECT_EQ(control.create("room", itself).status(), 400);
  JoinFields open = itself;
  open.ip = "";
  EXPECT_EQ(control.create("room", open).status(), 400);
  JoinFields other = itself;
  other.port = static_cast<std::uint16_t>(itself.port ^ 1);
  EXPECT_EQ(control.create("room", other).status(), 201);
}

TEST_F(LocalAddresses, ALinkLocalOneThatCameLaterIsKnownAsItsOwn) {
  ASSERT_NO_FATAL_FAILURE(lay("::"));
  const JoinFields itself{.username = "alice", .ip = "fe80::9", .port = server().udp().port()};
  const Inside inside(*server_);
  EXPECT_EQ(TcpPeer(server().tcp_at("fd09::1")).create("not yet", itself).status(), 201);
  server_->add_addresses("eth0", {"fe80::9/64"});
  EXPECT_EQ(TcpPeer(server().tcp_at("fd09::1")).create("room", itself).status(), 400);
  TcpPeer control(on_link("fe80::9", server().tcp().port(), "eth0"));
  ASSERT_EQ(control.local().ip(), "fe80::9");
  JoinFields open = itself;
  open.ip = "";
  EXPECT_EQ(control.create("room", open).status(), 400);
  open.port = static_cast<std::uint16_t>(itself.port ^ 1);
  EXPECT_EQ(control.create("room", open).status(), 201);
}

// What says where a datagram leaves from must not cost the kernel an allocation each. So none is
// needed here to be heard: it has no memory to give for that.
TEST_F(LocalAddresses, TheKernelAllocatesNothingToKnowThem) {
  ASSERT_NO_FATAL_FAILURE(lay("::"));
  {
    const Inside inside(*server_);
    if (::access("/proc/sys/net/core/optmem_max", W_OK) != 0) {
      GTEST_SKIP() << "this kernel has one net.core.optmem_max for all networks";
    }
  }
  ASSERT_NO_FATAL_FAILURE(enter_all({"10.9.0.3", "fd09::3", "10.8.0.1", "fd08::1"}));
  server_->set_sysctl("net/core/optmem_max", "0");
  for (Member& sender : room()) {
    const std::string said = sender.say("hello");
    for (Member& listener : room()) {
      if (&listener == &sender) continue;
      ASSERT_TRUE(listener.hears(said)) << listener.name();
    }
  }
  EXPECT_EQ(totals().sum_of("dropped_send"), 0U);
}

// Link-local addresses are the same on every interface; which one is meant is known from how the
// member has called.
TEST_F(LocalAddresses, LinkLocalMembersAreHeardAndHear) {
  lay_cable(*server_, "eth0", *members_, "eth0");
  lay_cable(*server_, "eth1", *members_, "eth1");
  server_->add_addresses("eth0", {"fe80::1/64"});
  server_->add_addresses("eth1", {"fe80::1/64"});
  members_->add_addresses("eth0", {"fe80::2/64"});
  members_->add_addresses("eth1", {"fe80::2/64"});
  ASSERT_NO_FATAL_FAILURE(start_in(*server_, {"--host", "::"}));
  const Inside inside(*members_);
  struct Person {
    std::string name;
    SocketAddress server;
    UniqueFd socket;
    std::string token;
  };
  std::vector<Person> people;
  for (const char* const device : {"eth0", "eth1"}) {
    Person person{.name = device,
                  .server = on_link("fe80::1", server().udp().port(), device),
                  .socket = {},
                  .token = {}};
    person.socket = UniqueFd(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const SocketAddress own = on_link("fe80::2", 0, device);
    ASSERT_EQ(::bind(person.socket.get(), own.get(), own.size()), 0);
    // Connected: it hears the address that it has called, and nobody else.
    ASSERT_EQ(::connect(person.socket.get(), person.server.get(), person.server.size()), 0);
    TcpPeer control(on_link("fe80::1", server().tcp().port(), device));
    const JoinFields fields{.username = person.name,
                            .ip = "",
                            .port = SocketAddress::local_of(person.socket.get()).port()};
    const Answer answer =
        people.empty() ? control.create("room", fields) : control.join("room", fields);
    ASSERT_EQ(answer.status(), 201);
    person.token = answer.token();
    people.push_back(std::move(person));
  }
  const auto next = [](const Person& person) {
    timeval patience{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(person.socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    std::array<char, 2000> bytes;
    const ssize_t size = ::recv(person.socket.get(), bytes.data(), bytes.size(), 0);
    return size < 2 ? std::string()
                    : std::string(bytes.data() + 2, static_cast<std::size_t>(size) - 2);
  };
  EXPECT_NE(next(people[0]).find("eth1 joined"), std::string::npos);
  for (std::size_t sender : {0u, 1u}) {
    const std::string payload = message_payload(people[sender].name, "hello");
    const std::string datagram = encode_datagram("room", people[sender].token, payload);
    ASSERT_GT(::send(people[sender].socket.get(), datagram.data(), datagram.size(), 0), 0);
    EXPECT_EQ(next(people[1 - sender]), payload);
  }
  EXPECT_EQ(totals().sum_of("dropped_"), 0U);
}

}  // namespace
}  // namespace chatd::test
