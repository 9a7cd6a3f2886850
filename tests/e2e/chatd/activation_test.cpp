// chatd on sockets that somebody else has opened: the test is the service manager.
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <ios>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/os/unique_fd.h"
#include "tests/e2e/chatd/server_test.h"
#include "tests/support/socket_unit.h"
#include "tests/support/tls_peer.h"

namespace chatd::test {
namespace {

std::size_t shard_count() {
  const char* const shards = std::getenv("CHATD_TEST_SHARDS");
  return shards == nullptr ? 1 : std::stoul(shards);
}

ProcessOptions passing(std::vector<int> sockets) {
  return {.passed_sockets = std::move(sockets)};
}

// The flags of an open descriptor of another process.
unsigned flags_of(pid_t pid, int fd) {
  std::ifstream info("/proc/" + std::to_string(pid) + "/fdinfo/" + std::to_string(fd));
  std::string name;
  unsigned value = 0;
  while (info >> name && name != "flags:") info.ignore(1000, '\n');
  info >> std::oct >> value;
  return value;
}

class SocketActivation : public ServerTest {
 protected:
  // What chatd says before it gives up.
  static std::string refusal(const std::vector<int>& sockets, const std::string& shards) {
    Process chatd({ChatdServer::program(), "--tcp-port", "0", "--udp-port", "0", "--tls-port", "0",
                   "--shards", shards},
                  passing(sockets));
    const auto status = chatd.wait_exit();
    if (!status) return "it does not end";
    EXPECT_EQ(status->code, 1);
    EXPECT_EQ(chatd.captured(Stream::kStdout), "");
    const std::string& log = chatd.captured(Stream::kStderr);
    const std::string_view label = "chatd cannot start: ";
    const std::size_t at = log.find(label);
    return at == std::string::npos ? log : log.substr(at + label.size());
  }
};

TEST_F(SocketActivation, ServesOnThePassedSocketsAndNotOnItsOwn) {
  const SocketUnit unit(shard_count());
  ASSERT_NO_FATAL_FAILURE(start({}, passing(unit.descriptors())));
  EXPECT_EQ(server().tcp(), unit.tcp());
  EXPECT_EQ(server().udp(), unit.udp());
  auto room = make_room(server(), "room", {"alice", "bob", "carol"});
  ASSERT_EQ(room.size(), 3U);
  const std::string said = room[0].say("hello");
  EXPECT_TRUE(room[1].hears(said));
  EXPECT_TRUE(room[2].hears(said));
  EXPECT_NE(server().diagnosis().find("the service manager has passed the sockets: tcp " +
                                      unit.tcp().to_string() + ", udp " + unit.udp().to_string() +
                                      ", tls none (chatd-tls.socket); --host, --tcp-port, "
                                      "--udp-port and --tls-port are not used"),
            std::string::npos)
      << server().diagnosis();
}

// By its name, for a listener looks like another.
TEST_F(SocketActivation, ASocketWithTheNameTlsIsTheTlsPort) {
  const SocketUnit unit(shard_count());
  const UniqueFd tls = listener_at({"127.0.0.1", 0});
  std::vector<int> sockets = unit.descriptors();
  std::string names = "tls:";
  for (std::size_t i = 0; i < sockets.size(); ++i) names += i == 0 ? "chatd" : ":chatd";
  sockets.insert(sockets.begin(), tls.get());
  ProcessOptions options = passing(sockets);
  options.environment = {{"LISTEN_FDNAMES", names}};
  ASSERT_NO_FATAL_FAILURE(start({}, options));
  EXPECT_EQ(server().tcp(), unit.tcp());
  ASSERT_TRUE(server().has_tls());
  EXPECT_EQ(server().tls(), SocketAddress::local_of(tls.get()));
  TlsPeer peer(server().tls());
  EXPECT_EQ(peer.create("room", fields_of("alice")).status(), 201) << peer.failure();
  ASSERT_TRUE(server().hand_over()) << server().diagnosis();
  TlsPeer after(server().tls());
  EXPECT_EQ(after.join("room", fields_of("bob")).status(), 201) << after.failure();
}

TEST_F(SocketActivation, OneSocketServesBothFamilies) {
  const SocketUnit unit(shard_count(), "::");
  ASSERT_NO_FATAL_FAILURE(start({}, passing(unit.descriptors())));
  auto alice = Member::create(server(), "room", "alice", {.server_ip = "127.0.0.1"});
  auto bob = Member::join(server(), "room", "bob", {.source_ip = "::1", .server_ip = "::1"});
  ASSERT_TRUE(alice && bob);
  EXPECT_TRUE(alice->hears_joined("bob"));
  EXPECT_TRUE(alice->hears(bob->say("hello")));
  EXPECT_TRUE(bob->hears(alice->say("hello")));
}

// Nobody is refused while chatd is away: that is what activation is for.
TEST_F(SocketActivation, AnswersWhoCalledBeforeItWasThere) {
  const SocketUnit unit(shard_count());
  for (const char* const room : {"first", "second"}) {
    SCOPED_TRACE(room);
    TcpPeer early(unit.tcp());
    ASSERT_TRUE(early.connected());
    ASSERT_TRUE(early.send(encode(list_request())));
    ASSERT_NO_FATAL_FAILURE(start({}, passing(unit.descriptors())));
    ASSERT_TRUE(early.read_greeting());
    const Answer answer = early.read_answer();
    ASSERT_TRUE(answer.completed);
    EXPECT_EQ(answer.completed->operation, kListRooms);
    EXPECT_EQ(early.create(room, fields_of("alice")).status(), 201);
    totals();  // and stops it: the next one finds the sockets as they were
  }
}

// Both are passed without: a shard that waits in accept or recv serves nobody else.
TEST_F(SocketActivation, TheSocketsNeitherBlockNorOutliveAnExec) {
  const SocketUnit unit(shard_count());
  ASSERT_NO_FATAL_FAILURE(start({}, passing(unit.descriptors())));
  for (int fd = 3; fd < 3 + static_cast<int>(unit.descriptors().size()); ++fd) {
    constexpr unsigned kWanted = O_NONBLOCK | O_CLOEXEC;
    EXPECT_EQ(flags_of(server().pid(), fd) & kWanted, kWanted) << fd;
  }
}

TEST_F(SocketActivation, AMemberWhosePortIsClosedIsNoticed) {
  const SocketUnit unit(shard_count());
  ASSERT_NO_FATAL_FAILURE(start({}, passing(unit.descriptors())));
  auto room = make_room(server(), "room", {"alice", "gone"});
  ASSERT_EQ(room.size(), 2U);
  room[1].socket().close();
  std::optional<std::string> heard;
  const Deadline deadline = kPatience;
  while (!heard && !deadline.passed()) {
    room[0].say("are you there?");
    heard = room[0].hear(std::chrono::milliseconds(20));
  }
  ASSERT_TRUE(heard) << server().diagnosis();
  EXPECT_EQ(JsonObject(*heard).text("message"), "gone left");
}

// A manager passes sockets to its child; a grandchild that inherits the variables is not meant.
TEST_F(SocketActivation, WhatIsPassedToSomebodyElseIsLeftAlone) {
  ProcessOptions options{.environment = {{"LISTEN_PID", "1"}, {"LISTEN_FDS", "2"}}};
  ASSERT_NO_FATAL_FAILURE(start({}, options));
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  EXPECT_EQ(server().diagnosis().find("service manager"), std::string::npos);
}

TEST_F(SocketActivation, AWrongNumberOfSocketsIsRefused) {
  const SocketUnit one(1);
  const SocketUnit two(2);
  const SocketUnit four(4);
  EXPECT_EQ(refusal(one.descriptors(), "2"),
            "2 shards need 2 UDP sockets and 1 was passed: add ListenDatagram=... once more, with "
            "ReusePort=yes, or set shards = 1\n");
  EXPECT_EQ(refusal(one.descriptors(), "3"),
            "3 shards need 3 UDP sockets and 1 was passed: add ListenDatagram=... 2 times more, "
            "with ReusePort=yes, or set shards = 1\n");
  EXPECT_EQ(refusal(four.descriptors(), "2"),
            "2 shards need 2 UDP sockets and 4 were passed: remove ListenDatagram=... 2 times, or "
            "set shards = 4\n");
  EXPECT_EQ(refusal(two.descriptors(), "1"),
            "1 shard needs 1 UDP socket and 2 were passed: remove ListenDatagram=... once, or set "
            "shards = 2\n");
  EXPECT_EQ(refusal({one.descriptors()[0]}, "1"),
            "1 shard needs 1 UDP socket and 0 were passed: add ListenDatagram=... to the .socket "
            "unit\n");
  EXPECT_EQ(refusal({one.descriptors()[0]}, "2"),
            "2 shards need 2 UDP sockets and 0 were passed: add ListenDatagram=... 2 times, with "
            "ReusePort=yes\n");
  EXPECT_EQ(refusal({one.descriptors()[1]}, "1"),
            "chatd needs 1 listening TCP socket and 0 were passed: add ListenStream=... to the "
            ".socket unit\n");
  EXPECT_EQ(refusal({one.descriptors()[0], two.descriptors()[0], one.descriptors()[1]}, "1"),
            "chatd needs 1 listening TCP socket and 2 were passed: leave one ListenStream=... in "
            "the .socket unit\n");
}

TEST_F(SocketActivation, AWrongKindOfDescriptorIsRefused) {
  const SocketUnit unit(1);
  const SocketAddress anywhere("127.0.0.1", 0);
  const UniqueFd does_not_listen = open_socket_at(anywhere, SOCK_STREAM);
  const UniqueFd local(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const UniqueFd file(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const std::string advice =
      " was passed, and it is neither a listening TCP socket nor a UDP socket: the .socket unit "
      "may have ListenStream= and ListenDatagram= with a port, Accept=no, and no other Listen...= "
      "and no SocketProtocol=\n";
  const int tcp = unit.descriptors()[0];
  const int udp = unit.descriptors()[1];
  EXPECT_EQ(refusal({does_not_listen.get(), udp}, "1"), "descriptor 3" + advice);
  EXPECT_EQ(refusal({tcp, local.get(), udp}, "1"), "descriptor 4" + advice);
  EXPECT_EQ(refusal({tcp, udp, file.get()}, "1"), "descriptor 5" + advice);
}

TEST_F(SocketActivation, SocketsThatDoNotBelongTogetherAreRefused) {
  const SocketUnit unit(1);
  const SocketUnit other(1);
  const SocketUnit ipv6(1, "::1");
  EXPECT_EQ(refusal({unit.descriptors()[0], ipv6.descriptors()[1]}, "1"),
            "the TCP socket that was passed is of IPv4 and a UDP socket of IPv6: name addresses "
            "of one family in ListenStream= and ListenDatagram= of the .socket unit (a port alone "
            "means IPv6, which serves IPv4 as well)\n");
  EXPECT_EQ(refusal({unit.descriptors()[0], unit.descriptors()[1], other.descriptors()[1]}, "2"),
            "2 UDP sockets were passed that cannot share a port (no SO_REUSEPORT): set "
            "ReusePort=yes in the .socket unit\n");
  const UniqueFd first = open_socket_at({"127.0.0.1", 0}, SOCK_DGRAM, true);
  const UniqueFd second = open_socket_at({"127.0.0.1", 0}, SOCK_DGRAM, true);
  EXPECT_EQ(refusal({unit.descriptors()[0], first.get(), second.get()}, "2"),
            "the UDP sockets that were passed are bound to " +
                SocketAddress::local_of(first.get()).to_string() + " and " +
                SocketAddress::local_of(second.get()).to_string() +
                ": name the same address and port in every ListenDatagram= of the .socket unit\n");
}

// What PassPacketInfo= and Timestamping= of a .socket unit ask for is no part of what is said.
TEST_F(SocketActivation, SocketsThatTellMoreOfEachDatagramServeAsWell) {
  for (const char* const ip : {"127.0.0.1", "::1"}) {
    SCOPED_TRACE(ip);
    const SocketUnit unit(shard_count(), ip);
    const int on = 1;
    for (std::size_t i = 1; i < unit.descriptors().size(); ++i) {
      const int fd = unit.descriptors()[i];
      ASSERT_EQ(::setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on), 0);
      if (ip[0] == ':') {
        ASSERT_EQ(::setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on), 0);
      }
      ASSERT_EQ(::setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on), 0);
    }
    ASSERT_NO_FATAL_FAILURE(start({}, passing(unit.descriptors())));
    auto room = make_room(server(), "room", {"alice", "bob"}, {.source_ip = ip, .server_ip = ip});
    ASSERT_EQ(room.size(), 2U);
    std::vector<std::string> said;
    for (int i = 0; i < 20; ++i) said.push_back(room[0].say("message " + std::to_string(i)));
    for (const std::string& each : said) EXPECT_TRUE(room[1].hears(each));
    EXPECT_EQ(totals().sum_of("dropped_"), 0U);
  }
}

TEST_F(SocketActivation, AUdpSocketThatCannotServeIsRefused) {
  const SocketUnit unit(1);
  const int tcp = unit.descriptors()[0];
  const UniqueFd unbound(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(refusal({tcp, unbound.get()}, "1"),
            "descriptor 4 is a UDP socket without a port: whoever passes it has to bind it first, "
            "as ListenDatagram=... in a .socket unit does\n");
  const UniqueFd connected = open_socket_at({"127.0.0.1", 0}, SOCK_DGRAM);
  const SocketAddress peer = unit.udp();
  ASSERT_EQ(::connect(connected.get(), peer.get(), peer.size()), 0);
  EXPECT_EQ(refusal({tcp, connected.get()}, "1"),
            "descriptor 4 is a UDP socket that is connected to " + peer.to_string() +
                " and hears nobody else: whoever passes it must not connect it\n");
}

TEST_F(SocketActivation, VariablesThatMakeNoSenseAreRefused) {
  const SocketUnit unit(1);
  ProcessOptions options = passing(unit.descriptors());
  options.environment = {{"LISTEN_FDS", "many"}};  // before the right one, so that it counts
  Process chatd({ChatdServer::program()}, options);
  const auto status = chatd.wait_exit();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 1);
  EXPECT_NE(chatd.captured(Stream::kStderr)
                .find("the sockets that LISTEN_FDS and LISTEN_PID in the environment speak of "
                      "cannot be taken (Invalid argument): "),
            std::string::npos)
      << chatd.captured(Stream::kStderr);
}

}  // namespace
}  // namespace chatd::test
