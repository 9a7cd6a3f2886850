// The check before relaying: one JSON object, valid UTF-8, exactly one sender, and the right one.
#include "core/wire/v1/payload.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "core/base/limits.h"

namespace chatd {
namespace {

class PayloadTest : public testing::Test {
 protected:
  // As a receive buffer holds it: no more than the promised padding is there, and it is not zero.
  PayloadKind read(std::string_view payload, std::string_view username = "alice") {
    std::string buffer(payload);
    buffer.append(kPayloadPaddingBytes, '}');
    buffer.shrink_to_fit();
    return reader_.read({buffer.data(), payload.size()}, username);
  }

  // A message of exactly this size.
  static std::string message_of(std::size_t size_bytes) {
    const std::string head = R"({"sender":"alice","message":")";
    return head + std::string(size_bytes - head.size() - 2, 'x') + "\"}";
  }

  PayloadReader reader_;
};

TEST_F(PayloadTest, InTheMembersOwnNameIsAMessage) {
  for (const std::string_view payload :
       {R"({"sender":"alice","message":"hi"})", R"({"sender":"alice"})",
        R"( { "message" : 1 , "sender" : "alice" } )", "\n\t{\"sender\":\"alice\"}\r\n",
        R"({"sender":"alice","message":{"sender":"bob"},"x":[{"sender":"bob"}]})",
        R"({"sender":"alice","operation":2,"username":"alice"})",
        R"({"sender":"alice","Sender":"bob","sender ":"bob","":"bob"})"}) {
    EXPECT_EQ(read(payload), PayloadKind::kMessage) << payload;
  }
}

TEST_F(PayloadTest, NamesAreComparedAfterUnescaping) {
  EXPECT_EQ(read(R"({"sender":"\u0061lice"})"), PayloadKind::kMessage);
  EXPECT_EQ(read(R"({"s\u0065nder":"alice"})"), PayloadKind::kMessage);
  EXPECT_EQ(read("{\"sender\":\"Zo\xc3\xab\"}", "Zo\u00eb"), PayloadKind::kMessage);
  EXPECT_EQ(read(R"({"sender":"Zo\u00eb"})", "Zo\u00eb"), PayloadKind::kMessage);
  EXPECT_EQ(read(R"({"sender":"\ud83d\ude00"})", "\U0001f600"), PayloadKind::kMessage);
  EXPECT_EQ(read(R"({"sender":"say \"hi\""})", "say \"hi\""), PayloadKind::kMessage);
}

TEST_F(PayloadTest, InAnotherNameIsRefused) {
  for (const std::string_view payload :
       {R"({"sender":"bob"})", R"({"sender":"Alice"})", R"({"sender":"alice "})",
        R"({"sender":"alic"})", R"({"sender":""})", R"({"sender":"alice\u0000"})",
        R"({"sender":"Server"})", R"({"sender":"system"})"}) {
    EXPECT_EQ(read(payload), PayloadKind::kWrongSender) << payload;
  }
  // Another composition of the same letter is another name.
  EXPECT_EQ(read(R"({"sender":"Zoe\u0308"})", "Zo\u00eb"), PayloadKind::kWrongSender);
}

TEST_F(PayloadTest, WithoutAStringSenderIsRefused) {
  for (const std::string_view payload :
       {"{}", R"({"message":"hi"})", R"({"sender":null})", R"({"sender":1})",
        R"({"sender":["alice"]})", R"({"sender":{"sender":"alice"}})", R"({"sender":true})",
        R"({"x":{"sender":"alice"}})"}) {
    EXPECT_EQ(read(payload), PayloadKind::kWrongSender) << payload;
  }
  // Not even for a member whose name could never be: "" is what a sender of another type reads as.
  EXPECT_EQ(read(R"({"sender":"alice","x":1,"sender":1})"), PayloadKind::kWrongSender);
}

TEST_F(PayloadTest, WithTwoSendersIsRefusedHoweverTheyAreWritten) {
  for (const std::string_view payload :
       {R"({"sender":"alice","sender":"bob"})", R"({"sender":"bob","sender":"alice"})",
        R"({"sender":"alice","sender":"alice"})", R"({"sender":"alice","s\u0065nder":"bob"})",
        R"({"\u0073ender":"bob","sender":"alice"})", R"({"sender":"alice","x":1,"sender":null})",
        R"({"sender":"system","operation":2,"username":"alice","sender":"alice"})"}) {
    EXPECT_EQ(read(payload), PayloadKind::kWrongSender) << payload;
  }
}

TEST_F(PayloadTest, ALeaveSaysWhoInSystemsName) {
  for (const std::string_view payload :
       {R"({"sender":"system","operation":2,"username":"alice"})",
        R"({"username":"alice","operation":2,"sender":"system","message":"bye"})",
        R"({"sender":"s\u0079stem","op\u0065ration":2,"username":"\u0061lice"})"}) {
    EXPECT_EQ(read(payload), PayloadKind::kLeave) << payload;
  }
}

TEST_F(PayloadTest, AnythingElseInSystemsNameIsRefused) {
  for (const std::string_view payload :
       {R"({"sender":"system","operation":2,"username":"bob"})",
        R"({"sender":"system","operation":2})", R"({"sender":"system","username":"alice"})",
        R"({"sender":"system","operation":1,"username":"alice"})",
        R"({"sender":"system","operation":"2","username":"alice"})",
        R"({"sender":"system","operation":2.0,"username":"alice"})",
        R"({"sender":"system","operation":4294967298,"username":"alice"})",
        R"({"sender":"system","operation":2,"username":["alice"]})",
        R"({"sender":"System","operation":2,"username":"alice"})"}) {
    EXPECT_EQ(read(payload), PayloadKind::kWrongSender) << payload;
  }
}

TEST_F(PayloadTest, AGoodbyeInWhichSomethingStandsTwiceIsNone) {
  for (const std::string_view payload :
       {R"({"sender":"system","operation":1,"operation":2,"username":"alice"})",
        R"({"sender":"system","operation":2,"operation":2,"username":"alice"})",
        R"({"sender":"system","operation":2,"username":"bob","usern\u0061me":"alice"})"}) {
    EXPECT_EQ(read(payload), PayloadKind::kWrongSender) << payload;
  }
}

TEST_F(PayloadTest, AHeartbeatThatAsksHasNoSender) {
  for (const std::string_view payload :
       {R"({"heartbeat":"0f"})", R"({"heartbeat": ""})", R"({"heartbeat":null})",
        R"({"he\u0061rtbeat":1,"x":[{"sender":"alice"}]})"}) {
    EXPECT_EQ(read(payload), PayloadKind::kHeartbeat) << payload;
  }
  for (const std::string_view payload :
       {R"({})", R"({"heartbeats":1})", R"({"heartbeat":1,"heartbeat":1})",
        R"({"heartbeat":1,"sender":"bob"})"}) {
    EXPECT_EQ(read(payload), PayloadKind::kWrongSender) << payload;
  }
  EXPECT_EQ(read(R"({"heartbeat":1,"sender":"alice"})"), PayloadKind::kMessage);
}

TEST_F(PayloadTest, WhatIsNotOneObjectIsMalformed) {
  for (const std::string_view payload : {"",
                                         " ",
                                         "{",
                                         "}",
                                         "null",
                                         "1",
                                         "\"alice\"",
                                         "[]",
                                         R"([{"sender":"alice"}])",
                                         R"({"sender":"alice"}})",
                                         R"({"sender":"alice"}{})",
                                         R"({"sender":"alice"} x)",
                                         R"({"sender":"alice")",
                                         R"({"sender":"alice)",
                                         R"({"sender":"alice",})",
                                         R"({"sender":"alice" "x":1})",
                                         R"({"sender":"alice","x"})",
                                         R"({sender:"alice"})",
                                         R"({'sender':'alice'})",
                                         R"({"sender":"alice","x":01})",
                                         R"({"sender":"alice","x":nul})",
                                         R"({"sender":"alice","x":NaN})",
                                         "{\"sender\":\"alice\",\"x\":\"a\nb\"}",
                                         R"({"sender":"alice","x":"\x"})",
                                         R"({"sender":"alice","x":"\ud83d"})",
                                         R"({"sender":"alice"} // bye)"}) {
    EXPECT_EQ(read(payload), PayloadKind::kMalformed) << payload;
  }
}

TEST_F(PayloadTest, InvalidUtf8IsMalformedWhereverItStands) {
  using namespace std::string_literals;
  for (const std::string& bad :
       {"\x80"s, "\xff"s, "\xc3"s, "\xc0\xaf"s, "\xed\xa0\x80"s, "\xf4\x90\x80\x80"s}) {
    EXPECT_EQ(read("{\"sender\":\"alice\",\"message\":\"" + bad + "\"}"), PayloadKind::kMalformed);
    EXPECT_EQ(read("{\"sender\":\"alice\",\"" + bad + "\":1}"), PayloadKind::kMalformed);
    EXPECT_EQ(read("{\"sender\":\"alice\"}" + bad), PayloadKind::kMalformed);
    EXPECT_EQ(read(bad + "{\"sender\":\"alice\"}"), PayloadKind::kMalformed);
  }
}

TEST_F(PayloadTest, ValuesThatNobodyAsksForAreCheckedToo) {
  EXPECT_EQ(read(R"({"sender":"alice","deep":[[[{"x":tru}]]]})"), PayloadKind::kMalformed);
  EXPECT_EQ(read(R"({"sender":"alice","deep":[[[{"x":true}]]]})"), PayloadKind::kMessage);
}

TEST_F(PayloadTest, NestsBelowOneThousandAndTwentyFour) {
  const auto nested = [](std::size_t arrays) {
    return R"({"sender":"alice","x":)" + std::string(arrays, '[') + "1" + std::string(arrays, ']') +
           "}";
  };
  EXPECT_EQ(read(nested(1'022)), PayloadKind::kMessage);  // the object is a level as well
  EXPECT_EQ(read(nested(1'023)), PayloadKind::kMalformed);
  // One that holds nothing is none.
  const auto hollow = [](std::size_t arrays) {
    return R"({"sender":"alice","x":)" + std::string(arrays, '[') + std::string(arrays, ']') + "}";
  };
  EXPECT_EQ(read(hollow(1'023)), PayloadKind::kMessage);
  EXPECT_EQ(read(hollow(1'024)), PayloadKind::kMalformed);
  EXPECT_EQ(read(std::string(kMaxDatagramBytes, '[')), PayloadKind::kMalformed);
  EXPECT_EQ(read(nested(3)), PayloadKind::kMessage);  // and the reader is as good as before
}

TEST_F(PayloadTest, TakesTheLargestDatagram) {
  EXPECT_EQ(read(message_of(kMaxDatagramBytes)), PayloadKind::kMessage);
  // The densest one for the parser: nothing but structure.
  std::string dense = R"({"sender":"alice","x":[)";
  while (dense.size() < kMaxDatagramBytes - 4) dense += "1,";
  dense += "1]}";
  EXPECT_EQ(read(dense), PayloadKind::kMessage);
}

// What stands behind the payload in the receive buffer belongs to another datagram.
TEST_F(PayloadTest, DoesNotReadThePadding) {
  std::string buffer = R"({"sender":"alice","x":[1]} )";
  const std::size_t size_bytes = buffer.size() - 2;
  buffer.append(kPayloadPaddingBytes, ']');
  EXPECT_EQ(reader_.read({buffer.data(), size_bytes}, "alice"), PayloadKind::kMalformed);
  EXPECT_EQ(reader_.read({buffer.data(), size_bytes + 1}, "alice"), PayloadKind::kMessage);
}

TEST_F(PayloadTest, LeavesTheBytesAsTheyAre) {
  std::string buffer = R"({"s\u0065nder":"\u0061lice"})";
  const std::size_t size_bytes = buffer.size();
  buffer.append(kPayloadPaddingBytes, 'x');
  const std::string before = buffer;
  EXPECT_EQ(reader_.read({buffer.data(), size_bytes}, "alice"), PayloadKind::kMessage);
  EXPECT_EQ(buffer, before);
}

// What is looked for in what a member says beyond its rate.
TEST_F(PayloadTest, ALeaveAndAHeartbeatAreSeenAtOnce) {
  std::string name;
  for (int i = 0; i < 127; ++i) name += R"(\u00eb)";  // 254 bytes, as a careful library writes them
  for (const std::string& payload :
       {std::string(R"({"sender":"system","operation":2,"username":"alice"})"),
        R"({ "sender" : "system" , "operation" : 2 , "username" : ")" + name + R"(" })",
        std::string(R"({"heartbeat":"7c1b05c3a0d2f6e8"})"), std::string(R"({"heartbeat":1})")}) {
    EXPECT_TRUE(may_be_for_server(payload)) << payload;
  }
  for (const std::string& payload :
       {std::string(R"({"sender":"alice","message":"a \"system\" has a \"heartbeat\""})"),
        std::string("system"), std::string(R"("heartbeat)"), std::string(), message_of(4'000),
        R"({"heartbeat":1)" + std::string(1'024, ' ') + "}"}) {
    EXPECT_FALSE(may_be_for_server(payload)) << payload;
  }
}

}  // namespace
}  // namespace chatd
