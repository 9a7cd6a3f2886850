#include "bench/chatbench/target/broker/codec.h"

#include <optional>

namespace chatd::bench {
namespace {

using Kind = BrokerItem::Kind;

// Packet types with their flags, section 2.1.
constexpr char kConnect = 0x10;
constexpr unsigned char kConnack = 0x20;
constexpr char kPublish = 0x30;
constexpr char kSubscribe = static_cast<char>(0x82);
constexpr unsigned char kSuback = 0x90;
constexpr unsigned char kDisconnect = 0xe0;
constexpr char kPingRequest = static_cast<char>(0xc0);
constexpr unsigned char kPingResponse = 0xd0;
constexpr unsigned kTypeMask = 0xf0;
constexpr unsigned kQosMask = 0x06;

constexpr char kNoLocal = 0x04;  // section 3.8.3.1, with QoS 0

void append_u16(std::size_t value, std::string& out) {
  out.push_back(static_cast<char>(value >> 8));
  out.push_back(static_cast<char>(value & 0xff));
}

void append_text(std::string_view text, std::string& out) {
  append_u16(text.size(), out);
  out.append(text);
}

// A variable byte integer, section 1.5.5.
void append_length(std::size_t value, std::string& out) {
  while (value > 0x7f) {
    out.push_back(static_cast<char>((value & 0x7f) | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

void append_packet(char type, std::string_view body, std::string& out) {
  out.push_back(type);
  append_length(body.size(), out);
  out.append(body);
}

// Reads from the beginning of `bytes` and moves it on.
class PacketReader {
 public:
  explicit PacketReader(std::string_view bytes) : bytes_(bytes) {}

  std::optional<unsigned char> byte() {
    if (bytes_.empty()) return std::nullopt;
    const auto value = static_cast<unsigned char>(bytes_.front());
    bytes_.remove_prefix(1);
    return value;
  }

  // `is_malformed`: more than the four bytes that it may have.
  std::optional<std::size_t> length(bool& is_malformed) {
    std::size_t value = 0;
    for (unsigned shift = 0; shift < 28; shift += 7) {
      const auto next = byte();
      if (!next) return std::nullopt;
      value |= std::size_t{*next & 0x7fu} << shift;
      if (*next < 0x80) return value;
    }
    is_malformed = true;
    return std::nullopt;
  }

  bool skip(std::size_t count) {
    if (bytes_.size() < count) return false;
    bytes_.remove_prefix(count);
    return true;
  }

  std::string_view rest() const { return bytes_; }

 private:
  std::string_view bytes_;
};

// The payload of a PUBLISH's body: topic, properties, payload (section 3.3).
std::optional<std::string_view> payload_of(std::string_view body, unsigned flags) {
  PacketReader reader(body);
  const auto high = reader.byte();
  const auto low = reader.byte();
  if (!high || !low || !reader.skip(std::size_t{*high} << 8 | *low)) return std::nullopt;
  if ((flags & kQosMask) != 0 && !reader.skip(2)) return std::nullopt;  // a packet identifier
  bool is_malformed = false;
  const auto properties = reader.length(is_malformed);
  if (!properties || !reader.skip(*properties)) return std::nullopt;
  return reader.rest();
}

// What a broker may say to clients such as these.
bool is_known(unsigned type) {
  return type == kConnack || type == kSuback || type == kPingResponse || type == kDisconnect ||
         type == static_cast<unsigned char>(kPublish);
}

// The last byte of a CONNACK's second, or of a SUBACK: from 0x80 on it is a refusal.
bool is_refused(unsigned type, std::string_view body) {
  if (type == kConnack) return body.size() < 2 || static_cast<unsigned char>(body[1]) >= 0x80;
  return body.size() < 3 || static_cast<unsigned char>(body.back()) >= 0x80;
}

}  // namespace

// CONNECT and what follows go out together (section 3.1.4 allows it). Who only publishes is ready
// with the answer to a ping.
void MqttCodec::introduce(Role role, std::string_view name, std::string_view room,
                          std::string& out) const {
  std::string body;
  append_text("MQTT", body);
  body.push_back(5);     // version
  body.push_back(0x02);  // clean start
  append_u16(0, body);   // no keep-alive
  append_length(0, body);
  append_text(name, body);
  append_packet(kConnect, body, out);
  if (role == Role::kPublisher) return append_packet(kPingRequest, "", out);

  body.clear();
  append_u16(1, body);  // packet identifier
  append_length(0, body);
  append_text(room, body);
  body.push_back(kNoLocal);
  append_packet(kSubscribe, body, out);
}

void MqttCodec::publish(std::string_view room, std::string_view payload, std::string& out) const {
  out.push_back(kPublish);
  append_length(2 + room.size() + 1 + payload.size(), out);
  append_text(room, out);
  append_length(0, out);
  out.append(payload);
}

BrokerItem MqttCodec::next_item(std::string_view buffer) const {
  PacketReader reader(buffer);
  const auto first = reader.byte();
  if (!first) return {};
  const BrokerItem malformed{
      .kind = Kind::kError, .size_bytes = buffer.size(), .text = "this is not MQTT speaking"};
  const unsigned type = *first & kTypeMask;
  bool is_malformed = !is_known(type);
  const auto size = reader.length(is_malformed);
  if (is_malformed) return malformed;
  if (!size || reader.rest().size() < *size) return {};
  const std::string_view body = reader.rest().substr(0, *size);
  const std::size_t header_bytes = buffer.size() - reader.rest().size();

  BrokerItem item{.kind = Kind::kIgnored, .size_bytes = header_bytes + *size};
  switch (type) {
    case static_cast<unsigned char>(kPublish): {
      const auto payload = payload_of(body, *first);
      if (!payload) return malformed;
      item.kind = Kind::kMessage;
      item.text = *payload;
      return item;
    }
    case kConnack:
    case kSuback:
      if (is_refused(type, body)) {
        item.kind = Kind::kError;
        item.text = "the broker refuses (it must speak MQTT 5 and allow anonymous clients)";
      } else if (type == kSuback) {
        item.kind = Kind::kReady;
      }
      return item;
    case kPingResponse:
      item.kind = Kind::kReady;
      return item;
    default:
      item.kind = Kind::kError;
      item.text = "the broker disconnects";
      return item;
  }
}

}  // namespace chatd::bench
