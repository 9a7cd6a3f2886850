// Where a member is: the forms of ip and port in a request, pending members, and roaming.
#include "tests/e2e/chatd/server_test.h"

namespace chatd::test {
namespace {

class Addresses : public ServerTest {
 protected:
  // The status for a create request with these two fields as they stand; a room of its own each.
  int status_for(const std::string& ip_json, const std::string& port_json) {
    const std::string room = "room " + std::to_string(++rooms_);
    return TcpPeer(server().tcp())
        .request({.operation = kCreateRoom,
                  .state = kRequest,
                  .room = room,
                  .payload = R"({"username": "alice", "ip": )" + ip_json + R"(, "port": )" +
                             port_json + "}"})
        .status();
  }

  // Lets a listener join `room` with these two fields as they stand.
  std::string join_as(const std::string& room, const std::string& name, const std::string& ip_json,
                      const std::string& port_json, std::string_view source_ip = "127.0.0.1") {
    const Answer answer = TcpPeer(server().tcp(), source_ip)
                              .request({.operation = kJoinRoom,
                                        .state = kRequest,
                                        .room = room,
                                        .payload = R"({"username": ")" + name + R"(", "ip": )" +
                                                   ip_json + R"(, "port": )" + port_json + "}"});
    EXPECT_EQ(answer.status(), 201);
    return answer.token();
  }

 private:
  int rooms_ = 0;
};

std::string payload_of(const std::optional<Datagram>& datagram) {
  return datagram ? datagram->bytes.substr(std::min<std::size_t>(2, datagram->bytes.size()))
                  : "nothing";
}

TEST_F(Addresses, AStatedAddressThatIsTheCallersIsBoundAtOnce) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice"});
  ASSERT_EQ(room.size(), 1U);
  struct Form {
    std::string ip;
    bool quoted_port;
  };
  const std::vector<Form> forms{{"\"127.0.0.1\"", false},
                                {"\"127.0.0.1\"", true},
                                {"\"\"", false},
                                {"\"\"", true},
                                {"\"0.0.0.0\"", false},
                                {"\"::\"", false},
                                {"\"::ffff:127.0.0.1\"", false},
                                {"\"::ffff:7f00:1\"", true}};
  int number = 0;
  std::vector<UdpPeer> guests;  // a closed socket would refuse, and its member be removed
  for (const auto& [ip, quoted_port] : forms) {
    SCOPED_TRACE(testing::Message() << ip << (quoted_port ? " port as text" : " port as number"));
    const std::string name = "guest " + std::to_string(++number);
    UdpPeer& guest = guests.emplace_back();
    const std::string port = std::to_string(guest.address().port());
    join_as("room", name, ip, quoted_port ? "\"" + port + "\"" : port);
    EXPECT_TRUE(room[0].hears_joined(name));
    // Not a datagram has come from there, and yet it is spoken to.
    const std::string said = room[0].say("hello " + name);
    EXPECT_EQ(payload_of(guest.receive()), said);
    for (std::size_t earlier = 0; earlier + 1 < guests.size(); ++earlier) {
      EXPECT_NE(payload_of(guests[earlier].receive()).find(name), std::string::npos);  // joined
      EXPECT_EQ(payload_of(guests[earlier].receive()), said);
    }
  }
}

TEST_F(Addresses, AnIpThatIsNoUnicastLiteralIs400) {
  ASSERT_NO_FATAL_FAILURE(start());
  const std::vector<std::string> ips{"localhost",
                                     "1.2.3",
                                     "1.2.3.4.5",
                                     "256.1.1.1",
                                     "1.2.3.4 ",
                                     " 1.2.3.4",
                                     "1.2.3.4:5",
                                     "[::1]",
                                     ":::",
                                     "12345::",
                                     "0x7f.0.0.1",
                                     "224.0.0.1",
                                     "239.255.255.255",
                                     "255.255.255.255",
                                     "ff02::1",
                                     "ff0e::1",
                                     "::ffff:224.0.0.1",
                                     "::ffff:255.255.255.255",
                                     "fe80::1%lo",
                                     std::string(300, '1')};
  for (const std::string& ip : ips) {
    SCOPED_TRACE(ip);
    EXPECT_EQ(status_for(json_quote(ip), "40000"), 400);
    EXPECT_EQ(status_for(json_quote(ip), "0"), 400);
  }
}

TEST_F(Addresses, PortsFrom0To65535AreTakenInBothForms) {
  ASSERT_NO_FATAL_FAILURE(start());
  for (const char* port : {"0", "1", "65535", "\"0\"", "\"1\"", "\"65535\"", "\"\""}) {
    SCOPED_TRACE(port);
    EXPECT_EQ(status_for("\"\"", port), 201);
    EXPECT_EQ(status_for("\"127.0.0.1\"", port), 201);
  }
}

TEST_F(Addresses, ChatdsOwnSocketIsNoMember) {
  ASSERT_NO_FATAL_FAILURE(start());
  const std::string port = std::to_string(server().udp().port());
  for (const char* ip :
       {"\"127.0.0.1\"", "\"\"", "\"0.0.0.0\"", "\"::\"", "\"::ffff:127.0.0.1\""}) {
    SCOPED_TRACE(ip);
    EXPECT_EQ(status_for(ip, port), 400);
    EXPECT_EQ(status_for(ip, "\"" + port + "\""), 400);
  }
}

TEST_F(Addresses, ChatdsOwnSocketIsNoMemberOnAWildcardAddressEither) {
  ASSERT_NO_FATAL_FAILURE(start({"--host", "0.0.0.0"}));
  for (const char* ip : {"127.0.0.1", "127.0.0.7"}) {
    SCOPED_TRACE(ip);
    TcpPeer peer(server().tcp_at(ip), ip);
    const JoinFields fields{
        .username = "alice", .ip = ip, .port = server().udp().port(), .password = ""};
    EXPECT_EQ(peer.create("room", fields).status(), 400);
  }
}

TEST_F(Addresses, APendingMemberHearsNothingUntilItsFirstDatagram) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  UdpPeer socket;
  const std::string port = std::to_string(socket.address().port());
  struct Form {
    std::string ip, port;
  };
  const std::vector<Form> forms{{"\"127.0.0.1\"", "0"},  {"\"127.0.0.1\"", "\"\""},
                                {"\"\"", "\"0\""},       {"\"10.1.2.3\"", port},
                                {"\"127.0.0.9\"", port}, {"\"fd00::7\"", port},
                                {"\"192.168.1.2\"", "0"}};
  int number = 0;
  for (const Form& form : forms) {
    SCOPED_TRACE(form.ip + ":" + form.port);
    const std::string name = "guest " + std::to_string(++number);
    const std::string token = join_as("room", name, form.ip, form.port);
    for (Member& member : room) EXPECT_TRUE(member.hears_joined(name));
    EXPECT_TRUE(room[1].hears_nothing_before(room[0]));

    socket.send(server().udp(), encode_datagram("room", token, ""));
    // The heartbeat above arrives before what alice says next, and is not itself relayed.
    const std::string said = room[0].say("welcome");
    EXPECT_TRUE(room[1].hears(said));
    EXPECT_EQ(payload_of(socket.receive()), said);

    socket.send(server().udp(), encode_datagram("room", token, leave_payload(name)));
    for (Member& member : room) EXPECT_TRUE(member.hears_left(name));
    ASSERT_FALSE(socket.try_receive()) << "heard more than it should";
  }
  EXPECT_EQ(totals()["dropped_pending_member"], 2 * forms.size());
}

TEST_F(Addresses, APendingMembersFirstDatagramMayBeAMessage) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice"});
  ASSERT_EQ(room.size(), 1U);
  auto bob = Member::join(server(), "room", "bob", {.stated_ip = "10.0.0.1"});
  ASSERT_TRUE(bob);
  EXPECT_TRUE(room[0].hears_joined("bob"));
  EXPECT_TRUE(room[0].hears(bob->say("from behind a NAT")));
  EXPECT_TRUE(bob->hears(room[0].say("welcome")));
}

TEST_F(Addresses, OnlyTheCallersIpMakesAPendingMemberPresent) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  // Called from 127.0.0.1, stated 127.0.0.9: a datagram from the stated address proves nothing.
  UdpPeer stated("127.0.0.9");
  const std::string token =
      join_as("room", "carol", "\"127.0.0.9\"", std::to_string(stated.address().port()));
  for (Member& member : room) EXPECT_TRUE(member.hears_joined("carol"));
  stated.send(server().udp(), encode_datagram("room", token, message_payload("carol", "it is me")));
  EXPECT_TRUE(room[1].hears_nothing_before(room[0]));
  const auto answer = stated.receive();
  EXPECT_EQ(payload_of(answer), kNotAuthenticated);
  EXPECT_FALSE(stated.try_receive());

  UdpPeer called;
  called.send(server().udp(), encode_datagram("room", token, message_payload("carol", "it is me")));
  for (Member& member : room) EXPECT_TRUE(member.hears(message_payload("carol", "it is me")));
  EXPECT_EQ(totals()["dropped_wrong_address"], 1U);
}

TEST_F(Addresses, TheFirstDatagramSettlesAPendingMembersAddress) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = make_room(server(), "room", {"alice"});
  ASSERT_EQ(room.size(), 1U);
  UdpPeer first, second;
  const std::string token = join_as("room", "bob", "\"\"", "0");
  EXPECT_TRUE(room[0].hears_joined("bob"));
  first.send(server().udp(), encode_datagram("room", token, ""));
  second.send(server().udp(), encode_datagram("room", token, message_payload("bob", "moved")));
  first.send(server().udp(), encode_datagram("room", token, message_payload("bob", "here")));
  EXPECT_TRUE(room[0].hears(message_payload("bob", "here")));
}

TEST_F(Addresses, MembersMayCallFromAnyAddress) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto alice = Member::create(server(), "room", "alice", {.source_ip = "127.0.0.2"});
  auto bob = Member::join(server(), "room", "bob", {.source_ip = "127.1.2.3"});
  ASSERT_TRUE(alice && bob);
  EXPECT_TRUE(alice->hears_joined("bob"));
  EXPECT_TRUE(alice->hears(bob->say("hi")));
  EXPECT_TRUE(bob->hears(alice->say("hi back")));
}

TEST_F(Addresses, WithoutRoamingAMemberStaysAtItsPort) {
  ASSERT_NO_FATAL_FAILURE(start({"--roaming", "off"}));
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  UdpPeer elsewhere;
  elsewhere.send(server().udp(), encode_datagram("room", room[0].token(),
                                                 message_payload("alice", "from a new port")));
  EXPECT_TRUE(room[1].hears_nothing_before(room[0]));
  EXPECT_TRUE(room[0].hears(room[1].say("still there?")));
  EXPECT_EQ(payload_of(elsewhere.try_receive()), kNotAuthenticated);
  EXPECT_EQ(totals()["dropped_wrong_address"], 1U);
}

TEST_F(Addresses, RoamingAtTheSameIpMovesAMemberToItsNewPort) {
  ASSERT_NO_FATAL_FAILURE(start({"--roaming", "same-ip"}));
  auto room = make_room(server(), "room", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2U);
  UdpPeer new_port;
  UdpPeer new_ip("127.0.0.2");
  const std::string moved = message_payload("alice", "from a new port");
  new_ip.send(server().udp(),
              encode_datagram("room", room[0].token(), message_payload("alice", "from a new ip")));
  new_port.send(server().udp(), encode_datagram("room", room[0].token(), moved));
  EXPECT_TRUE(room[1].hears(moved));
  const std::string said = room[1].say("I can see you");
  EXPECT_EQ(payload_of(new_port.receive()), said);
  EXPECT_FALSE(room[0].socket().try_receive());
  EXPECT_EQ(totals()["dropped_wrong_address"], 1U);
}

}  // namespace
}  // namespace chatd::test
