// A relay with a member of protocol v2 who has a key and sends anything under it: frames of all
// kinds and none, at any packet number, from any address; what is not sealed; and time, hand-overs
// and new sessions between. Beside it an honest member talks over a network that loses nothing: it
// must get every entry once, in order, without a gap, and each thing that it says must arrive. What
// the other one draws is bounded.
#include <sodium/core.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "client/lib/log_session.h"
#include "client/lib/request.h"
#include "client/lib/response.h"
#include "core/crypto/packet_key.h"
#include "core/relay/relay.h"
#include "tests/fuzz/targets.h"
#include "tests/model/input.h"

namespace chatd::fuzz {
namespace {

using client::LogEvent;
using client::LogSession;
using test::Input;

constexpr int kMaxSteps = 200;
// One HAVE's repair (and a GAP for each range), what the room's turn brings for one datagram of
// SAYs, an answer, a challenge.
constexpr std::size_t kMaxDrawnBytes = std::size_t{15} * 1'200;
constexpr std::size_t kMaxDrawnDatagrams = 32;

RelayConfig config_of(Input& decisions) {
  RelayConfig config;
  config.limits.abuse = AbuseLimits::none();
  if (decisions.flag()) config.limits.abuse.max_member_messages_per_s = 50;
  config.limits.max_rooms = 2;
  config.limits.max_members = config.limits.max_room_members = 8;
  config.limits.history_entries = 1u + decisions.byte();
  config.ports = {.udp = 9000, .tls = 8001};
  config.message_store_blocks = 4096;
  return config;
}

Endpoint local(std::uint16_t port) {
  return {.ip = *IpAddress::parse("127.0.0.1"), .port = port};
}

class Room {
 public:
  explicit Room(Input& decisions)
      : decisions_(decisions),
        config_(config_of(decisions)),
        relay_(std::make_unique<Relay>(config_, now_ms_)),
        out_(4'096, config_.limits.max_room_members) {
    const auto alice = join("alice", kAlice, Operation::kCreate, {});
    require(alice.has_value(), "a room can be made");
    alice_.emplace(*alice->session, client::LogSessionOptions{}, now_ms_);
    newest_ = alice->session->next_entry - 1;
    mallory_in();
    exchange();
  }

  void step() {
    drawn_bytes_ = drawn_datagrams_ = 0;
    switch (decisions_.index(10)) {
      case 0:
      case 1:
      case 2:
        return send(sealed(decisions_.text()));
      case 3:
        return send_unsealed(std::string(decisions_.text()));
      case 4:
        packet_number_ += decisions_.flag() ? kPacketsPerKey : decisions_.two_bytes();
        return;
      case 5:
        mallory_.port = static_cast<std::uint16_t>(20'000 + decisions_.index(4));
        mallory_.ip = decisions_.flag() ? *IpAddress::parse("192.0.2.7") : kAlice.ip;
        return;
      case 6:
        alice_->say(now_ms_, "hello");
        ++said_;
        return exchange();
      case 7:
        now_ms_ += TimeMs{10} * decisions_.byte();
        return exchange();
      case 8:
        return send_unsealed(last_);
      default:
        return decisions_.flag() ? hand_over() : mallory_in();
    }
  }

  void finish() {
    for (int i = 0; i < 200 && settled_ < said_; ++i) {
      now_ms_ += 100;
      exchange();
    }
    require(settled_ == said_, "whatever another member does, who is honest is heard");
    require(!alice_->is_over(), "and stays");
    const Room* const self = this;
    require(self->alice_->complete() == head() - 1, "and has everything");
  }

 private:
  static inline const Endpoint kAlice = local(10'000);

  std::uint64_t head() const {
    return relay_->roster().rooms()[relay_->roster().oldest_room()].log.head();
  }

  std::optional<client::Entry> join(const char* name, const Endpoint& from, Operation operation,
                                    const std::optional<Token>& seat) {
    const std::string bytes = client::encode_entry_request({.operation = operation,
                                                            .room = "kitchen",
                                                            .username = name,
                                                            .token = seat,
                                                            .protocol = 2,
                                                            .history_entries = 100});
    const DecodedFrame frame = decode_frame(bytes, 16'384);
    PeerShards nobody;
    std::string reply;
    relay_->on_request(now_ms_, {.is_encrypted = true}, from.ip, frame.frame, nobody, reply, out_);
    exchange();
    client::ResponseReader reader(client::kMaxSessionAnswerBytes);
    const auto answer = reader.push(reply);
    if (!answer || !*answer) return std::nullopt;
    auto entry = client::parse_entry_answer(**answer);
    if (!entry || !entry->session) return std::nullopt;
    return std::move(*entry);
  }

  // For the first time, or again to the same seat, if there is one still.
  void mallory_in() {
    auto entry = join("mallory", mallory_, Operation::kJoin, seat_);
    if (!entry) entry = join("mallory", mallory_, Operation::kJoin, {});
    if (!entry) return;
    seat_ = entry->token;
    session_ = std::move(*entry->session);
    key_ = PacketKey(session_.secret, Direction::kToServer);
    packet_number_ = 0;
  }

  std::string sealed(std::string_view frames) {
    if (frames.empty() || PacketKey::epoch_of(packet_number_) < key_.epoch()) return {};
    key_.advance_to(packet_number_);
    Sealer sealer;
    sealer.use(session_.cipher, key_);
    std::string bytes(frames.size() + v2::kOverheadBytes, '\0');
    sealer.seal(session_.id, packet_number_++, frames, bytes.data());
    last_ = bytes;
    return bytes;
  }

  void send(const std::string& bytes) {
    deliver(mallory_, bytes);
    exchange();
    require(drawn_bytes_ <= kMaxDrawnBytes, "a datagram draws so much, and no more");
    require(drawn_datagrams_ <= kMaxDrawnDatagrams, "and so many");
  }

  // What is not sealed under the member's key, or was sent before: changes nothing, and draws no
  // more than it is long.
  void send_unsealed(const std::string& bytes) {
    const Counters& counters = relay_->counters();
    const std::uint64_t opened = counters[Counter::kSealedDatagrams];
    const std::uint64_t accepted = counters[Counter::kMessagesAccepted];
    deliver(mallory_, bytes);
    require(counters[Counter::kSealedDatagrams] == opened, "it does not open");
    require(counters[Counter::kMessagesAccepted] == accepted, "it changes nothing");
    drawn_bytes_ = 0;
    empty_outbox();
    require(drawn_bytes_ <= bytes.size(), "it draws no more than it is long");
    exchange();
  }

  void deliver(const Endpoint& from, std::string_view bytes) {
    std::string padded(bytes);
    padded.append(kPayloadPaddingBytes, '}');
    relay_->on_datagram(now_ms_, from, std::string_view(padded).substr(0, bytes.size()), out_);
  }

  // All that alice and the relay have for each other.
  void exchange() {
    relay_->on_deadline(now_ms_, out_);
    for (bool has_more = true; has_more;) {
      do {
        relay_->serve_rooms(out_);
        empty_outbox();
      } while (relay_->has_waiting());
      if (!alice_) return;
      alice_->on_deadline(now_ms_);
      has_more = false;
      while (const auto datagram = alice_->next_datagram(now_ms_)) {
        deliver(kAlice, *datagram);
        has_more = true;
      }
      has_more = has_more || !out_.is_empty();
      while (const auto event = alice_->next_event()) check(*event);
    }
  }

  void empty_outbox() {
    for (const Outbox::SendGroup& group : out_.groups()) {
      for (const Endpoint& to : out_.destinations(group)) {
        require(to.port != 0, "nothing goes to an address that is not known");
        for (const Outbox::Train& train : out_.trains(group)) take_train(train, to);
      }
    }
    out_.clear();
  }
  void take_train(const Outbox::Train& train, const Endpoint& to) {
    for (std::uint32_t i = 0; i < train.message_count; ++i) {
      const std::string_view bytes = out_.message(train, i);
      if (to == kAlice) {
        if (alice_) alice_->on_datagram(now_ms_, bytes);
      } else {
        drawn_bytes_ += bytes.size();
        ++drawn_datagrams_;
      }
    }
  }

  void check(const LogEvent& event) {
    switch (event.kind) {
      case LogEvent::Kind::kDelivered:
      case LogEvent::Kind::kRefused:
        ++settled_;
        break;
      case LogEvent::Kind::kSaid:
      case LogEvent::Kind::kJoined:
      case LogEvent::Kind::kLeft:
        require(event.number > newest_, "in order, and once");
        newest_ = event.number;
        break;
      case LogEvent::Kind::kGap:
        require(false, "nothing is lost to who loses nothing");
        break;
      default:
        break;
    }
  }

  void hand_over() {
    while (!relay_->prepare_snapshot(out_)) empty_outbox();
    empty_outbox();
    const RelaySnapshot snapshot = relay_->snapshot();
    config_.seed[0] = static_cast<std::uint8_t>(config_.seed[0] + 1);
    relay_ = std::make_unique<Relay>(config_, now_ms_);
    require(relay_->restore(snapshot).has_value(), "what is handed over can be taken over");
  }

  Input& decisions_;
  TimeMs now_ms_ = 1'000'000;
  RelayConfig config_;
  std::unique_ptr<Relay> relay_;
  Outbox out_;
  std::optional<LogSession> alice_;
  std::uint64_t newest_ = 0;
  std::uint64_t said_ = 0;
  std::uint64_t settled_ = 0;

  Endpoint mallory_ = local(20'000);
  std::optional<Token> seat_;
  client::SessionInfo session_;
  PacketKey key_;
  std::uint64_t packet_number_ = 0;
  std::string last_;
  std::size_t drawn_bytes_ = 0;
  std::size_t drawn_datagrams_ = 0;
};

}  // namespace

void fuzz_sealed_frames(std::string_view input) {
  require(sodium_init() >= 0, "libsodium starts");
  Input decisions(input);
  Room room(decisions);
  for (int i = 0; i < kMaxSteps && !decisions.at_end(); ++i) room.step();
  room.finish();
}

}  // namespace chatd::fuzz
