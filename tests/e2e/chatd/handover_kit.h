// What the tests of a hand-over share: a chatd that another one takes the place of.
#pragma once

#include <csignal>
#include <string_view>

#include "tests/e2e/chatd/server_test.h"

namespace chatd::test {

class Handover : public ServerTest {
 protected:
  testing::AssertionResult hand_over(int signal = SIGUSR1) {
    if (server().hand_over(signal)) return testing::AssertionSuccess();
    return testing::AssertionFailure() << server().diagnosis();
  }
  testing::AssertionResult says(std::string_view text) {
    if (server().process().wait_for_text(Stream::kStderr, text)) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "not said: " << text << "\n" << server().diagnosis();
  }
};

}  // namespace chatd::test
