// What shards say to each other. A room lives on one shard, a control connection on the one that
// counts its address; a request that needs the other goes there as a shard message, and so does its
// answer. Nobody waits for a shard message: the connection does, and its shard goes on.
//
// Shard messages never pile up without bound: a connection has one question under way at most, and
// a room ends once. So they are never dropped either, and each question is answered.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/control/join_command.h"
#include "core/room/room_list.h"

namespace chatd {

// A control connection, as other shards name it. Slots are used again; the serial tells whether it
// is still the same connection.
struct ConnectionId {
  std::uint8_t shard = 0;
  std::uint32_t slot = 0;
  std::uint64_t serial = 0;
  std::uint16_t via = 0;      // the address that it came to: see Endpoint
  bool is_encrypted = false;  // it came to the TLS port: what is secret may be told over it
};

// To the owner of the room.
struct JoinForward {
  ConnectionId from;
  JoinCommand command;
};
// And back.
struct JoinReply {
  ConnectionId to;
  JoinResult result;
};

// To every shard whose rooms are not known as they are now.
struct ListQuery {
  std::uint8_t from = 0;
  std::uint64_t round = 0;  // the asker's number for it
};
// And back.
struct ListReply {
  std::uint8_t from = 0;
  std::uint64_t round = 0;
  std::shared_ptr<const ListPart> part;
};

// To the shard that counts the rooms of its creator's address.
struct QuotaRelease {
  IpAddress creator;
};

using ShardMessage = std::variant<JoinForward, JoinReply, ListQuery, ListReply, QuotaRelease>;

}  // namespace chatd
