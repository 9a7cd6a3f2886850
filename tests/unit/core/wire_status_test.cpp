// The frames that answer a request.
#include "core/wire/v1/status.h"

#include <gtest/gtest.h>

#include "tests/support/json.h"
#include "tests/support/wire.h"

namespace chatd {
namespace {

TEST(StatusFrames, AcceptedIsState1) {
  std::string reply;
  append_accepted(reply, 2);
  const auto frame = test::take_frame(reply);
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(reply, "");
  EXPECT_EQ(frame->operation, 2);
  EXPECT_EQ(frame->state, 1);
  EXPECT_EQ(frame->room, "");
  const test::JsonObject json(frame->payload);
  EXPECT_EQ(json.number("status"), 202);
  EXPECT_NE(json.text("message"), "");
  EXPECT_FALSE(json.has("token"));
}

TEST(StatusFrames, OutcomeIsState2) {
  for (const Status status :
       {Status::kBadRequest, Status::kUnauthorized, Status::kNotFound, Status::kConflict,
        Status::kTooLarge, Status::kTooMany, Status::kUnavailable}) {
    std::string reply;
    append_outcome(reply, 77, status, "a \"quoted\" reason");
    const auto frame = test::take_frame(reply);
    ASSERT_TRUE(frame.has_value());
    EXPECT_EQ(frame->operation, 77);  // the request's, whatever it was
    EXPECT_EQ(frame->state, 2);
    const test::JsonObject json(frame->payload);
    EXPECT_EQ(json.number("status"), static_cast<long>(status));
    EXPECT_EQ(json.text("message"), "a \"quoted\" reason");
    EXPECT_FALSE(json.has("token"));
  }
}

TEST(StatusFrames, CreatedCarriesTheToken) {
  std::string reply = "before";
  append_admitted(reply, 1, "room created", "00ff", 300'000);
  ASSERT_EQ(reply.substr(0, 6), "before");  // appended, nothing overwritten
  reply.erase(0, 6);
  const auto frame = test::take_frame(reply);
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->state, 2);
  const test::JsonObject json(frame->payload);
  EXPECT_EQ(json.number("status"), 201);
  EXPECT_EQ(json.text("message"), "room created");
  EXPECT_EQ(json.text("token"), "00ff");
  EXPECT_EQ(json.number("idle_timeout"), 300);
}

TEST(StatusFrames, TheIdleTimeoutIsInSecondsWhereItIsNoneToo) {
  std::string reply;
  append_admitted(reply, 2, "room joined", "00ff", 250);
  EXPECT_NE(reply.find(R"("token":"00ff","idle_timeout":0.25})"), std::string::npos) << reply;
}

}  // namespace
}  // namespace chatd
