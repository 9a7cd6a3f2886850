// What clients send.
#include <string>
#include <string_view>

#include "core/base/limits.h"
#include "core/wire/v1/datagram.h"
#include "core/wire/v1/payload.h"
#include "tests/sim/clients.h"
#include "tests/sim/words.h"
#include "tests/support/wire.h"

namespace chatd::sim {
namespace {

constexpr std::uint64_t kWrittenByLibrary = 16;  // one message in so many

std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string digits;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    digits.push_back(kDigits[byte >> 4]);
    digits.push_back(kDigits[byte & 0xf]);
  }
  return digits;
}

}  // namespace

// Either form of the token: one client in four knows the short one.
std::uint32_t Clients::open_datagram(const Client& client, std::string_view room,
                                     std::string_view token, const Claim& claim) {
  const std::uint32_t number = world_.packets.make();
  Packet& packet = world_.packets[number];
  const bool is_short = client.number % 4 == 3;
  packet.bytes = test::encode_datagram(room, is_short ? std::string(token) : hex(token), "");
  packet.claim = claim;
  packet.claim.header = Claim::Header::kWhole;
  packet.claim.client = client.number;
  packet.claim.payload_bytes = packet.bytes.size();  // the header's, for now
  packet.from = network_.endpoint(client.port);
  return number;
}

void Clients::send(Client& client, std::uint32_t number) {
  Packet& packet = world_.packets[number];
  packet.size_bytes = packet.bytes.size();
  const std::string_view payload =
      std::string_view(packet.bytes).substr(packet.claim.payload_bytes);
  packet.claim.payload_bytes = payload.size();
  packet.claim.looks_for_server =
      payload.size() <= 1024 && (payload.find("\"system\"") != std::string_view::npos ||
                                 payload.find("\"heartbeat\"") != std::string_view::npos);
  packet.bytes.append(kPayloadPaddingBytes, '}');
  packet.message = packet.claim.message;
  world_.note(Step::kSends, client.number, packet.claim.message, packet.from.port);
  network_.send_to_server(client.host, number);
  world_.packets.release(number);
}

void Clients::say(Client& client, std::uint32_t times) {
  const client::MemberSession& session = *client.session;
  for (std::uint32_t i = 0; i < times; ++i) {
    const MessageId id = next_message(client);
    const std::uint32_t number = open_datagram(
        client, session.room(), client.token,
        {.payload = Claim::Payload::kMessage, .member = client.member, .message = id});
    append_message(world_.packets[number].bytes, id, session.username());
    if (client.number % 4 != 3 && is_plain(id) && id % kWrittenByLibrary == 0) {
      compare_with_library(client, id, world_.packets[number].bytes);
    }
    send(client, number);
  }
  client.session->liveness().on_sent(now_ms());
}

void Clients::compare_with_library(const Client& client, MessageId id, std::string_view datagram) {
  std::string text;
  append_text(text, id);
  const auto written = client.session->message(text);
  if (!written || *written != datagram) {
    world_.fail("the client library writes a message in another way");
  }
}

void Clients::beat(Client& client) {
  client::Liveness& liveness = client.session->liveness();
  const std::string written = client.session->heartbeat();
  const std::string payload(parse_client_datagram(written)->payload);
  const std::uint32_t number =
      open_datagram(client, client.session->room(), client.token,
                    {.payload = payload.empty() ? Claim::Payload::kHeartbeat : Claim::Payload::kAsk,
                     .member = client.member});
  world_.packets[number].bytes += payload;
  if (client.number % 4 != 3 && world_.packets[number].bytes != written) {
    world_.fail("the client library writes a heartbeat in another way");
  }
  send(client, number);
  liveness.on_sent(now_ms());
  liveness.on_heartbeat_sent(now_ms(), true);
}

void Clients::leave(Client& client) {
  world_.seen.saw(Sight::kLeave);
  const std::uint32_t number =
      open_datagram(client, client.session->room(), client.token,
                    {.payload = Claim::Payload::kLeave, .member = client.member});
  Packet& packet = world_.packets[number];
  packet.bytes = client.session->leave();  // the library's own
  send(client, number);
  drop_out(client);
}

}  // namespace chatd::sim
