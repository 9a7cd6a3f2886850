// What the tests of `chat` on a terminal share: a room of Bob's, which Alice enters.
#pragma once

#include <gtest/gtest.h>

#include <optional>

#include "tests/e2e/chat/chat_program.h"
#include "tests/support/member.h"

namespace chatd::test {

class ChatTerminal : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(server_.ready()) << server_.diagnosis();
    bob_ = Member::create(server_, "kitchen", "bob");
    ASSERT_TRUE(bob_.has_value());
  }

  Arguments join() const { return {"join", "kitchen", "--name", "alice"}; }

  // At the prompt, and Bob has heard of it.
  bool at_prompt(TerminalChat& chat) {
    return chat.shows_typed("alice>") && static_cast<bool>(bob_->hears_joined("alice"));
  }

  ChatdServer server_;
  std::optional<Member> bob_;
};

}  // namespace chatd::test
