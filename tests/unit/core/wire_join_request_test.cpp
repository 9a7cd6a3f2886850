// The payload of create and join: each field absent, of another type, and at its bounds.
#include "core/wire/v1/join_request.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/unit/core/relay_kit.h"

namespace chatd {
namespace {

using test::ip;

class JoinRequestTest : public testing::Test {
 protected:
  std::string fault(std::string_view payload) {
    const auto request = reader_.read(payload);
    return request ? "" : std::string(request.error());
  }
  // The fault that is found when one field is `json` and the others are good.
  std::string fault_of_username(const std::string& json) {
    return fault(R"({"username":)" + json + R"(,"ip":"127.0.0.1","port":1})");
  }
  std::string fault_of_ip(const std::string& json) {
    return fault(R"({"username":"alice","ip":)" + json + R"(,"port":1})");
  }
  std::string fault_of_port(const std::string& json) {
    return fault(R"({"username":"alice","ip":"127.0.0.1","port":)" + json + "}");
  }
  IpAddress read_ip(const std::string& json) {
    return reader_.read(R"({"username":"alice","ip":)" + json + R"(,"port":1})").value().ip;
  }
  std::uint16_t read_port(const std::string& json) {
    return reader_.read(R"({"username":"alice","ip":"127.0.0.1","port":)" + json + "}")
        .value()
        .port;
  }

  JoinRequestReader reader_;
};

TEST_F(JoinRequestTest, ReadsTheFourFields) {
  const auto request =
      reader_.read(R"({"username": "alice", "ip": "192.0.2.7", "port": 40123, "password": "pw"})");
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->username, "alice");
  EXPECT_EQ(request->ip, ip("192.0.2.7"));
  EXPECT_EQ(request->port, 40123);
  EXPECT_EQ(request->password, "pw");
}

TEST_F(JoinRequestTest, NoKeyThatIsReadStandsTwice) {
  constexpr std::string_view kGood =
      R"({"username":"alice","ip":"","port":1,"password":"","token":"")";
  EXPECT_EQ(fault(std::string(kGood) + "}"), "");
  for (const char* key : {"username", "ip", "port", "password", "token", "us\\u0065rname"}) {
    const std::string twice = std::string(kGood) + ",\"" + key + "\":\"1\"}";
    EXPECT_NE(fault(twice).find("only once"), std::string::npos) << twice;
  }
  EXPECT_EQ(fault(std::string(kGood) + R"(,"other":1,"other":2,"Username":""})"), "");
}

TEST_F(JoinRequestTest, ATokenIsThirtyTwoHexadecimalCharacters) {
  const auto with_token = [](const std::string& json) {
    return R"({"username":"alice","ip":"","port":1,"token":)" + json + "}";
  };
  const std::string hex = "000102030405060708090A0b0c0d0e0f";
  const auto request = reader_.read(with_token("\"" + hex + "\""));
  ASSERT_TRUE(request.has_value());
  EXPECT_TRUE(request->token == Token::parse(hex));
  for (const char* none : {"\"\"", "null"}) {
    const auto without = reader_.read(with_token(none));
    ASSERT_TRUE(without.has_value()) << none;
    EXPECT_FALSE(without->token.has_value()) << none;
  }
  for (const char* bad : {"1", "[]", "\"0123456789abcdef\"", "\"0001020304050607080900b0c0d0e0g\"",
                          "\"000102030405060708090A0b0c0d0e0f0\""}) {
    EXPECT_NE(fault(with_token(bad)).find("token"), std::string::npos) << bad;
  }
}

TEST_F(JoinRequestTest, KeepsNothingOfTheRequestBefore) {
  ASSERT_TRUE(reader_.read(R"({"username":"alice","ip":"1.2.3.4","port":5,"password":"x"})"));
  EXPECT_NE(fault("{}"), "");
  const auto second = reader_.read(R"({"username":"bob","ip":"","port":0})");
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->username, "bob");
  EXPECT_EQ(second->ip, IpAddress{});
  EXPECT_EQ(second->port, 0);
  EXPECT_EQ(second->password, "");
}

TEST_F(JoinRequestTest, IgnoresUnknownKeys) {
  EXPECT_EQ(fault(R"({"v":2,"username":"alice","x":{"username":1},"ip":"","port":"","y":[null]})"),
            "");
}

TEST_F(JoinRequestTest, UnescapesKeysAndValues) {
  const auto request = reader_.read(
      R"({"user\u006eame":"\u0061lice \ud83d\ude00","ip":"127\u002e0.0.1","port":"\u0031"})");
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->username, "alice \U0001f600");
  EXPECT_EQ(request->ip, ip("127.0.0.1"));
  EXPECT_EQ(request->port, 1);
}

TEST_F(JoinRequestTest, RefusesWhatIsNotOneJsonObject) {
  for (const std::string_view payload :
       {"", " ", "{", "}", "null", "[]", "\"alice\"", "1", "{}{}", "{\"username\":}", "{'a':1}",
        "{\"username\":\"alice\",\"ip\":\"\",\"port\":1", "{\"username\":\"alice\",}", "\xff",
        "{\"username\":\"al\xffice\",\"ip\":\"\",\"port\":1}",
        R"({"username":"alice","ip":"","port":1}x)"}) {
    EXPECT_NE(fault(payload).find("payload"), std::string::npos) << payload;
  }
}

TEST_F(JoinRequestTest, RefusesDeepNesting) {
  std::string deep = R"({"username":"alice","ip":"","port":1,"x":)";
  EXPECT_EQ(fault(deep + std::string(100, '[') + std::string(100, ']') + "}"), "");
  EXPECT_NE(fault(deep + std::string(5'000, '[') + std::string(5'000, ']') + "}"), "");
  EXPECT_NE(fault(std::string(16'000, '[')), "");
}

TEST_F(JoinRequestTest, UsernameIsRequired) {
  EXPECT_NE(fault(R"({"ip":"","port":1})").find("username"), std::string::npos);
  for (const char* json : {"1", "null", "true", "[]", "{}", "[\"alice\"]"}) {
    EXPECT_NE(fault_of_username(json).find("username"), std::string::npos) << json;
  }
}

TEST_F(JoinRequestTest, UsernameIsAName) {
  const auto quoted = [](const std::string& text) { return '"' + text + '"'; };
  EXPECT_EQ(fault_of_username(quoted(std::string(255, 'a'))), "");
  EXPECT_NE(fault_of_username(quoted(std::string(256, 'a'))), "");
  EXPECT_NE(fault_of_username(quoted("")), "");
  EXPECT_NE(fault_of_username(R"("a\u0000b")"), "");
  EXPECT_NE(fault_of_username(R"("a\u001b[2J")"), "");
  EXPECT_NE(fault_of_username(R"("a\u009bm")"), "");
  EXPECT_NE(fault_of_username(R"("\ud83d")"), "");  // half a surrogate pair
}

TEST_F(JoinRequestTest, UsernameIsNotTheServers) {
  EXPECT_NE(fault_of_username(R"("system")").find("reserved"), std::string::npos);
  EXPECT_NE(fault_of_username(R"("Server")").find("reserved"), std::string::npos);
  EXPECT_NE(fault_of_username(R"("s\u0079stem")").find("reserved"), std::string::npos);
  EXPECT_NE(fault_of_username(R"("SYSTEM ")").find("reserved"), std::string::npos);
  EXPECT_NE(fault_of_username(R"("Ser\u200bver")").find("reserved"), std::string::npos);
  EXPECT_EQ(fault_of_username(R"("systems")"), "");
}

TEST_F(JoinRequestTest, IpMayBeLeftOpenInThreeWays) {
  for (const char* json : {R"("")", R"("0.0.0.0")", R"("::")", R"("::ffff:0.0.0.0")"}) {
    EXPECT_EQ(read_ip(json), IpAddress{}) << json;
  }
}

TEST_F(JoinRequestTest, IpIsCanonical) {
  EXPECT_EQ(read_ip(R"("::ffff:1.2.3.4")"), ip("1.2.3.4"));
  EXPECT_EQ(read_ip(R"("2001:DB8:0::1")"), ip("2001:db8::1"));
}

TEST_F(JoinRequestTest, IpIsALiteralUnicastAddress) {
  EXPECT_NE(fault(R"({"username":"alice","port":1})").find("ip"), std::string::npos);
  for (const char* json :
       {"1", "null", "[]", R"("localhost")", R"("1.2.3")", R"("1.2.3.4 ")", R"(" ")",
        R"("fe80::1%eth0")", R"("224.0.0.1")", R"("ff02::1")", R"("255.255.255.255")",
        R"("::ffff:255.255.255.255")", R"("1.2.3.4\u0000")"}) {
    EXPECT_EQ(fault_of_ip(json).substr(0, 3), "ip:") << json;
  }
}

TEST_F(JoinRequestTest, PortIsANumberOrADecimalString) {
  EXPECT_EQ(read_port("1"), 1);
  EXPECT_EQ(read_port("65535"), 65535);
  EXPECT_EQ(read_port(R"("1")"), 1);
  EXPECT_EQ(read_port(R"("65535")"), 65535);
  EXPECT_EQ(read_port(R"("09000")"), 9000);
}

TEST_F(JoinRequestTest, PortMayBeLeftOpen) {
  for (const char* json : {"0", R"("0")", R"("")"}) EXPECT_EQ(read_port(json), 0) << json;
}

TEST_F(JoinRequestTest, PortIsSixteenBits) {
  EXPECT_NE(fault(R"({"username":"alice","ip":""})").find("port"), std::string::npos);
  for (const char* json :
       {"65536", "-1", "4294967297", "18446744073709551616", "1.5", "1e3", "null", "true", "[]",
        R"("65536")", R"("-1")", R"("+1")", R"(" 1")", R"("1 ")", R"("0x10")", R"("1.0")",
        R"("99999999999999999999")", R"("one")", R"("1\u0000")"}) {
    EXPECT_NE(fault_of_port(json), "") << json;
  }
}

TEST_F(JoinRequestTest, PasswordMayBeAbsentButNotOfAnotherType) {
  const auto with_password = [this](const std::string& json) {
    return fault(R"({"username":"alice","ip":"","port":1,"password":)" + json + "}");
  };
  EXPECT_EQ(with_password(R"("")"), "");
  EXPECT_EQ(with_password(R"("p\u0000w")"), "");
  for (const char* json : {"1", "null", "false", "[]", "{}"}) {
    EXPECT_NE(with_password(json).find("password"), std::string::npos) << json;
  }
}

}  // namespace
}  // namespace chatd
