// The brokers' protocols: what is written, byte for byte, and what is read, cut at every byte.
#include <gtest/gtest.h>

#include "bench/chatbench/target/broker/codec.h"
#include "tests/unit/bench/broker_kit.h"

namespace chatd::bench {
namespace {

using Kind = BrokerItem::Kind;
using Role = BrokerCodec::Role;
using std::string_view_literals::operator""sv;

const ItemText kIgnored{Kind::kIgnored, ""};
const ItemText kReady{Kind::kReady, ""};
const ItemText kPing{Kind::kPing, ""};
ItemText message(std::string text) {
  return {Kind::kMessage, std::move(text)};
}

void expect_items(const BrokerCodec& codec, std::string_view stream,
                  const std::vector<ItemText>& expected) {
  for (std::size_t piece_bytes = 1; piece_bytes <= stream.size(); ++piece_bytes) {
    EXPECT_EQ(items_of(codec, stream, piece_bytes), expected) << "pieces of " << piece_bytes;
  }
}

void expect_error(const BrokerCodec& codec, std::string_view stream) {
  EXPECT_EQ(codec.next_item(stream).kind, Kind::kError) << stream;
}

std::string introduction(const BrokerCodec& codec, Role role) {
  std::string out;
  codec.introduce(role, "m1", "room", out);
  return out;
}

std::string published(const BrokerCodec& codec, std::string_view payload) {
  std::string out;
  codec.publish("room", payload, out);
  return out;
}

TEST(RedisCodec, Writes) {
  const RedisCodec redis;
  const std::string subscribe = "*2\r\n$9\r\nSUBSCRIBE\r\n$4\r\nroom\r\n";
  EXPECT_EQ(introduction(redis, Role::kSubscriber), subscribe);
  EXPECT_EQ(introduction(redis, Role::kPublisher), "*1\r\n$4\r\nPING\r\n");
  EXPECT_EQ(introduction(redis, Role::kBoth), "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n" + subscribe);
  EXPECT_EQ(published(redis, "a\r\nb"), "*3\r\n$7\r\nPUBLISH\r\n$4\r\nroom\r\n$4\r\na\r\nb\r\n");
}

TEST(RedisCodec, ReadsASubscriber) {
  expect_items(RedisCodec(),
               "*3\r\n$9\r\nsubscribe\r\n$4\r\nroom\r\n:1\r\n"
               "*3\r\n$7\r\nmessage\r\n$4\r\nroom\r\n$4\r\na\r\nb\r\n"
               "*3\r\n$7\r\nmessage\r\n$4\r\nroom\r\n$0\r\n\r\n",
               {kReady, message("a\r\nb"), message("")});
}

TEST(RedisCodec, ReadsAPublisher) {
  expect_items(RedisCodec(), "+PONG\r\n:999\r\n:0\r\n", {kReady, kIgnored, kIgnored});
}

TEST(RedisCodec, ReadsTheThirdVersion) {
  expect_items(RedisCodec(),
               "%3\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n$7\r\nmodules\r\n*0\r\n"
               ">3\r\n$9\r\nsubscribe\r\n$4\r\nroom\r\n:1\r\n"
               ">3\r\n$7\r\nmessage\r\n$4\r\nroom\r\n$2\r\nhi\r\n"
               ":2\r\n_\r\n",
               {kIgnored, kReady, message("hi"), kIgnored, kIgnored});
}

TEST(RedisCodec, TellsErrors) {
  const BrokerItem item = RedisCodec().next_item("-NOAUTH Authentication required.\r\n");
  EXPECT_EQ(item.kind, Kind::kError);
  EXPECT_EQ(item.text, "NOAUTH Authentication required.");
  expect_error(RedisCodec(), "HTTP/1.1 400 Bad Request\r\n");
  expect_error(RedisCodec(), "*3\r\n$x\r\n");
  expect_error(RedisCodec(), "*1000000000000\r\n");
}

TEST(NatsCodec, Writes) {
  const NatsCodec nats;
  const std::string connect =
      R"(CONNECT {"verbose":false,"pedantic":false,"echo":false,"protocol":1,)"
      R"("lang":"chatbench","version":"1","name":"m1"})"
      "\r\n";
  EXPECT_EQ(introduction(nats, Role::kBoth), connect + "SUB room 1\r\nPING\r\n");
  EXPECT_EQ(introduction(nats, Role::kPublisher), connect + "PING\r\n");
  EXPECT_EQ(published(nats, "a\r\nb"), "PUB room 4\r\na\r\nb\r\n");
}

TEST(NatsCodec, Reads) {
  expect_items(NatsCodec(),
               "INFO {\"server_id\":\"x\"}\r\nPONG\r\nMSG room 1 4\r\na\r\nb\r\n+OK\r\nPING\r\n"
               "MSG room 1 _INBOX.x 0\r\n\r\n",
               {kIgnored, kReady, message("a\r\nb"), kIgnored, kPing, message("")});
}

TEST(NatsCodec, TellsErrors) {
  const BrokerItem item = NatsCodec().next_item("-ERR 'Authorization Violation'\r\n");
  EXPECT_EQ(item.kind, Kind::kError);
  EXPECT_EQ(item.text, "-ERR 'Authorization Violation'");
  expect_error(NatsCodec(), "HTTP/1.1 400 Bad Request\r\n");
  expect_error(NatsCodec(), "MSG room 1 4x\r\n");
}

TEST(MqttCodec, Writes) {
  const MqttCodec mqtt;
  const std::string connect("\x10\x0f\0\x04MQTT\x05\x02\0\0\0\0\x02m1"sv);
  EXPECT_EQ(introduction(mqtt, Role::kBoth),
            connect + std::string("\x82\x0a\0\x01\0\0\x04room\x04"sv));
  EXPECT_EQ(introduction(mqtt, Role::kPublisher), connect + std::string("\xc0\0"sv));
  EXPECT_EQ(published(mqtt, "hi"), std::string("\x30\x09\0\x04room\0hi"sv));
  // The length takes a second byte from 128 on.
  EXPECT_EQ(published(mqtt, std::string(200, 'x')),
            std::string("\x30\xcf\x01\0\x04room\0"sv) + std::string(200, 'x'));
}

TEST(MqttCodec, Reads) {
  const std::string long_text(200, 'x');
  expect_items(
      MqttCodec(),
      std::string("\x20\x03\0\0\0"sv) + std::string("\x90\x04\0\x01\0\0"sv) +
          std::string("\x30\x09\0\x04room\0hi"sv) + std::string("\x30\xcf\x01\0\x04room\0"sv) +
          long_text +
          // with a property, and at QoS 1 with a packet identifier
          std::string("\x30\x0b\0\x04room\x02\x01\x01hi"sv) +
          std::string("\x32\x0b\0\x04room\0\x05\0hi"sv) + std::string("\xd0\0"sv),
      {kIgnored, kReady, message("hi"), message(long_text), message("hi"), message("hi"), kReady});
}

TEST(MqttCodec, TellsErrors) {
  expect_error(MqttCodec(), "\x20\x03\0\x84\0"sv);      // CONNACK: the version is not served
  expect_error(MqttCodec(), "\x90\x04\0\x01\0\x87"sv);  // SUBACK: not authorized
  expect_error(MqttCodec(), "\xe0\x01\x8b"sv);          // the broker shuts down
  expect_error(MqttCodec(), "\x30\x02\0\x04"sv);        // a topic longer than its packet
  expect_error(MqttCodec(), "\x30\xff\xff\xff\xff\x01"sv);
  expect_error(MqttCodec(),
               "HTTP/1.1 400 Bad Request\r\n"
               "HTTP/1.1 400 Bad Request\r\nHTTP/1.1 400 Bad Request\r\n");
}

}  // namespace
}  // namespace chatd::bench
