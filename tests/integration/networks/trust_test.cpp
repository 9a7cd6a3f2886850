// The real `chat` and a chatd on another host, whose certificate nobody vouches for: trusted once,
// remembered, and refused when it changes.
#include <string>

#include "tests/e2e/chat/chat_program.h"
#include "tests/integration/networks/networks_test.h"
#include "tests/support/temporary_folder.h"

namespace chatd::test {
namespace {

class Trust : public NetworksTest {
 protected:
  void SetUp() override {
    NetworksTest::SetUp();
    if (IsSkipped()) return;
    near_.emplace();
    far_.emplace();
    lay_cable(*near_, "eth0", *far_, "eth0");
    near_->add_addresses("eth0", {"10.1.0.1/24"});
    far_->add_addresses("eth0", {"10.1.0.2/24"});
  }

  void start_server() {
    ASSERT_NO_FATAL_FAILURE(start_in(*near_, {"--host", "10.1.0.1", "--tls-port", "8001"}));
  }
  Environment environment() const { return {{"XDG_STATE_HOME", folder_.path()}}; }
  // `chat rooms` from the other host: its exit code, and what it says.
  int list_rooms(std::string& said, const Arguments& flags = {}) {
    Arguments command{CHAT_PROGRAM, "rooms", "--server", "10.1.0.1"};
    command.insert(command.end(), flags.begin(), flags.end());
    const Inside inside(*far_);
    Process chat(command, chat_options(environment()));
    const int code = exit_code_of(chat);
    said = told(chat);
    return code;
  }

  std::optional<NetworkNamespace> near_;
  std::optional<NetworkNamespace> far_;
  TemporaryFolder folder_;
};

TEST_F(Trust, IsRememberedAndRefusedWhenTheCertificateChanges) {
  ASSERT_NO_FATAL_FAILURE(start_server());
  std::string said;
  EXPECT_EQ(list_rooms(said), 8);
  EXPECT_NE(said.find("certificate of 10.1.0.1:8001 is not known here"), std::string::npos) << said;
  EXPECT_EQ(list_rooms(said, {"--trust-new"}), 0) << said;
  EXPECT_EQ(list_rooms(said), 0) << said;
  // Without a state directory it makes another one at each start.
  ASSERT_TRUE(server().stop().has_value());
  ASSERT_NO_FATAL_FAILURE(start_server());
  for (const Arguments& flags : {Arguments{}, {"--trust-new"}}) {
    EXPECT_EQ(list_rooms(said, flags), 8);
    EXPECT_NE(said.find("another certificate than the one that you trust"), std::string::npos)
        << said;
  }
}

TEST_F(Trust, IsAskedForOnATerminal) {
  ASSERT_NO_FATAL_FAILURE(start_server());
  bool is_remembered = false;
  for (const bool is_trusted : {false, true, true}) {
    SCOPED_TRACE(is_trusted);
    const Inside inside(*far_);
    TerminalChat chat(
        Arguments{CHAT_PROGRAM, "create", "kitchen", "--name", "alice", "--server", "10.1.0.1"},
        environment());
    if (!is_remembered) {
      ASSERT_TRUE(chat.shows_typed("Trust it from now on? (y/n):")) << chat.screen().text();
      chat.type(is_trusted ? "y\n" : "n\n");
    }
    if (is_trusted) {
      is_remembered = true;
      ASSERT_TRUE(chat.shows_typed("alice>")) << chat.screen().text();
      chat.type_line("/quit");
    }
    EXPECT_EQ(exit_code_of(chat.process()), is_trusted ? 0 : 8);
  }
}

}  // namespace
}  // namespace chatd::test
