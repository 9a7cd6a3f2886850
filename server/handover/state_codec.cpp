#include "server/handover/state_codec.h"

#include <google/protobuf/arena.h>

#include <algorithm>
#include <climits>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include "core/base/shard_map.h"
#include "server/handover/handover.pb.h"

namespace chatd {
namespace {

// Raised when an older chatd could not make sense of what this one writes, or the other way round:
// one that does not know protocol v2 would take its members for others.
constexpr std::uint32_t kFormat = 1;
constexpr std::uint32_t kFormatWithSessions = 2;

using Fault = tl::unexpected<std::string>;

Fault damaged(const char* what) {
  return Fault(std::string("its state is damaged: ") + what);
}

template <class Bytes>
std::string to_string(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// False: it is not as long as it has to be.
template <class Bytes>
bool read_bytes(const std::string& from, Bytes& to) {
  if (from.size() != to.size()) return false;
  std::copy(from.begin(), from.end(), to.begin());
  return true;
}

bool read_ip(const std::string& from, IpAddress& to) {
  std::array<std::uint8_t, 16> bytes{};
  if (!read_bytes(from, bytes)) return false;
  to = IpAddress::from_v6(bytes);
  return true;
}

void write(const SessionSnapshot& from, handover::Session& to) {
  to.set_id(from.id);
  to.set_ip(to_string(from.ip.bytes()));
  to.set_cipher(static_cast<std::uint32_t>(from.cipher));
  to.set_send_key(to_string(from.send_key));
  to.set_receive_key(to_string(from.receive_key));
  to.set_send_key_epoch(from.send_key_epoch);
  to.set_receive_key_epoch(from.receive_key_epoch);
  to.set_next_packet(from.next_packet);
  to.set_received_next(from.received_next);
  for (const std::uint64_t word : from.received) to.add_received(word);
  to.set_newest_say(from.newest_say);
  to.set_taken_says(from.taken_says);
  to.set_refused_says(from.refused_says);
  to.set_complete(from.complete);
  to.set_first_readable(from.first_readable);
}

bool read(const handover::Session& from, SessionSnapshot& to) {
  if (from.cipher() > UINT8_MAX ||
      static_cast<std::size_t>(from.received_size()) != to.received.size()) {
    return false;
  }
  to.id = from.id();
  to.cipher = static_cast<Cipher>(from.cipher());
  to.send_key_epoch = from.send_key_epoch();
  to.receive_key_epoch = from.receive_key_epoch();
  to.next_packet = from.next_packet();
  to.received_next = from.received_next();
  std::copy(from.received().begin(), from.received().end(), to.received.begin());
  to.newest_say = from.newest_say();
  to.taken_says = from.taken_says();
  to.refused_says = from.refused_says();
  to.complete = from.complete();
  to.first_readable = from.first_readable();
  return read_ip(from.ip(), to.ip) && read_bytes(from.send_key(), to.send_key) &&
         read_bytes(from.receive_key(), to.receive_key);
}

void write(const MemberSnapshot& from, handover::Member& to) {
  to.set_token(std::string(from.token.raw()));
  to.set_username(from.username);
  to.set_tcp_peer(to_string(from.tcp_peer.bytes()));
  to.set_port(from.port);
  to.set_last_heard_ms(from.last_heard_ms);
  to.set_unreachable_count(from.unreachable_count);
  to.set_via(from.via);
  to.set_behind(from.behind);
  to.set_id(from.id);
  if (from.session) write(*from.session, *to.mutable_session());
}

bool read(const handover::Member& from, MemberSnapshot& to) {
  const auto token = from.token().size() == kTokenBytes ? Token::parse(from.token()) : std::nullopt;
  if (!token || from.port() > UINT16_MAX || from.unreachable_count() > UINT8_MAX) return false;
  if (from.via() > UINT16_MAX) return false;
  to.token = *token;
  to.username = from.username();
  to.port = static_cast<std::uint16_t>(from.port());
  to.via = static_cast<std::uint16_t>(from.via());
  to.last_heard_ms = from.last_heard_ms();
  to.unreachable_count = static_cast<std::uint8_t>(from.unreachable_count());
  to.behind = from.behind();
  to.id = from.id();
  if (from.has_session() && !read(from.session(), to.session.emplace())) return false;
  return read_ip(from.tcp_peer(), to.tcp_peer);
}

void write(const EntrySnapshot& from, handover::Entry& to) {
  to.set_sender(from.sender);
  to.set_payload(from.payload);
  to.set_kind(static_cast<std::uint32_t>(from.kind));
  to.set_member(from.member);
  to.set_client_number(from.client_number);
  to.set_content_type(static_cast<std::uint32_t>(from.content_type));
  to.set_is_not_for_v1(!from.is_for_v1);
}

bool read(const handover::Entry& from, EntrySnapshot& to) {
  to.sender = from.sender();
  to.payload = from.payload();
  if (from.kind() == 0) return true;
  if (from.kind() > UINT8_MAX || from.content_type() > UINT8_MAX) return false;
  to.kind = static_cast<v2::EntryKind>(from.kind());
  to.member = from.member();
  to.client_number = from.client_number();
  to.content_type = static_cast<v2::ContentType>(from.content_type());
  to.is_for_v1 = !from.is_not_for_v1();
  return true;
}

void write(const RoomSnapshot& from, handover::Room& to) {
  to.set_name(from.name);
  if (from.password.is_required()) {
    to.set_password_salt(to_string(from.password.hash().salt));
    to.set_password_digest(to_string(from.password.hash().digest));
  }
  to.set_creator(to_string(from.creator.bytes()));
  to.set_creation_order(from.creation_order);
  to.set_host(from.host);
  to.mutable_members()->Reserve(static_cast<int>(from.members.size()));
  for (const MemberSnapshot& member : from.members) write(member, *to.add_members());
  to.set_first_entry(from.first_entry);
  for (const EntrySnapshot& entry : from.entries) write(entry, *to.add_entries());
  to.set_next_member_id(from.next_member_id);
  to.set_history_entries(from.history_entries);
  to.set_keeps_entries(from.keeps_entries);
}

// A program from before protocol v2 numbered entries from 0, and members not at all.
void number_members(RoomSnapshot& room) {
  ++room.first_entry;
  for (MemberSnapshot& member : room.members) member.id = room.next_member_id++;
}

bool read(const handover::Room& from, RoomSnapshot& to) {
  to.name = from.name();
  to.creation_order = from.creation_order();
  to.host = from.host();
  if (!from.password_salt().empty() || !from.password_digest().empty()) {
    Password::Hash hash;
    if (!read_bytes(from.password_salt(), hash.salt)) return false;
    if (!read_bytes(from.password_digest(), hash.digest)) return false;
    to.password = Password(hash);
  }
  to.members.resize(static_cast<std::size_t>(from.members_size()));
  for (int i = 0; i < from.members_size(); ++i) {
    if (!read(from.members(i), to.members[static_cast<std::size_t>(i)])) return false;
  }
  to.first_entry = from.first_entry();
  to.entries.reserve(static_cast<std::size_t>(from.entries_size()));
  for (const handover::Entry& entry : from.entries()) {
    if (!read(entry, to.entries.emplace_back())) return false;
  }
  to.history_entries = from.history_entries();
  to.keeps_entries = from.keeps_entries();
  if (from.next_member_id() != 0) {
    to.next_member_id = from.next_member_id();
  } else {
    number_members(to);
  }
  return read_ip(from.creator(), to.creator);
}

void write(const Log2Buckets& from, handover::Histogram& to) {
  for (const std::uint64_t count : from.counts()) to.add_counts(count);
}

// More buckets than we have end in the last one.
void read(const handover::Histogram& from, Log2Buckets& to) {
  for (int i = 0; i < from.counts_size(); ++i) {
    const auto bucket = std::min(static_cast<std::size_t>(i), Log2Buckets::kCount - 1);
    to.add(Log2Buckets::highest_in(bucket), from.counts(i));
  }
}

void write(const Histogram& from, handover::Histogram& to) {
  write(from.buckets, to);
  to.set_sum(from.sum);
}

void read(const handover::Histogram& from, Histogram& to) {
  read(from, to.buckets);
  to.sum = from.sum();
}

// What has a name: what one version counts and the other does not is left out.
template <class Named>
const Named* find_by_name(const google::protobuf::RepeatedPtrField<Named>& all,
                          std::string_view name) {
  const auto found =
      std::find_if(all.begin(), all.end(), [name](const Named& one) { return one.name() == name; });
  return found == all.end() ? nullptr : &*found;
}

// `each` gets every histogram with its name.
template <class AllHistograms, class Each>
void for_each_histogram(AllHistograms& histograms, const Each& each) {
  each("receivers", histograms.receivers);
  each("turn_datagrams", histograms.turn_datagrams);
  each("turn_us", histograms.turn_us);
  each("latency_us", histograms.latency_us);
}

void write(const Counters& from, handover::Shard& to) {
  for (const CounterSpec& row : counter_table()) {
    handover::Counter& written = *to.add_counters();
    written.set_name(std::string(row.name));
    written.set_value(from[row.counter]);
  }
}

void read(const handover::Shard& from, Counters& to) {
  for (const CounterSpec& row : counter_table()) {
    const auto* const found = find_by_name(from.counters(), row.name);
    if (found != nullptr) to.add(row.counter, found->value());
  }
}

void write(const RelaySnapshot& from, handover::Shard& to) {
  for (const RoomSnapshot& room : from.rooms) write(room, *to.add_rooms());
  for (const AddressSnapshot& address : from.addresses) {
    handover::Address& written = *to.add_addresses();
    written.set_ip(to_string(address.ip.bytes()));
    written.set_rooms(address.rooms);
    written.set_connections(address.connections);
  }
  if (from.reset_key) to.set_reset_key(to_string(*from.reset_key));
  write(from.counters, to);
  for_each_histogram(from.histograms, [&](const char* name, const auto& histogram) {
    handover::Histogram& written = *to.add_histograms();
    written.set_name(name);
    write(histogram, written);
  });
}

bool read(const handover::Shard& from, RelaySnapshot& to) {
  to.rooms.resize(static_cast<std::size_t>(from.rooms_size()));
  for (int i = 0; i < from.rooms_size(); ++i) {
    if (!read(from.rooms(i), to.rooms[static_cast<std::size_t>(i)])) return false;
  }
  for (const handover::Address& address : from.addresses()) {
    AddressSnapshot& read = to.addresses.emplace_back();
    read.rooms = address.rooms();
    read.connections = address.connections();
    if (!read_ip(address.ip(), read.ip)) return false;
  }
  if (!from.reset_key().empty() && !read_bytes(from.reset_key(), to.reset_key.emplace())) {
    return false;
  }
  read(from, to.counters);
  for_each_histogram(to.histograms, [&](const char* name, auto& histogram) {
    const auto* const found = find_by_name(from.histograms(), name);
    if (found != nullptr) read(*found, histogram);
  });
  return true;
}

void write(const ConnectionState& from, handover::Connection& to) {
  to.set_peer(to_string(from.peer.bytes()));
  to.set_received(from.received);
  to.set_to_send(from.to_send);
  to.set_is_over_limit(from.is_over_limit);
  to.set_is_closing(from.is_closing);
  to.set_has_shut_down(from.has_shut_down);
  to.set_has_ended(from.has_ended);
}

// Lists are shared by those who read them, here as there.
void write(const ShardState& from, handover::Shard& to) {
  std::vector<const RoomList*> lists;
  for (const ConnectionState& connection : from.connections) {
    handover::Connection& written = *to.add_connections();
    write(connection, written);
    if (!connection.list) continue;
    const auto found = std::find(lists.begin(), lists.end(), connection.list.get());
    written.set_list(static_cast<std::uint32_t>(found - lists.begin()) + 1);
    written.set_list_offset_bytes(connection.list_offset_bytes);
    if (found != lists.end()) continue;
    lists.push_back(connection.list.get());
    to.add_lists(ListReader(connection.list).read_all());
  }
  to.set_receive_drops_seen(from.receive_drops_seen);
  for (const IpAddress& peer : from.encrypted_peers)
    to.add_encrypted_peers(to_string(peer.bytes()));
}

using Lists = std::vector<std::shared_ptr<const RoomList>>;

bool read(const handover::Connection& from, const Lists& lists, ConnectionState& to) {
  if (from.list() > lists.size()) return false;
  if (from.list() > 0) {
    to.list = lists[from.list() - 1];
    if (from.list_offset_bytes() >= to.list->size_bytes()) return false;
    to.list_offset_bytes = from.list_offset_bytes();
  }
  to.received = from.received();
  to.to_send = from.to_send();
  to.is_over_limit = from.is_over_limit();
  to.is_closing = from.is_closing();
  to.has_shut_down = from.has_shut_down();
  to.has_ended = from.has_ended();
  return read_ip(from.peer(), to.peer);
}

bool read(const handover::Shard& from, ShardState& to) {
  to.receive_drops_seen = from.receive_drops_seen();
  for (const std::string& peer : from.encrypted_peers()) {
    if (!read_ip(peer, to.encrypted_peers.emplace_back())) return false;
  }
  Lists lists;
  for (const std::string& list : from.lists()) {
    lists.push_back(std::make_shared<const RoomList>(list));
  }
  to.connections.resize(static_cast<std::size_t>(from.connections_size()));
  for (int i = 0; i < from.connections_size(); ++i) {
    if (!read(from.connections(i), lists, to.connections[static_cast<std::size_t>(i)]))
      return false;
  }
  return read(from, to.relay);
}

}  // namespace

namespace {

// Or what those have said who had one.
bool has_sessions(const ServerState& state) {
  for (const ShardState& shard : state.shards) {
    for (const RoomSnapshot& room : shard.relay.rooms) {
      if (room.keeps_entries) return true;
    }
  }
  return false;
}

}  // namespace

std::string encode_state(const ServerState& state) {
  google::protobuf::Arena arena;  // a million members are not a million allocations
  auto& message = *google::protobuf::Arena::CreateMessage<handover::State>(&arena);
  message.set_format(has_sessions(state) ? kFormatWithSessions : kFormat);
  message.set_host(state.host);
  message.set_tcp_port(state.tcp_port);
  message.set_udp_port(state.udp_port);
  message.set_map_key(to_string(state.map_key));
  message.set_next_creation_order(state.next_creation_order);
  for (const LocalAddress& address : state.local_addresses) {
    handover::LocalAddress& written = *message.add_local_addresses();
    written.set_ip(to_string(address.ip.bytes()));
    written.set_interface(address.interface);
  }
  message.set_admin(state.admin);
  message.set_has_keeper(state.has_keeper);
  message.set_tls_port(state.tls_port);
  message.set_has_tls_listener(state.has_tls_listener);
  message.set_tls_certificate(state.tls_certificate);
  message.set_tls_ticket_keys(state.tls_ticket_keys);
  message.set_bans(state.bans);
  for (const ShardState& shard : state.shards) {
    handover::Shard& written = *message.add_shards();
    write(shard.relay, written);
    write(shard, written);
  }
  return message.SerializeAsString();
}

tl::expected<ServerState, std::string> decode_state(std::string_view bytes) {
  google::protobuf::Arena arena;
  auto& message = *google::protobuf::Arena::CreateMessage<handover::State>(&arena);
  if (bytes.size() > INT_MAX ||
      !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return damaged("it cannot be read");
  }
  if (message.format() < kFormat || message.format() > kFormatWithSessions) {
    return Fault("it writes its state in format " + std::to_string(message.format()) +
                 ", and this program reads format " + std::to_string(kFormatWithSessions) +
                 ": between these two versions, chatd has to be restarted");
  }
  ServerState state;
  state.host = message.host();
  state.tcp_port = static_cast<std::uint16_t>(message.tcp_port());
  state.udp_port = static_cast<std::uint16_t>(message.udp_port());
  state.next_creation_order = message.next_creation_order();
  state.admin = message.admin();
  state.has_keeper = message.has_keeper();
  state.tls_port = message.tls_port();
  state.has_tls_listener = message.has_tls_listener();
  state.tls_certificate = message.tls_certificate();
  state.tls_ticket_keys = message.tls_ticket_keys();
  state.bans = message.bans();
  if (!read_bytes(message.map_key(), state.map_key)) return damaged("it has no key");
  if (message.shards_size() < 1 || message.shards_size() > static_cast<int>(kMaxShards)) {
    return damaged("the number of shards");
  }
  for (const handover::LocalAddress& address : message.local_addresses()) {
    LocalAddress& read = state.local_addresses.emplace_back();
    read.interface = address.interface();
    if (!read_ip(address.ip(), read.ip)) return damaged("an address of the machine");
  }
  state.shards.resize(static_cast<std::size_t>(message.shards_size()));
  for (int i = 0; i < message.shards_size(); ++i) {
    if (!read(message.shards(i), state.shards[static_cast<std::size_t>(i)])) {
      return damaged("something in it is not as long as it has to be");
    }
  }
  return state;
}

}  // namespace chatd
