// The server's own words: exactly the bytes that clients know.
#include "core/wire/v1/notice.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/json.h"
#include "tests/support/notices.h"
#include "tests/support/wire.h"

namespace chatd {
namespace {

TEST(Notices, AreWordForWord) {
  EXPECT_EQ(test::joined_notice("bob"),
            R"({"sender":"system","operation":1,"username":"bob","message":"bob joined"})");
  EXPECT_EQ(test::left_notice("bob"),
            R"({"sender":"system","operation":2,"username":"bob","message":"bob left"})");
  EXPECT_EQ(disconnected_notice("alice"), R"({"sender":"system","operation":2,"username":"alice",)"
                                          R"("message":"You have been disconnected"})");
}

TEST(Notices, EscapeNames) {
  const std::string name = "a\"b\\c\u20ac";
  const test::JsonObject json(test::joined_notice(name));
  ASSERT_TRUE(json.valid());
  EXPECT_EQ(json.text("username"), name);
  EXPECT_EQ(json.text("message"), name + " joined");
}

TEST(Notices, NotAuthenticatedIsAWholeDatagram) {
  ASSERT_EQ(kNotAuthenticatedDatagram.substr(0, 2), std::string_view("\0\0", 2));
  EXPECT_EQ(kNotAuthenticatedDatagram.substr(2), test::kNotAuthenticated);
}

}  // namespace
}  // namespace chatd
