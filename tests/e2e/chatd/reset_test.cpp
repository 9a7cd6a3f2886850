// A client of protocol v2 whose server has lost it is told so, provably, also after a crash.
#include <openssl/evp.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/e2e/chatd/server_test.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tls_peer.h"

namespace chatd::test {
namespace {

std::string base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::string from_hex(const std::string& digits) {
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

class Resets : public ServerTest {
 protected:
  std::string path(const std::string& name) const { return folder_.path() + "/" + name; }
  ProcessOptions in_state_directory() const {
    return {.environment = {{"STATE_DIRECTORY", folder_.path()}}};
  }
  // What the answer to a join says of the session.
  struct Session {
    std::string id;     // 8 bytes
    std::string reset;  // base64
  };
  Session join() {
    TlsPeer peer(server().tls());
    const Answer answer =
        peer.request({.operation = kCreateRoom,
                      .state = kRequest,
                      .room = "kitchen",
                      .payload = R"({"username": "alice", "ip": "", "port": 0, "password": "",)"
                                 R"( "protocol": 2, "ciphers": ["chacha20-poly1305"]})"});
    EXPECT_EQ(answer.status(), 201);
    const JsonObject session =
        JsonObject(answer.completed ? answer.completed->payload : "").object("session");
    return {.id = from_hex(session.text("id")), .reset = session.text("reset")};
  }
  // The token in the reset that answers a datagram of this session.
  std::string answered(const Session& session) {
    const std::string header = std::string("\0\2", 2) + session.id + std::string(8, '\7');
    UdpPeer client;
    client.send(server().udp(), header + std::string(30, 'x'));
    const auto reset = client.receive();
    EXPECT_TRUE(reset.has_value());
    if (!reset) return "";
    EXPECT_EQ(reset->bytes.size(), 34u);
    EXPECT_EQ(reset->bytes.substr(0, header.size()), header);
    return base64(std::string_view(reset->bytes).substr(header.size()));
  }
  void crash() {
    server().process().kill(SIGKILL);
    ASSERT_TRUE(server().process().wait_exit());
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(Resets, AreProvenAfterACrash) {
  ASSERT_NO_FATAL_FAILURE(start({}, in_state_directory()));
  const Session alice = join();
  ASSERT_NO_FATAL_FAILURE(crash());
  ASSERT_NO_FATAL_FAILURE(start({}, in_state_directory()));
  EXPECT_EQ(answered(alice), alice.reset);
  struct stat file {};
  ASSERT_EQ(::stat(path("reset.key").c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600U);
}

TEST_F(Resets, ProveNothingWhereNothingIsKept) {
  ASSERT_NO_FATAL_FAILURE(start());
  const Session alice = join();
  ASSERT_NO_FATAL_FAILURE(crash());
  ASSERT_NO_FATAL_FAILURE(start());
  EXPECT_NE(answered(alice), alice.reset);
}

TEST_F(Resets, AKeyThatIsDamagedIsReplaced) {
  std::ofstream(path("reset.key")) << "half a key";
  ASSERT_NO_FATAL_FAILURE(start({}, in_state_directory()));
  EXPECT_TRUE(server().process().wait_for_text(
      Stream::kStderr, path("reset.key") + " cannot be read, or is damaged: a new one takes"));
  const Session alice = join();
  ASSERT_NO_FATAL_FAILURE(crash());
  ASSERT_NO_FATAL_FAILURE(start({}, in_state_directory()));
  EXPECT_EQ(answered(alice), alice.reset);
}

TEST_F(Resets, AKeyThatCannotBeKeptIsUsedAllTheSame) {
  ASSERT_NO_FATAL_FAILURE(start({}, {.environment = {{"STATE_DIRECTORY", path("there is none")}}}));
  EXPECT_TRUE(server().process().wait_for_text(
      Stream::kStderr, path("there is none/reset.key") + " cannot be kept (cannot write"));
  EXPECT_FALSE(join().reset.empty());
}

}  // namespace
}  // namespace chatd::test
