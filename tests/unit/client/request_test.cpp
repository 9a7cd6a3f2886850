#include "client/lib/request.h"

#include <gtest/gtest.h>

#include <string>

#include "core/wire/v1/frame.h"

namespace chatd::client {
namespace {

TEST(Request, EntryIsOneFrameOfTheAgreedForm) {
  const std::string bytes = encode_entry_request({.operation = Operation::kCreate,
                                                  .room = "küche",
                                                  .username = "al\"ice",
                                                  .password = "p\\w",
                                                  .udp_ip = "192.0.2.7",
                                                  .udp_port = 40123});
  const DecodedFrame decoded = decode_frame(bytes, 16 * 1024);
  ASSERT_EQ(decoded.status, FrameStatus::kComplete);
  EXPECT_EQ(decoded.size_bytes, bytes.size());
  EXPECT_TRUE(decoded.frame.is(Operation::kCreate));
  EXPECT_TRUE(decoded.frame.is(FrameState::kRequest));
  EXPECT_EQ(decoded.frame.room, "küche");
  EXPECT_EQ(decoded.frame.payload,
            R"({"username":"al\"ice","ip":"192.0.2.7","port":40123,"password":"p\\w"})");
}

TEST(Request, ATokenIsShownWhereThereIsOne) {
  const std::string bytes = encode_entry_request({.room = "k",
                                                  .username = "a",
                                                  .password = "",
                                                  .udp_ip = "::1",
                                                  .udp_port = 9,
                                                  .token = Token(1, 2, {3})});
  EXPECT_EQ(decode_frame(bytes, 16 * 1024).frame.payload,
            R"({"username":"a","ip":"::1","port":9,"password":"",)"
            R"("token":"01000002030000000000000000000000"})");
}

TEST(Request, ListHasNoBody) {
  const std::string bytes = encode_list_request();
  EXPECT_EQ(bytes.size(), kFrameHeaderBytes);
  EXPECT_TRUE(decode_frame(bytes, 1024).frame.is(Operation::kList));
}

TEST(Request, ChecksNamesBeforeTheyAreSent) {
  EXPECT_TRUE(check_name("name", "alice").has_value());
  EXPECT_TRUE(check_name("name", "日本 🎉").has_value());
  EXPECT_TRUE(check_name("name", std::string(255, 'a')).has_value());
  for (const std::string& bad : {std::string(), std::string(256, 'a'), std::string("a\nb"),
                                 std::string("a\x7f"), std::string("\xff"), std::string(1, '\0')}) {
    const auto checked = check_name("name", bad);
    ASSERT_FALSE(checked.has_value());
    EXPECT_EQ(checked.error().reason.substr(0, 8), "the name");
  }
}

}  // namespace
}  // namespace chatd::client
