#include "tests/unit/core/relay_kit.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/json.h"
#include "tests/support/wire.h"

namespace chatd::test {

Answer RelayKit::ask(std::uint8_t operation, std::string_view room, std::string_view payload,
                     const IpAddress& peer, std::uint8_t state) {
  const FrameView frame{.operation = operation, .state = state, .room = room, .payload = payload};
  std::string reply;
  relay.on_request(now_ms, peer, frame, reply, out);
  Answer answer;
  while (const auto part = take_frame(reply)) {
    EXPECT_EQ(part->room, "");
    EXPECT_EQ(part->operation, operation);
    ++answer.frame_count;
    const JsonObject json(part->payload);
    EXPECT_TRUE(json.valid()) << part->payload;
    if (part->state == kAccepted) answer.accepted = json.number("status");
    if (part->state != kCompleted) continue;
    answer.status = json.number("status");
    answer.message = json.text("message");
    answer.token = json.text("token");
    answer.payload = part->payload;
  }
  EXPECT_EQ(reply, "") << "bytes after the last frame";
  return answer;
}

std::string RelayKit::greeting() {
  PeerShards nobody;
  std::string frame;
  relay.greet(nobody, frame);
  return frame;
}

Person RelayKit::enter(std::uint8_t operation, std::string_view room, std::string_view name,
                       const Endpoint& endpoint, std::string_view password) {
  const std::string payload = join_payload({.username = std::string(name),
                                            .ip = "",
                                            .port = endpoint.port,
                                            .password = std::string(password)});
  const Answer answer = ask(operation, room, payload, endpoint.ip);
  EXPECT_EQ(answer.status, 201) << name << ": " << answer.message;
  return {.room = std::string(room),
          .name = std::string(name),
          .token = answer.token,
          .from = endpoint};
}

Person RelayKit::create(std::string_view room, std::string_view name, const Endpoint& endpoint,
                        std::string_view password) {
  return enter(kCreateRoom, room, name, endpoint, password);
}

Person RelayKit::join(std::string_view room, std::string_view name, const Endpoint& endpoint,
                      std::string_view password) {
  return enter(kJoinRoom, room, name, endpoint, password);
}

Person RelayKit::create(std::string_view room, std::string_view name) {
  return create(room, name, at("127.0.0.1", next_port_++));
}

Person RelayKit::join(std::string_view room, std::string_view name) {
  return join(room, name, at("127.0.0.1", next_port_++));
}

Person RelayKit::join_pending(std::string_view room, std::string_view name,
                              const Endpoint& will_come_from) {
  Person person = join(room, name, {will_come_from.ip, 0});
  person.from = will_come_from;
  return person;
}

// The receive buffer is gone afterwards: nothing may point into it.
void RelayKit::deliver(const Endpoint& from, std::string_view datagram) {
  std::string buffer(datagram);
  buffer.append(kPayloadPaddingBytes, '}');  // its content must not matter
  relay.on_datagram(now_ms, from, std::string_view(buffer).substr(0, datagram.size()), out);
  std::fill(buffer.begin(), buffer.end(), '?');
}

void RelayKit::send(const Person& who, std::string_view payload) {
  deliver(who.from, encode_datagram(who.room, who.token, payload));
}

void RelayKit::say(const Person& who, std::string_view text) {
  send(who, message_payload(who.name, text));
}

void RelayKit::leave(const Person& who) {
  send(who, leave_payload(who.name));
}

std::vector<Sent> RelayKit::take() {
  std::vector<Sent> sent;
  empty_outbox(sent);
  while (relay.has_waiting()) {
    relay.serve_rooms(out);
    empty_outbox(sent);
  }
  return sent;
}

std::vector<Sent> RelayKit::take_turn() {
  relay.serve_rooms(out);
  return take_outbox();
}

std::vector<Sent> RelayKit::take_outbox() {
  std::vector<Sent> sent;
  empty_outbox(sent);
  return sent;
}

void RelayKit::empty_outbox(std::vector<Sent>& sent) {
  for (const Outbox::SendGroup& group : out.groups()) {
    for (const Outbox::Train& train : out.trains(group)) {
      for (std::uint32_t i = 0; i < train.message_count; ++i) {
        const std::string_view datagram = out.message(train, i);
        ASSERT_TRUE(datagram.starts_with(std::string_view("\0\0", 2)));
        for (const Endpoint& to : out.destinations(group)) {
          EXPECT_NE(to.port, 0) << "nothing may go to a member whose address is not known";
          sent.push_back(
              {.to = to, .payload = std::string(datagram.substr(2)), .kind = group.kind});
        }
      }
    }
  }
  out.clear();
}

bool RelayKit::every_datagram_is_accounted_for() const {
  const std::uint64_t accounted =
      count(Counter::kHeartbeats) + count(Counter::kMessagesAccepted) + count(Counter::kLeaves) +
      count(Counter::kDroppedMalformed) + count(Counter::kDroppedTooLarge) +
      count(Counter::kDroppedUnknownToken) + count(Counter::kDroppedWrongRoom) +
      count(Counter::kDroppedWrongAddress) + count(Counter::kDroppedWrongSender) +
      count(Counter::kDroppedBadPayload);
  return accounted == count(Counter::kDatagramsReceived);
}

std::vector<std::string> heard_at(const std::vector<Sent>& sent, const Endpoint& endpoint) {
  std::vector<std::string> heard;
  for (const Sent& one : sent) {
    if (one.to == endpoint) heard.push_back(one.payload);
  }
  return heard;
}

}  // namespace chatd::test
