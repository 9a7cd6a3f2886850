// The program's life: what it prints, how it stops, what it refuses to start with.
#include <unistd.h>

#include <csignal>

#include "tests/e2e/chatd/server_test.h"
#include "tests/support/process_figures.h"

namespace chatd::test {
namespace {

class Lifecycle : public ServerTest {};

Process run(std::vector<std::string> flags, ProcessOptions options = {}) {
  flags.insert(flags.begin(), ChatdServer::program());
  return Process(std::move(flags), std::move(options));
}

TEST_F(Lifecycle, SaysWhereItServesInOneLine) {
  ASSERT_NO_FATAL_FAILURE(start());
  EXPECT_TRUE(std::regex_match(
      server().ready_line(),
      std::regex(
          R"(chatd ready tcp=127\.0\.0\.1:[1-9][0-9]* udp=127\.0\.0\.1:[1-9][0-9]* tls=127\.0\.0\.1:[1-9][0-9]*)")))
      << server().ready_line();
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  totals();
  EXPECT_EQ(server().process().captured(Stream::kStdout), server().ready_line() + "\n");
}

TEST_F(Lifecycle, TakesThePortsThatItIsGiven) {
  std::string tcp_port;
  std::string udp_port;
  {
    ASSERT_NO_FATAL_FAILURE(start());
    tcp_port = std::to_string(server().tcp().port());
    udp_port = std::to_string(server().udp().port());
    // A connection that the server closes leaves its port in TIME_WAIT: no reason to be refused it.
    TcpPeer peer(server().tcp());
    ASSERT_TRUE(peer.send(encode_header(0, kCreateRoom, kRequest, 1U << 29U)));
    EXPECT_EQ(peer.wait_end(), StreamEnd::kOrderly);
    totals();
  }
  Process again = run({"--tcp-port", tcp_port, "--udp-port", udp_port, "--tls-port", "0"});
  EXPECT_TRUE(again.wait_for_line(
      Stream::kStdout, "chatd ready tcp=127.0.0.1:" + tcp_port + " udp=127.0.0.1:" + udp_port))
      << again.captured(Stream::kStderr);
  again.kill(SIGTERM);
  const auto status = again.wait_exit();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 0);
}

TEST_F(Lifecycle, StopsCleanlyOnBothSignals) {
  for (const int signal : {SIGINT, SIGTERM}) {
    SCOPED_TRACE(signal);
    ASSERT_NO_FATAL_FAILURE(start());
    TcpPeer idle(server().tcp());
    ASSERT_TRUE(idle.read_greeting());
    EXPECT_TRUE(server().stop(signal)) << server().diagnosis();
    EXPECT_NE(idle.wait_end(), StreamEnd::kOpen);
  }
}

// As nohup(1) and a shell's & start it. What is not ignored is obeyed.
TEST_F(Lifecycle, SignalsThatWereIgnoredAtTheStartStayIgnored) {
  ASSERT_NO_FATAL_FAILURE(start({}, {.ignored_signals = {SIGHUP, SIGINT}}));
  EXPECT_TRUE(server().process().wait_for_text(Stream::kStderr, "SIGHUP was ignored"));
  EXPECT_TRUE(server().process().wait_for_text(Stream::kStderr, "SIGINT was ignored"));
  server().process().kill(SIGHUP);
  server().process().kill(SIGINT);
  // The next one is read after those two would have been.
  server().process().kill(SIGUSR2);
  EXPECT_TRUE(server().process().wait_for_text(Stream::kStderr, "draining: "));
  EXPECT_TRUE(server().process().wait_exit());
  EXPECT_NE(server().diagnosis().find("drained: the last member has gone"), std::string::npos)
      << server().diagnosis();
}

TEST_F(Lifecycle, ABusyPortIsNamedAndRefused) {
  ASSERT_NO_FATAL_FAILURE(start());
  const std::string tcp_port = std::to_string(server().tcp().port());
  const std::string udp_port = std::to_string(server().udp().port());
  struct Case {
    std::string tcp, udp, busy;
  };
  for (const Case& each : {Case{tcp_port, "0", tcp_port}, Case{"0", udp_port, udp_port}}) {
    SCOPED_TRACE(each.busy);
    Process second = run({"--tcp-port", each.tcp, "--udp-port", each.udp, "--tls-port", "0"});
    const auto status = second.wait_exit();
    ASSERT_TRUE(status);
    EXPECT_EQ(status->code, 1);
    EXPECT_NE(second.captured(Stream::kStderr).find("127.0.0.1:" + each.busy), std::string::npos)
        << second.captured(Stream::kStderr);
    EXPECT_EQ(second.captured(Stream::kStdout), "");
  }
  // The first one has not noticed.
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  EXPECT_TRUE(all_is_heard(room));
}

TEST_F(Lifecycle, RefusesFlagsThatItDoesNotUnderstand) {
  const std::vector<std::vector<std::string>> wrong{
      {"--no-such-flag"},
      {"misrouted"},
      {"--tcp-port"},
      {"--tcp-port", "70000"},
      {"--tcp-port", "-1"},
      {"--tcp-port", "http"},
      {"--udp-port", "65536"},
      {"--idle-timeout", "soon"},
      {"--idle-timeout", "-5s"},
      {"--idle-timeout", "5 parsecs"},
      {"--handshake-timeout", "ms"},
      {"--max-rooms", "many"},
      {"--max-members", "-1"},
      {"--roaming", "everywhere"},
      {"--log-level", "loud"},
  };
  for (const auto& flags : wrong) {
    SCOPED_TRACE(testing::PrintToString(flags));
    std::vector<std::string> all{"--tcp-port", "0", "--udp-port", "0", "--tls-port", "0"};
    const bool about_ports = flags[0] == "--tcp-port" || flags[0] == "--udp-port";
    if (about_ports) all.clear();
    all.insert(all.end(), flags.begin(), flags.end());
    Process process = run(all);
    const auto status = process.wait_exit();
    ASSERT_TRUE(status) << "it runs";
    EXPECT_EQ(status->code, 2);
    EXPECT_NE(process.captured(Stream::kStderr), "");
  }
}

// A host may be a name, which only the resolver can judge: it is not the command line that is
// wrong.
TEST_F(Lifecycle, AHostThatIsNoneIsNamedAndRefused) {
  for (const char* host : {"not an address", "203.0.113.77"}) {
    SCOPED_TRACE(host);
    Process process =
        run({"--tcp-port", "0", "--udp-port", "0", "--tls-port", "0", "--host", host});
    const auto status = process.wait_exit();
    ASSERT_TRUE(status) << "it runs";
    EXPECT_EQ(status->code, 1);
    EXPECT_NE(process.captured(Stream::kStderr).find(host), std::string::npos);
  }
}

TEST_F(Lifecycle, HelpNamesEveryFlag) {
  Process process = run({"--help"});
  const auto status = process.wait_exit();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 0);
  const std::string& help = process.captured(Stream::kStdout);
  for (const char* flag : {"--host",
                           "--tcp-port",
                           "--udp-port",
                           "--idle-timeout",
                           "--handshake-timeout",
                           "--max-rooms",
                           "--max-members",
                           "--max-room-members",
                           "--max-connections",
                           "--log-level",
                           "--roaming",
                           "--max-frame-bytes",
                           "--max-notified-members",
                           "--max-address-requests",
                           "--max-address-rooms",
                           "--limit-loopback",
                           "--rate-limits",
                           "--max-member-messages",
                           "--max-member-bytes",
                           "--max-room-notices",
                           "--max-address-connections",
                           "--max-password-attempts",
                           "--max-source-answers"}) {
    EXPECT_NE(help.find(flag), std::string::npos) << flag;
  }
}

TEST_F(Lifecycle, DefaultsAreAsDocumented) {
  Process process = run({"--help"});
  ASSERT_TRUE(process.wait_exit());
  const std::string& help = process.captured(Stream::kStdout);
  for (const char* value : {"127.0.0.1", "8000", "9000", "300s", "128"}) {
    EXPECT_NE(help.find(value), std::string::npos) << value;
  }
}

TEST_F(Lifecycle, RaisesTheDescriptorLimitToWhatItNeeds) {
  raise_own_open_files_limit();
  ASSERT_NO_FATAL_FAILURE(start({"--max-connections", "500"}, {.max_open_files = {{64, 4096}}}));
  EXPECT_GE(soft_open_files_limit(server().pid()), 500U);
  std::vector<TcpPeer> peers;
  for (int i = 0; i < 300; ++i) peers.emplace_back(server().tcp());
  for (TcpPeer& peer : peers) {
    ASSERT_EQ(peer.request(join_request("none", "alice")).status(), 404);
  }
}

TEST_F(Lifecycle, ExplainsADescriptorLimitThatItCannotRaise) {
  // A privileged chatd may raise its own hard limit: then there is no clash, and nothing to
  // explain.
  Process process =
      run({"--tcp-port", "0", "--udp-port", "0", "--tls-port", "0", "--max-connections", "1000"},
          {.max_open_files = {{64, 64}}});
  const bool ready = process.wait_for_line(Stream::kStdout, "chatd ready").has_value();
  if (ready && soft_open_files_limit(process.pid()) >= 1000) {
    GTEST_SKIP() << "chatd may raise its hard limit here";
  }
  const std::regex explanation("RLIMIT_NOFILE|ulimit|descriptor|open files", std::regex::icase);
  EXPECT_TRUE(process.wait_for_line(Stream::kStderr, explanation));
  if (!ready) {
    const auto status = process.wait_exit();
    ASSERT_TRUE(status);
    EXPECT_GT(status->code, 0);
  }
}

// A full send buffer takes up to 1,024 sockets more in each shard: connections keep theirs.
TEST_F(Lifecycle, HasDescriptorsForConnectionsAndForLanes) {
  Process process = run({"--tcp-port", "0", "--udp-port", "0", "--tls-port", "0",
                         "--max-connections", "1000", "--shards", "2"},
                        {.max_open_files = {{64, 8192}}});
  ASSERT_TRUE(process.wait_for_line(Stream::kStdout, "chatd ready"));
  EXPECT_GE(soft_open_files_limit(process.pid()), 1000U + 2 * 1024U);
}

// Where the limit has no room for all of them there are fewer lanes, and chatd starts. A privileged
// one raises its limit, so that of this test is taken away first.
TEST_F(Lifecycle, StartsWithFewerDescriptorsThanLanesMayTake) {
  std::vector<std::string> argv;
  if (::geteuid() == 0) {
    if (::access("/usr/bin/setpriv", X_OK) != 0) {
      GTEST_SKIP() << "needs setpriv (util-linux) to give up privileges";
    }
    argv = {"/usr/bin/setpriv", "--bounding-set=-sys_resource"};
  }
  argv.push_back(ChatdServer::program());
  const char* const flags[] = {"--tcp-port",        "0",    "--udp-port", "0", "--tls-port", "0",
                               "--max-connections", "1000", "--shards",   "2"};
  argv.insert(argv.end(), std::begin(flags), std::end(flags));
  Process process(argv, {.max_open_files = {{64, 2048}}});
  ASSERT_TRUE(process.wait_for_line(Stream::kStdout, "chatd ready"))
      << process.captured(Stream::kStderr);
  EXPECT_EQ(soft_open_files_limit(process.pid()), 2048U);
}

TEST_F(Lifecycle, SaysNothingPerMessage) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  const auto talk = [&](int messages) {
    for (int i = 0; i < messages; ++i) {
      room[0].send_payload("garbage");
      ASSERT_TRUE(room[1].hears(room[0].say("message")));
    }
  };
  ASSERT_NO_FATAL_FAILURE(talk(10));
  const std::string before = server().diagnosis();
  ASSERT_NO_FATAL_FAILURE(talk(400));
  EXPECT_EQ(server().diagnosis(), before);
}

TEST_F(Lifecycle, ServesIpv6) {
  ASSERT_NO_FATAL_FAILURE(start({"--host", "::1"}));
  EXPECT_TRUE(std::regex_match(
      server().ready_line(),
      std::regex(
          R"(chatd ready tcp=\[::1\]:[1-9][0-9]* udp=\[::1\]:[1-9][0-9]* tls=\[::1\]:[1-9][0-9]*)")))
      << server().ready_line();
  const JoinOptions v6{.source_ip = "::1"};
  auto room = make_room(server(), "room", {"alice", "bob"}, v6);
  ASSERT_EQ(room.size(), 2U);
  EXPECT_TRUE(all_is_heard(room));
  // Other ways to write the same address, and a pending member.
  auto carol =
      Member::join(server(), "room", "carol", {.source_ip = "::1", .stated_ip = "0:0:0:0:0:0:0:1"});
  ASSERT_TRUE(carol);
  EXPECT_TRUE(carol->hears(room[0].say("hi")));
  auto dave = Member::join(server(), "room", "dave", {.source_ip = "::1", .stated_ip = "fd00::9"});
  ASSERT_TRUE(dave);
  dave->heartbeat();
  EXPECT_TRUE(dave->hears(room[0].say("hi")));
  const JoinFields own{
      .username = "eve", .ip = "::1", .port = server().udp().port(), .password = ""};
  EXPECT_EQ(TcpPeer(server().tcp()).join("room", own).status(), 400);
}

TEST_F(Lifecycle, ServesBothFamiliesOnOneSocket) {
  ASSERT_NO_FATAL_FAILURE(start({"--host", "::"}));
  auto alice = Member::create(server(), "room", "alice", {.source_ip = "::1", .server_ip = "::1"});
  ASSERT_TRUE(alice);
  // The server sees an IPv4 peer as ::ffff:127.0.0.1, which is 127.0.0.1.
  for (const char* stated : {"127.0.0.1", "::ffff:127.0.0.1", "", "0.0.0.0"}) {
    SCOPED_TRACE(stated);
    const std::string name = std::string("bob at ") + stated;
    auto bob =
        Member::join(server(), "room", name,
                     {.source_ip = "127.0.0.1", .stated_ip = stated, .server_ip = "127.0.0.1"});
    ASSERT_TRUE(bob);
    EXPECT_TRUE(alice->hears_joined(name));
    EXPECT_TRUE(bob->hears(alice->say("over there?")));
    EXPECT_TRUE(alice->hears(bob->say("here")));
    bob->leave();
    EXPECT_TRUE(alice->hears_left(name));
  }
  // A datagram with a good token from the other family is from another address.
  UdpPeer other("127.0.0.1");
  other.send(server().udp_at("127.0.0.1"),
             encode_datagram("room", alice->token(), message_payload("alice", "from IPv4 now")));
  const auto answer = other.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->bytes.substr(2), kNotAuthenticated);
}

}  // namespace
}  // namespace chatd::test
