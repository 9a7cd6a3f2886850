#include "bench/chatbench/target/broker/codec.h"

#include <charconv>
#include <system_error>

namespace chatd::bench {
namespace {

using Kind = BrokerItem::Kind;

// `line` is "MSG subject sid [reply-to] size", and the payload follows in `buffer`.
BrokerItem message_of(std::string_view buffer, std::string_view line) {
  const std::string_view size_text = line.substr(line.rfind(' ') + 1);
  std::size_t size = 0;
  const auto [end, error] =
      std::from_chars(size_text.data(), size_text.data() + size_text.size(), size);
  if (error != std::errc() || end != size_text.data() + size_text.size()) {
    return {.kind = Kind::kError, .size_bytes = buffer.size(), .text = line};
  }
  const std::size_t begin = line.size() + kLineEnd.size();
  if (size > buffer.size() || buffer.size() - begin < size + kLineEnd.size()) return {};
  return {.kind = Kind::kMessage,
          .size_bytes = begin + size + kLineEnd.size(),
          .text = buffer.substr(begin, size)};
}

}  // namespace

// The broker's INFO is not waited for, and the PONG says that everything before it has been done.
void NatsCodec::introduce(Role role, std::string_view name, std::string_view room,
                          std::string& out) const {
  out.append(R"(CONNECT {"verbose":false,"pedantic":false,"echo":false,"protocol":1,)");
  out.append(R"("lang":"chatbench","version":"1","name":")").append(name).append("\"}\r\n");
  if (role != Role::kPublisher) out.append("SUB ").append(room).append(" 1\r\n");
  out.append("PING\r\n");
}

void NatsCodec::publish(std::string_view room, std::string_view payload, std::string& out) const {
  out.append("PUB ").append(room).append(" ").append(std::to_string(payload.size()));
  out.append(kLineEnd).append(payload).append(kLineEnd);
}

BrokerItem NatsCodec::next_item(std::string_view buffer) const {
  const std::size_t end = buffer.find(kLineEnd);
  if (end == std::string_view::npos) return {};
  const std::string_view line = buffer.substr(0, end);
  if (line.starts_with("MSG ")) return message_of(buffer, line);
  BrokerItem item{.kind = Kind::kIgnored, .size_bytes = end + kLineEnd.size()};
  if (line == "PONG") item.kind = Kind::kReady;
  if (line == "PING") item.kind = Kind::kPing;
  if (line.starts_with("-ERR")) {
    item.kind = Kind::kError;
    item.text = line;
  } else if (item.kind == Kind::kIgnored && line != "+OK" && !line.starts_with("INFO ")) {
    item = {.kind = Kind::kError, .size_bytes = buffer.size(), .text = "this is not NATS speaking"};
  }
  return item;
}

}  // namespace chatd::bench
