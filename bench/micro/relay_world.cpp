#include "bench/micro/relay_world.h"

#include <cstdio>
#include <cstdlib>

#include "client/lib/request.h"
#include "client/lib/response.h"
#include "core/wire/v1/datagram.h"
#include "core/wire/v1/frame.h"

namespace chatd::bench {
namespace {

constexpr std::uint32_t kOutboxWork = 16 * 1024;
constexpr std::uint32_t kSpareMembers = 1;  // the one that comes and goes

// Each member has an address and port of its own, as over a real network.
Endpoint endpoint_of(std::uint32_t member) {
  const auto byte = [member](unsigned shift) {
    return static_cast<std::uint8_t>(member >> shift & 0xff);
  };
  return {IpAddress::from_v4({127, byte(16), byte(8), byte(0)}),
          static_cast<std::uint16_t>(20'000 + member % 40'000)};
}

std::string room_name(std::uint32_t room) {
  return "room-" + std::to_string(room);
}
std::string member_name(std::uint32_t member) {
  return "member-" + std::to_string(member);
}

std::string entry_request(Operation operation, std::uint32_t room, std::uint32_t member) {
  return client::encode_entry_request({.operation = operation,
                                       .room = room_name(room),
                                       .username = member_name(member),
                                       .password = "",
                                       .udp_ip = "",
                                       .udp_port = endpoint_of(member).port});
}

std::string datagram(std::string_view room, const Token& token, std::string_view payload) {
  std::string bytes;
  append_client_datagram(bytes, room, token, payload);
  return bytes;
}

}  // namespace

void give_up(const std::string& why) {
  std::fprintf(stderr, "benchmark setup: %s\n", why.c_str());
  std::abort();
}

std::string message_payload(std::string_view sender, std::size_t size_bytes) {
  std::string payload = R"({"sender":")" + std::string(sender) + R"(","message":")";
  constexpr std::string_view kEnd = "\"}";
  if (payload.size() + kEnd.size() < size_bytes) {
    payload.append(size_bytes - payload.size() - kEnd.size(), 'x');
  }
  return payload.append(kEnd);
}

RelayConfig RelayWorld::config_for(std::uint32_t rooms, std::uint32_t members_per_room) {
  RelayConfig config;
  config.limits.max_rooms = rooms;
  config.limits.max_members = rooms * members_per_room + kSpareMembers;
  config.limits.max_room_members = members_per_room + kSpareMembers;
  // What is never reached, but has to be counted as by default.
  config.limits.abuse.max_member_messages_per_s = 1'000'000'000;
  config.limits.abuse.max_member_bytes_per_s = 4'000'000'000;
  config.limits.abuse.max_room_notices_per_s = 1'000'000'000;
  return config;
}

RelayWorld::RelayWorld(std::uint32_t rooms, std::uint32_t members_per_room,
                       std::size_t payload_bytes)
    : relay_(config_for(rooms, members_per_room), now_ms_),
      out_(kOutboxWork, members_per_room + kSpareMembers) {
  people_.reserve(std::size_t{rooms} * members_per_room);
  for (std::uint32_t member = 0; member < rooms * members_per_room; ++member) {
    const std::uint32_t room = member / members_per_room;
    const bool is_first = member % members_per_room == 0;
    const Endpoint from = endpoint_of(member);
    const auto entry = client::parse_entry_answer(
        ask(entry_request(is_first ? Operation::kCreate : Operation::kJoin, room, member), from));
    if (!entry) give_up(entry.error().reason);
    const auto padded = [&](std::string_view payload) {
      return PaddedBytes(datagram(room_name(room), entry->token, payload));
    };
    people_.push_back({.from = from,
                       .message = padded(message_payload(member_name(member), payload_bytes)),
                       .heartbeat = padded("")});
  }
  serve_rooms();  // that they have joined
  out_.clear();
  prepare_passer_by();
}

void RelayWorld::prepare_passer_by() {
  const auto member = static_cast<std::uint32_t>(people_.size());
  passer_by_ = endpoint_of(member);
  join_request_ = entry_request(Operation::kJoin, 0, member);
  leave_datagram_ = PaddedBytes(
      datagram(room_name(0), Token(),
               R"({"sender":"system","operation":2,"username":")" + member_name(member) + "\"}"));
  leave_token_offset_ = kDatagramHeaderBytes + room_name(0).size();
}

std::string_view RelayWorld::ask(std::string_view request, const Endpoint& from) {
  const DecodedFrame asked = decode_frame(request, request.size());
  reply_.clear();
  relay_.on_request(now_ms_, from.ip, asked.frame, reply_, out_);
  out_.clear();  // what the others are told
  // "Accepted", and then what came of it.
  const DecodedFrame accepted = decode_frame(reply_, reply_.size());
  const std::string_view rest = std::string_view(reply_).substr(accepted.size_bytes);
  return decode_frame(rest, rest.size()).frame.payload;
}

void RelayWorld::join_and_leave() {
  constexpr std::string_view kBeforeToken = "\"token\":\"";
  const std::string_view answer = ask(join_request_, passer_by_);
  const std::size_t key = answer.find(kBeforeToken);
  if (key == std::string_view::npos) give_up("refused: " + std::string(answer));
  leave_datagram_.overwrite(leave_token_offset_,
                            answer.substr(key + kBeforeToken.size(), kTokenHexBytes));
  hear(passer_by_, leave_datagram_);
  out_.clear();
}

}  // namespace chatd::bench
