// Requests, datagrams (right, wrong, forged, garbage), refusals, shard messages between two shards,
// time, small outboxes and an operator.
#include "tests/model/relay_script.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/model/input.h"
#include "tests/model/relay_world.h"
#include "tests/support/wire.h"

namespace chatd::test {
namespace {

constexpr int kMaxSteps = 250;
// So that no run takes more than a moment.
constexpr std::uint64_t kMaxSaid = 600;
constexpr std::uint32_t kIdleMs = 5'000;
// The steps came first: all bytes but the last ones mean what they meant before there was an
// operator, so that recorded inputs go the same way.
constexpr unsigned kOtherSteps = 21;
constexpr std::uint8_t kFirstOfOperator = 11 * kOtherSteps;

constexpr AbuseLimits kStrict{.max_member_messages_per_s = 20,
                              .max_member_bytes_per_s = 8'000,
                              .max_address_rooms = 2,
                              .max_address_connections = 0,
                              .max_address_requests_per_s = 10,
                              .max_password_attempts_per_min = 1,
                              .max_room_notices_per_s = 1};

WorldConfig read_config(Input& decisions) {
  const std::uint8_t bits = decisions.byte();
  const std::uint8_t sizes = decisions.byte();
  WorldConfig config;
  config.shards = (bits & 1) != 0 ? 2 : 1;
  config.limits.roaming_same_ip = (bits & 2) != 0;
  config.limits.abuse = (bits & 8) != 0 ? kStrict : AbuseLimits::none();
  config.limits.abuse.limit_loopback = (bits & 16) != 0;
  config.trains.max_segments = (bits & 32) != 0 ? 64 : 1u + (bits >> 6);
  config.trains.max_segment_bytes = (bits & 64) != 0 ? 1472 : 90;
  config.limits.idle_timeout_ms = kIdleMs;
  config.limits.max_rooms = 4;
  config.limits.max_members = std::array{4u, 8u, 24u, 64u}[sizes & 3];
  config.limits.max_room_members = std::array{3u, 8u, 24u, 48u}[sizes >> 2 & 3];
  config.limits.max_notified_members = (sizes & 16) != 0 ? 128 : 3;
  config.outbox_limit = 1u << (sizes >> 5);
  config.message_store_blocks = (bits & 4) != 0 ? 64 : 2048;
  return config;
}

class Script {
 public:
  explicit Script(Input& decisions) : decisions_(decisions), world_(read_config(decisions)) {}

  void run() {
    for (int i = 0; i < kMaxSteps && !decisions_.at_end(); ++i) step();
    world_.come_to_rest();
  }

 private:
  void step() {
    const std::uint8_t choice = decisions_.byte();
    if (choice >= kFirstOfOperator) return operate();
    switch (choice % kOtherSteps) {
      case 0:
      case 1:
        return enter(kCreateRoom);
      case 2:
      case 3:
      case 4:
        return enter(kJoinRoom);
      case 5:
        return world_.request(peer(),
                              {.operation = kListRooms, .state = 0, .room = "", .payload = ""});
      case 6:
        return world_.greet(peer());
      case 7:
        return raw_request();
      case 8:
      case 9:
        return say(1);
      case 10:
        return say(1u + decisions_.byte() % 48);
      case 11:
        // As with seats below, so that recorded inputs go the same way.
        return from_member(choice / kOtherSteps % 2 == 0 ? "" : R"({"heartbeat":"0f"})");
      case 12:
        return from_member(leave_payload(member().username));
      case 13:
        return forge();
      case 14:
        return from_member(decisions_.text());
      case 15:
        return world_.datagram(endpoint(), decisions_.text(), shard());
      case 16:
        return world_.refuse(decisions_.flag() ? member().endpoint : endpoint());
      case 17:
        return world_.pass_time(decisions_.two_bytes() % (2 * kIdleMs));
      case 18:
        return work();
      case 19:
        return crowd();
      default:
        return world_.carry_message(shard(), shard());
    }
  }

  // What an operator asks for.
  void operate() {
    switch (decisions_.index(6)) {
      case 0:
        return kick();
      case 1:
        return world_.close_room("room" + std::to_string(decisions_.index(6)));
      case 2:
      case 3:
        return world_.set_limits(other_limits());
      case 4:
        // Rarely: nobody comes in any more.
        if (decisions_.byte() == 0xff) world_.start_drain();
        return;
      default:
        return world_.restart_hot();
    }
  }

  void kick() {
    const ModelMember one = member();
    const bool is_by_name = decisions_.flag();
    world_.kick(one.room,
                is_by_name ? "name" + std::to_string(decisions_.index(32)) : one.username);
  }

  Limits other_limits() {
    const std::uint8_t bits = decisions_.byte();
    Limits limits = world_.limits();
    limits.idle_timeout_ms = (bits & 1) != 0 ? kIdleMs : kIdleMs / 4;
    limits.roaming_same_ip = (bits & 2) != 0;
    limits.max_notified_members = (bits & 4) != 0 ? 128 : 3;
    limits.abuse = (bits & 8) != 0 ? kStrict : AbuseLimits::none();
    limits.abuse.limit_loopback = (bits & 16) != 0;
    return limits;
  }

  // What the server does without being asked.
  void work() {
    switch (decisions_.index(6)) {
      case 0:
      case 1:
        return world_.serve_rooms(shard());
      case 2:
        return world_.send(shard());
      case 3:
        return world_.extend_outbox(shard());
      case 4:
        return world_.come_to_rest();
      default:
        // Rarely: it ends everything that was built up.
        if (decisions_.byte() == 0xff) world_.shut_down();
    }
  }

  std::uint8_t shard() { return static_cast<std::uint8_t>(decisions_.index(world_.shard_count())); }

  // Somebody at the other end of a TCP connection: one host.
  IpAddress peer() {
    switch (decisions_.index(8)) {
      case 0:
        return IpAddress::from_v4({192, 0, 2, 1});
      case 1:
        return IpAddress::from_v4({192, 0, 2, 2});
      case 2:
        return IpAddress::from_v6({0x20, 1, 0xd, 0xb8});
      default:
        return IpAddress::from_v4({127, 0, 0, 1});
    }
  }
  std::uint16_t port() {
    const std::uint16_t choice = decisions_.byte() % 32;
    return choice == 31 ? world_.own_socket().port : choice;
  }
  // What a datagram says about its source.
  Endpoint endpoint() {
    const IpAddress ip = decisions_.byte() == 0xff ? IpAddress::from_v4({224, 0, 0, 1}) : peer();
    return {.ip = ip, .port = port()};
  }

  void enter(std::uint8_t operation) {
    const IpAddress from = peer();
    std::string room = "room" + std::to_string(decisions_.index(6));
    std::string username = "name" + std::to_string(decisions_.index(32));
    const std::uint8_t form = decisions_.byte();
    if ((form & 0x18) == 0x18) username.insert(0, "\u200b");
    if ((form & 0x60) == 0x60) room[0] = 'R';
    const std::string payload = join_payload({.username = username,
                                              .ip = (form & 1) != 0 ? "192.0.2.1" : "",
                                              .port = port(),
                                              .password = (form & 6) == 6 ? "secret" : "",
                                              .token = token_for(form, room, username)});
    world_.request(from, {.operation = operation, .state = 0, .room = room, .payload = payload});
  }

  // Some come with a token: that of the seat, somebody else's, or nobody's.
  std::string token_for(std::uint8_t form, const std::string& room, const std::string& username) {
    if ((form & 0xc0) != 0xc0) return "";
    if ((form & 0x30) == 0x30) return "0123456789abcdef0123456789abcdef";
    for (const ModelMember& one : world_.members()) {
      const bool is_wanted = (form & 0x10) != 0 || (one.room == room && one.username == username);
      if (is_wanted) return one.token.hex();
    }
    return "";
  }

  // Many in one room: large ones are served in slices.
  void crowd() {
    const IpAddress from = peer();
    const std::string room = "room" + std::to_string(decisions_.index(2));
    const std::size_t size = decisions_.index(48);
    for (std::size_t i = 0; i < size; ++i) {
      const std::string payload = join_payload({.username = "name" + std::to_string(i),
                                                .ip = "",
                                                .port = static_cast<std::uint16_t>(100 + i),
                                                .password = ""});
      const std::uint8_t operation = i == 0 ? kCreateRoom : kJoinRoom;
      world_.request(from, {.operation = operation, .state = 0, .room = room, .payload = payload});
    }
  }

  void raw_request() {
    const IpAddress from = peer();
    const std::uint8_t operation = decisions_.byte();
    const std::uint8_t state = decisions_.byte();
    const std::string_view room = decisions_.text();
    world_.request(
        from, {.operation = operation, .state = state, .room = room, .payload = decisions_.text()});
  }

  // One of those who are in, or somebody who is nobody.
  ModelMember member() {
    const std::uint8_t choice = decisions_.byte();
    if (world_.members().empty()) {
      ModelMember nobody;
      nobody.room = "room0";
      nobody.username = "name0";
      return nobody;
    }
    return world_.members()[choice % world_.members().size()];
  }

  // Where a member's next datagram comes from: a pending one has a port by then.
  Endpoint source_of(const ModelMember& one) {
    if (one.endpoint.port != 0) return one.endpoint;
    return {.ip = one.peer, .port = static_cast<std::uint16_t>(40 + one.token.slot())};
  }

  void from_member(std::string_view payload) {
    const ModelMember one = member();
    world_.datagram(source_of(one), encode_datagram(one.room, one.token.raw(), payload), shard());
  }

  void say(unsigned times) {
    const ModelMember one = member();
    const std::size_t size = decisions_.byte();
    const Endpoint from = source_of(one);
    for (unsigned i = 0; i < times && said_ < kMaxSaid; ++i) {
      const std::string text = std::to_string(++said_) + std::string(size, 'x');
      const std::string payload = message_payload(one.username, text);
      world_.datagram(from, encode_datagram(one.room, one.token.hex(), payload), 0);
    }
  }

  // Token, room, name and address of several people.
  void forge() {
    const ModelMember a = member();
    const ModelMember b = member();
    const std::uint8_t mix = decisions_.byte();
    const std::string payload = message_payload((mix & 1) != 0 ? b.username : a.username, "I");
    const Endpoint from = (mix & 2) != 0   ? source_of(b)
                          : (mix & 8) != 0 ? endpoint()
                                           : source_of(a);
    world_.datagram(from, encode_datagram((mix & 4) != 0 ? b.room : a.room, a.token.hex(), payload),
                    shard());
  }

  Input& decisions_;
  RelayWorld world_;
  std::uint64_t said_ = 0;
};

}  // namespace

void run_relay_script(std::string_view bytes) {
  Input decisions(bytes);
  Script(decisions).run();
}

}  // namespace chatd::test
