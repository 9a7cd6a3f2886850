// What attackers do to protocol v2: datagrams that were overheard, as they were or changed, and
// members that keep no rules.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/limits.h"
#include "core/wire/v1/payload.h"
#include "core/wire/v2/frames.h"
#include "tests/sim/clients.h"
#include "tests/sim/words.h"

namespace chatd::sim {
namespace {

constexpr std::size_t kShortestBytes = 35;
constexpr std::size_t kHeaderBytes = 18;

// A bit of it is another one, or its end is missing, or there is more. Its first byte stays: it
// would be a datagram of protocol v1 otherwise.
std::string changed(Dice& dice, std::string bytes) {
  switch (dice.roll(4)) {
    case 0:
      bytes.resize(1 + static_cast<std::size_t>(dice.roll(bytes.size() - 1)));
      return bytes;
    case 1:
      bytes.push_back(static_cast<char>(dice.any()));
      return bytes;
    case 2:  // in the header
      bytes[1 + static_cast<std::size_t>(dice.roll(kHeaderBytes - 1))] ^=
          static_cast<char>(1u << dice.roll(8));
      return bytes;
    default:
      bytes[1 + static_cast<std::size_t>(dice.roll(bytes.size() - 1))] ^=
          static_cast<char>(1u << dice.roll(8));
      return bytes;
  }
}

}  // namespace

// From where it came, or from the attacker's own port.
void Clients::send_overheard(Client& attacker) {
  if (to_server_.empty()) return;
  const Overheard& overheard = world_.dice.pick(to_server_);
  const bool is_changed = world_.dice.one_in(2);
  std::string bytes = is_changed ? changed(world_.dice, overheard.bytes) : overheard.bytes;
  if (world_.dice.one_in(8)) {  // a session that there never was
    for (std::size_t i = 3; i < kHeaderBytes; ++i) bytes.resize(std::max(bytes.size(), i + 1));
    for (std::size_t i = 6; i < 10; ++i) bytes[i] = static_cast<char>(world_.dice.any());
    world_.seen.saw(Sight::kSessionGuess);
  } else {
    world_.seen.saw(is_changed ? Sight::kChangedOnTheWay : Sight::kReplay);
  }
  const std::uint32_t number = make_sealed(attacker, bytes);
  Packet& packet = world_.packets[number];
  packet.claim.is_intact = bytes == overheard.bytes;
  const bool is_of_v2 = bytes.size() >= kShortestBytes && bytes[1] == '\2';
  if (!is_of_v2) packet.claim.header = Claim::Header::kMalformed;
  if (!world_.dice.one_in(3)) packet.from = overheard.from;
  if (world_.dice.one_in(16)) packet.from.port = 0;
  world_.note(Step::kSends, attacker.number, 0, packet.from.port);
  network_.send_to_server(attacker.host, number);
  world_.packets.release(number);
}

// To where it went: again, or changed.
void Clients::send_forged_to_client() {
  if (to_clients_.empty()) return;
  const Overheard& overheard = world_.dice.pick(to_clients_);
  const bool is_changed = world_.dice.one_in(2);
  world_.seen.saw(is_changed ? Sight::kForgedToClient : Sight::kReplayToClient);
  const std::uint32_t number = world_.packets.make();
  Packet& packet = world_.packets[number];
  packet.bytes = is_changed ? changed(world_.dice, overheard.bytes) : overheard.bytes;
  packet.size_bytes = packet.bytes.size();
  packet.is_forged = is_changed;
  network_.send_to_client(overheard.port, number);
  world_.packets.release(number);
}

// --- Members that keep no rules ------------------------------------------------------------------

void Clients::send_raw(Client& client, std::string_view plain) {
  send_sealed(client, client.raw->seal(plain));
}

void Clients::send_have(Client& client, const v2::Have& have) {
  std::array<char, v2::kMaxHaveBytes> plain;
  v2::ByteWriter writer(plain.data());
  v2::write_frame(writer, have);
  send_raw(client, {plain.data(), static_cast<std::size_t>(writer.end() - plain.data())});
}

// That it is there, in a way that must be answered.
void Clients::beat_raw(Client& client) {
  send_have(client, {.log_epoch = 1, .complete = 0, .wanted = 1, .range_count = 0, .ranges = {}});
}

void Clients::say_raw(Client& client, std::uint64_t number, v2::ContentType type,
                      std::string_view content) {
  std::string plain(v2::kMaxSayHeadBytes + content.size(), '\0');
  v2::ByteWriter writer(plain.data());
  v2::write_frame(writer, v2::Say{.client_number = number, .content_type = type, .bytes = content});
  send_raw(client, {plain.data(), static_cast<std::size_t>(writer.end() - plain.data())});
}

void Clients::say_raw(Client& client, std::uint64_t number) {
  const MessageId id = next_message(client) | kSealedBit;
  std::string content;
  append_sealed_content(content, id);
  say_raw(client, number, v2::ContentType::kText, content);
}

void Clients::act_raw(Client& client) {
  RawSession& raw = *client.raw;
  Dice& dice = world_.dice;
  switch (dice.roll(14)) {
    case 0:
      return say_bad(client);
    case 1:  // its numbers jump: as far as may be, or too far
      world_.seen.saw(Sight::kSayJump);
      if (dice.one_in(2)) return say_raw(client, raw.next_say + 64 + dice.roll(1000));
      raw.next_say += dice.roll(64);
      return say_raw(client, raw.next_say++);
    case 2:  // again
      return say_raw(client, 1 + dice.roll(raw.next_say));
    case 3:
      world_.seen.saw(Sight::kHaveFlood);
      for (std::uint64_t i = 40 + dice.roll(60); i > 0; --i) beat_raw(client);
      return;
    case 4:
      return have_oddly(client);
    case 5:
      return send_odd_frames(client);
    case 6:  // packet numbers jump, a few times beyond a key
      world_.seen.saw(Sight::kPacketJump);
      raw.next_packet += dice.roll(600);
      if (dice.one_in(4)) raw.next_packet = (raw.next_packet / kPacketsPerKey + 1) * kPacketsPerKey;
      return beat_raw(client);
    case 7:
      if (dice.one_in(4)) return roam(client);
      if (dice.one_in(4)) return prove_nothing(client);
      return beat_raw(client);
    case 8:
      return attack(client);
    default:
      return say_raw(client, raw.next_say++);
  }
}

void Clients::say_bad(Client& client) {
  world_.seen.saw(Sight::kBadSay);
  const std::uint64_t number = client.raw->next_say++;
  switch (world_.dice.roll(6)) {
    case 0:
      return say_raw(client, number, v2::ContentType::kText, "bell\a");
    case 1:
      return say_raw(client, number, v2::ContentType::kText, "\xff");
    case 2:
      return say_raw(client, number, v2::ContentType::kText, "");
    case 3:
      return say_raw(client, number, v2::ContentType::kV1Payload, R"({"sender":"system"})");
    case 4:
      return say_raw(client, number, static_cast<v2::ContentType>(9), "what");
    default:
      return say_raw(client, number, v2::ContentType::kText, std::string(1101, 'x'));
  }
}

// Of another log, of entries that do not exist, and of ranges with holes.
void Clients::have_oddly(Client& client) {
  world_.seen.saw(Sight::kOddHave);
  Dice& dice = world_.dice;
  v2::Have have{.log_epoch = 1, .complete = 0, .wanted = 0, .range_count = 0, .ranges = {}};
  switch (dice.roll(4)) {
    case 0:
      have.log_epoch = 2;
      break;
    case 1:
      have.complete = 1'000'000;
      break;
    case 2:
      have.range_count = 1;
      have.ranges[0] = {.first = 3, .last = 1'000'000};
      break;
    default: {
      std::uint64_t last = 0;
      have.range_count = static_cast<std::uint8_t>(1 + dice.roll(v2::kMaxRanges));
      for (std::size_t i = 0; i < have.range_count; ++i) {
        const std::uint64_t first = last + 2 + dice.roll(4);
        last = first + dice.roll(4);
        have.ranges[i] = {.first = first, .last = last};
      }
      have.wanted = 1 + dice.roll(last + 50);
    }
  }
  send_have(client, have);
}

// An answer to a question that it has not heard, from where it has not been proven to be.
void Clients::prove_nothing(Client& client) {
  close_port(client);
  client.host = world_.dice.roll32(world_.scenario.hosts);
  open_port(client);
  send_raw(client, std::string_view("\x04\x08\x07\x06\x05\x04\x03\x02\x01", 9));
}

// What stands before such a frame counts, what stands behind it does not.
void Clients::send_odd_frames(Client& client) {
  world_.seen.saw(Sight::kOddFrame);
  static constexpr std::array<std::string_view, 6> kOdd = {
      std::string_view("\x05", 1),                                  // of unknown type
      std::string_view("\0\0\x3f\x03", 4),                          // behind padding
      std::string_view("\x01\x00\x00\x02hi", 6),                    // SAY 0
      std::string_view("\x02\x01\x00\x00\x11", 5),                  // more ranges than there may be
      std::string_view("\x04\x01\x02\x03", 4),                      // cut short
      std::string_view("\x04\x01\x02\x03\x04\x05\x06\x07\x08", 9),  // an answer to nothing
  };
  send_raw(client, world_.dice.pick(kOdd));
}

}  // namespace chatd::sim
