// The line between two processes of a hand-over, with both ends here.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/handover/handover_link.h"
#include "server/handover/old_process.h"
#include "server/handover/state_codec.h"

namespace chatd {
namespace {

class HandoverLine : public testing::Test {
 protected:
  HandoverLine() {
    auto ends = HandoverLink::open_pair().value();
    running_ = std::move(ends.first);
    const int fd = ::dup(ends.second.get());
    ::setenv(kHandoverVariable, std::to_string(fd).c_str(), 1);
    auto found = OldProcess::find();
    old_process_.emplace(std::move(found.value().value()));
  }

  // As the running chatd would, with a listener and one shard that is an eventfd each.
  void give(std::size_t descriptors) {
    ServerState state;
    state.shards.resize(1);
    const std::string bytes = encode_state(state);
    const UniqueFd file(::memfd_create("state", MFD_CLOEXEC));
    ASSERT_EQ(::write(file.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    const int state_fd = file.get();
    ASSERT_TRUE(running_.send(MessageType::kState, {}, {&state_fd, 1}));
    const UniqueFd something(::eventfd(0, EFD_CLOEXEC));
    const std::vector<int> all(descriptors, something.get());
    ASSERT_TRUE(running_.send(MessageType::kSockets, {}, all));
  }

  HandoverLink running_{UniqueFd()};
  std::optional<OldProcess> old_process_;
};

TEST_F(HandoverLine, TheVariableIsTakenOutOfTheEnvironment) {
  EXPECT_EQ(::getenv(kHandoverVariable), nullptr);
  EXPECT_FALSE(OldProcess::find().value().has_value());
}

TEST_F(HandoverLine, CarriesStateAndDescriptors) {
  ASSERT_NO_FATAL_FAILURE(give(2));
  const auto imported = old_process_->import_state();
  ASSERT_TRUE(imported) << imported.error();
  EXPECT_EQ(imported->descriptors.size(), 2U);
  EXPECT_TRUE(running_.expect(MessageType::kReady, 0));
  ASSERT_TRUE(running_.send(MessageType::kGo, "rs"));
  EXPECT_EQ(old_process_->take_over(), "rs");
  EXPECT_TRUE(running_.expect(MessageType::kRestored, 0));
}

// Signals that the old process gets between its commit and its end.
TEST_F(HandoverLine, PassesOnWhatTheOldOneIsToldAtItsEnd) {
  ASSERT_NO_FATAL_FAILURE(give(2));
  ASSERT_TRUE(old_process_->import_state());
  ASSERT_TRUE(running_.send(MessageType::kGo));
  ASSERT_TRUE(old_process_->take_over());
  ASSERT_TRUE(running_.send(MessageType::kServes));
  old_process_->await_handed_over();
  ASSERT_TRUE(running_.send(MessageType::kCommand, "d"));
  EXPECT_EQ(old_process_->take_commands(), "d");
  running_ = HandoverLink(UniqueFd());
  EXPECT_EQ(old_process_->take_commands(), "");
  EXPECT_LT(old_process_->fd(), 0) << "it is not looked at any more";
}

TEST_F(HandoverLine, ANewChatdGoesOnWhenTheOldOneDiesAfterItHasGivenAll) {
  ASSERT_NO_FATAL_FAILURE(give(2));
  ASSERT_TRUE(old_process_->import_state());
  running_ = HandoverLink(UniqueFd());
  EXPECT_TRUE(old_process_->take_over());
}

TEST_F(HandoverLine, AndWhenItDiesBeforeItSaysGo) {
  ASSERT_NO_FATAL_FAILURE(give(2));
  ASSERT_TRUE(old_process_->import_state());
  std::thread dying([this] {
    EXPECT_TRUE(running_.expect(MessageType::kReady, -1));
    EXPECT_TRUE(running_.expect(MessageType::kRestored, -1));
    running_ = HandoverLink(UniqueFd());
  });
  EXPECT_TRUE(old_process_->take_over());
  dying.join();
}

TEST_F(HandoverLine, EndsBeforeTheStateHasCome) {
  running_ = HandoverLink(UniqueFd());
  const auto imported = old_process_->import_state();
  ASSERT_FALSE(imported);
  EXPECT_EQ(imported.error(), "it has ended; what it wrote itself says why");
}

TEST_F(HandoverLine, TellsAFailureAndWaitsUntilItIsHeard) {
  std::thread telling([this] { old_process_->tell_failure("too small"); });
  const auto heard = running_.expect(MessageType::kRestored, -1);
  ASSERT_FALSE(heard);
  EXPECT_EQ(heard.error(), "too small");
  running_ = HandoverLink(UniqueFd());
  telling.join();
}

// A process that hangs and reads nothing; the kernel's queue for it is short.
TEST_F(HandoverLine, WhoDoesNotReadHoldsNobodyUpForEver) {
  tl::expected<void, std::string> sent;
  for (int i = 0; i < 100'000 && sent; ++i) sent = running_.send(MessageType::kSockets);
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error(), "it does not take what it is given");
}

}  // namespace
}  // namespace chatd
