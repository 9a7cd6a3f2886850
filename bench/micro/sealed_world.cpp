#include "bench/micro/sealed_world.h"

#include <sodium/core.h>

#include <array>

#include "bench/micro/relay_world.h"
#include "client/lib/request.h"
#include "client/lib/response.h"
#include "core/wire/v2/frames.h"

namespace chatd::bench {
namespace {

constexpr std::uint32_t kTurnWork = 16 * 1024;

Endpoint loopback_port(std::uint32_t number) {
  return {IpAddress::from_v4({127, 0, 0, 1}), static_cast<std::uint16_t>(20'000 + number)};
}

RelayConfig room_config(std::uint32_t members) {
  RelayConfig config;
  config.limits.max_rooms = 1;
  config.limits.max_members = config.limits.max_room_members = members;
  config.limits.abuse = AbuseLimits::none();
  config.ports = {.udp = 9000, .tls = 8001};
  if (sodium_init() >= 0) config.cipher = fastest_cipher();
  return config;
}

}  // namespace

SealedWorld::SealedWorld(std::uint32_t members, std::uint32_t v1_members)
    : relay_(room_config(members + v1_members), now_ms_), out_(kTurnWork, members + v1_members) {
  for (std::uint32_t i = 0; i < members + v1_members; ++i) add(i, i < members);
  serve_rooms();  // that they have joined
}

void SealedWorld::add(std::uint32_t number, bool is_sealed) {
  Speaker speaker{.from = loopback_port(number), .session = {}, .key = {}};
  const std::string request = client::encode_entry_request(
      {.operation = number == 0 ? Operation::kCreate : Operation::kJoin,
       .room = "room",
       .username = "member-" + std::to_string(number),
       .udp_ip = is_sealed ? "" : "127.0.0.1",
       .udp_port = is_sealed ? std::uint16_t{0} : speaker.from.port,
       .protocol = is_sealed ? 2 : 1,
       .knows_aes = fastest_cipher() == Cipher::kAes256Gcm});
  PeerShards nobody;
  std::string reply;
  relay_.on_request(now_ms_, {.is_encrypted = is_sealed}, speaker.from.ip,
                    decode_frame(request, request.size()).frame, nobody, reply, out_);
  out_.clear();
  client::ResponseReader reader(client::kMaxSessionAnswerBytes);
  const auto answer = reader.push(reply);
  if (!answer || !*answer) give_up("a join was not answered");
  const auto entry = client::parse_entry_answer(**answer);
  if (!entry) give_up(entry.error().reason);
  if (!is_sealed) return;
  speaker.session = *entry->session;
  speaker.key = PacketKey(speaker.session.secret, Direction::kToServer);
  // So that the relay learns where it is.
  const std::string padding(1, static_cast<char>(v2::FrameType::kPadding));
  const std::string hello = sealed(speaker, padding);
  hear(speaker.from, hello, hello.size() - kPayloadPaddingBytes);
  if (number == 0) first_ = speaker;
}

std::string SealedWorld::sealed(Speaker& speaker, std::string_view frames) {
  Sealer sealer;
  speaker.key.advance_to(speaker.next_packet);
  sealer.use(speaker.session.cipher, speaker.key);
  const std::size_t size_bytes = frames.size() + v2::kOverheadBytes;
  std::string bytes(size_bytes + kPayloadPaddingBytes, '\0');
  sealer.seal(speaker.session.id, speaker.next_packet++, frames, bytes.data());
  return bytes;
}

void SealedWorld::seal(std::size_t count) {
  const std::string text(kUsualPayloadBytes, 'x');
  datagrams_.clear();
  next_ = 0;
  for (std::size_t i = 0; i < count; ++i) {
    std::array<char, v2::kMaxSayHeadBytes + kUsualPayloadBytes> frame;
    v2::ByteWriter writer(frame.data());
    v2::write_frame(writer, v2::Say{.client_number = first_.next_say++, .bytes = text});
    const auto size_bytes = static_cast<std::size_t>(writer.end() - frame.data());
    datagrams_.push_back(sealed(first_, {frame.data(), size_bytes}));
  }
}

void SealedWorld::serve_rooms() {
  do {
    relay_.serve_rooms(out_);
    out_.clear();
  } while (relay_.has_waiting());
}

}  // namespace chatd::bench
