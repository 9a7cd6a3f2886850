// The TLS port of a shard: its connections, TLS sessions and relay as they serve, over streams in
// memory. Hostile clients send what the input says: bytes from the start; what a real client sends,
// of which a few bytes are changed, a part is missing, or all comes again; in pieces, with windows
// that are small or shut; they hang up, break off and let time pass. Beside them an honest client
// shakes hands and must be answered. What the server does must come to rest with all read that has
// come, OpenSSL's queue of errors empty and its memory bounded; each connection ends for one reason
// that is counted; and who has damaged what is sealed is heard no more.
#include <openssl/err.h>
#include <sodium/core.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/lib/request.h"
#include "client/lib/response.h"
#include "core/relay/relay.h"
#include "server/control/connections.h"
#include "server/group/shard_port.h"
#include "server/tls/certificate.h"
#include "server/tls/tls_service.h"
#include "tests/fuzz/memory_streams.h"
#include "tests/fuzz/repeatable_openssl.h"
#include "tests/fuzz/targets.h"
#include "tests/fuzz/tls_client.h"
#include "tests/model/input.h"

namespace chatd::fuzz {
namespace {

using test::Input;

constexpr int kMaxSteps = 60;
constexpr std::size_t kMaxClients = 6;
constexpr std::uint64_t kFirstEventId = 100;
// A turn reads a record, or takes a step of a handshake.
constexpr int kMaxTurnsToRest = 5'000;
// Of OpenSSL, for a connection and its client together: a ClientHello may be 128 KiB long, and room
// is made for all of it when its length is known.
constexpr std::size_t kMaxHeldBytes = 320 * 1024;

// What all runs share, as it costs a thousand times what a run does.
ShardGroup& group() {
  static const std::unique_ptr<ShardGroup> kGroup = [] {
    const std::string text = make_self_signed({}, {}).value();
    auto made = ShardGroup::open(kernel_io(), 1).value();
    made->serve_tls(TlsService::open({}, 8000, parse_certificate(text, text).value()).value());
    // Lines are made, and nobody reads them.
    spdlog::set_default_logger(spdlog::null_logger_st("fuzz_tls"));
    return made;
  }();
  return *kGroup;
}

RelayConfig small_relay() {
  RelayConfig config;
  config.limits.max_rooms = 2;
  config.limits.max_members = config.limits.max_room_members = 8;
  config.limits.max_connections = 16;
  config.limits.max_frame_bytes = 1024;
  config.ports = {.udp = 9000, .tls = 8001};
  config.message_store_blocks = 64;
  return config;
}

// Somebody at the other end of a stream.
struct Caller {
  Caller(MemoryStreams& streams, const TlsClientOptions& options)
      : fd(streams.open()), client(options) {}

  int fd;
  TlsClient client;
  bool is_gone = false;     // it has hung up, or worse
  bool is_damaged = false;  // what it has sealed has not come as it was
  bool is_narrow = false;   // it does not always take what comes
  std::string last_sent = {};
};

class TlsPort {
 public:
  TlsPort()
      : relay_(small_relay(), now_ms_),
        port_(group(), 0, relay_),
        connections_(streams_, limits_, 0, kFirstEventId, port_, log_, relay_.counters(), now_ms_),
        out_(4'096, limits_.max_room_members) {
    // A run that was broken off may have left some.
    while (group().connections() > 0) group().remove_connection();
    group().publish(0, relay_.figures());
    honest_in();
    hostile_in({});
  }

  void step(Input& decisions) {
    Caller& caller = *hostile_.back();
    switch (decisions.index(12)) {
      case 0:
        if (hostile_.size() < kMaxClients) hostile_in(options(decisions));
        break;
      case 1:
      case 2:
        send(caller, next_of(caller));
        break;
      case 3:
        send_changed(caller, decisions);
        break;
      case 4: {  // a part of it is lost
        const std::string bytes = next_of(caller);
        const std::size_t kept = std::min<std::size_t>(bytes.size(), decisions.two_bytes());
        send(caller, bytes.substr(0, kept), kept < bytes.size());
        break;
      }
      case 5: {
        const std::string_view noise = decisions.text();
        send(caller, noise, !noise.empty());
        break;
      }
      case 6:
        caller.client.say(decisions.text());
        break;
      case 7:
        send(caller, record(decisions), true);
        break;
      case 8:
        if (decisions.flag()) {
          caller.client.ask_for_new_keys();
        } else {
          caller.client.end();
        }
        break;
      case 9:
        send(caller, std::string(caller.last_sent), !caller.last_sent.empty());
        break;
      case 10:
        narrow(caller, decisions);
        break;
      default:
        depart_or_wait(caller, decisions);
        break;
    }
    go_on_with_the_honest();
  }

  void finish() {
    serve_the_honest();
    leave(*honest_);
    for (const auto& caller : hostile_) {
      streams_.take(caller->fd);
      leave(*caller);
    }
    settle();
    require(group().connections() == 0, "when all have gone, no connection is left");
    const Counters& counted = relay_.counters();
    require(counted[Counter::kConnectionsAccepted] ==
                counted[Counter::kTlsHandshakes] + failed_handshakes(),
            "each handshake ends well, or for one reason");
    require(counted[Counter::kConnectionsAccepted] == hostile_.size() + honest_count_,
            "nobody is turned away");
  }

 private:
  // --- Whom it serves ----------------------------------------------------------------------------

  void adopt(int fd) {
    group().add_connection();
    connections_.adopt(
        now_ms_,
        {.fd = UniqueFd(fd), .peer = *IpAddress::parse("127.0.0.1"), .is_encrypted = true});
  }

  void hostile_in(const TlsClientOptions& wanted) {
    hostile_.push_back(std::make_unique<Caller>(streams_, wanted));
    adopt(hostile_.back()->fd);
    settle();
  }

  TlsClientOptions options(Input& decisions) const {
    static constexpr std::string_view kProtocols[] = {"chatd/2", "chatd/2", "", "h2"};
    const std::uint8_t bits = decisions.byte();
    return {.protocol = kProtocols[bits & 3U],
            .knows_tls13 = (bits & 12U) != 12U,
            .guesses_wrong = (bits & 16U) != 0,
            .ticket = (bits & 32U) != 0 ? ticket_.get() : nullptr};
  }

  void honest_in() {
    honest_ = std::make_unique<Caller>(
        streams_, TlsClientOptions{.ticket = honest_count_ > 0 ? ticket_.get() : nullptr});
    answer_ = client::ResponseReader(client::kMaxSessionAnswerBytes);
    heard_bytes_ = 0;
    has_asked_ = is_answered_ = false;
    ++honest_count_;
    adopt(honest_->fd);
  }

  // One flight in each direction.
  void go_on_with_the_honest() {
    if (is_answered_) return;
    TlsClient& client = honest_->client;
    const std::string bytes = next_of(*honest_);
    const std::string_view said = std::string_view(client.heard()).substr(heard_bytes_);
    heard_bytes_ = client.heard().size();
    const auto answer = answer_.push(said);
    require(answer.has_value(), "what the honest hears is as it should be");
    is_answered_ = answer->has_value();
    if (!said.empty() && !std::exchange(has_asked_, true)) {
      client.say(client::encode_entry_request({.operation = Operation::kCreate,
                                               .room = "kitchen",
                                               .username = "alice",
                                               .protocol = 2}));
    }
    if (is_answered_) ticket_ = client.take_ticket();
    send(*honest_, bytes + client.take_output());
  }

  void serve_the_honest() {
    constexpr int kFlights = 6;
    for (int i = 0; i < kFlights && !is_answered_; ++i) go_on_with_the_honest();
    require(is_answered_, "whatever others send, who is honest is answered");
  }

  // --- What they send ----------------------------------------------------------------------------

  // What a client sends now that it has heard all that there was for it.
  std::string next_of(Caller& caller) {
    caller.client.hear(streams_.take(caller.fd));
    return caller.client.take_output();
  }

  // `is_wrong`: it is not what the client wants to say next. Once both sides have keys that must
  // end it.
  void send(Caller& caller, std::string_view bytes, bool is_wrong = false) {
    caller.last_sent = bytes;
    const std::uint64_t served = requests();
    const bool was_damaged = caller.is_damaged;
    if (is_wrong && !caller.client.heard().empty()) caller.is_damaged = true;
    streams_.arrive(caller.fd, bytes);
    settle();
    require(!was_damaged || caller.is_narrow || requests() == served,
            "after something that does not open nothing is heard");
  }

  void send_changed(Caller& caller, Input& decisions) {
    std::string bytes = next_of(caller);
    const std::string meant = bytes;
    for (std::size_t i = 1 + decisions.index(4); i > 0 && !bytes.empty(); --i) {
      const std::size_t at = decisions.two_bytes() % bytes.size();
      bytes[at] = static_cast<char>(bytes[at] ^ static_cast<char>(decisions.byte()));
    }
    send(caller, bytes, bytes != meant);
  }

  // With a head as it should be.
  static std::string record(Input& decisions) {
    std::string bytes{static_cast<char>(20 + decisions.index(5)), 3, 3};
    const std::string_view content = decisions.text();
    const std::size_t size_bytes = decisions.flag() ? content.size() : decisions.two_bytes();
    bytes += static_cast<char>(size_bytes >> 8);
    bytes += static_cast<char>(size_bytes);
    bytes += content;
    return bytes;
  }

  void narrow(Caller& caller, Input& decisions) {
    const std::size_t call_bytes = 1u + decisions.byte();
    const std::size_t window_bytes = 4u * decisions.byte();
    caller.is_narrow = true;
    streams_.narrow(caller.fd, call_bytes, window_bytes);
    if (decisions.flag()) streams_.interrupt(caller.fd);
  }

  void leave(Caller& caller) {
    streams_.narrow(caller.fd, SIZE_MAX, SIZE_MAX);
    streams_.hang_up(caller.fd);
    caller.is_gone = true;
  }

  void depart_or_wait(Caller& caller, Input& decisions) {
    switch (decisions.index(3)) {
      case 0:
        leave(caller);
        streams_.take(caller.fd);
        break;
      case 1:
        streams_.reset(caller.fd);
        caller.is_gone = true;
        break;
      default:
        // Time that others let pass is not the honest one's.
        serve_the_honest();
        leave(*honest_);
        settle();
        now_ms_ += TimeMs{100} * decisions.byte();
        honest_in();
        break;
    }
    settle();
  }

  // --- What comes of it --------------------------------------------------------------------------

  void settle() {
    for (int turn = 0;; ++turn) {
      require(turn < kMaxTurnsToRest, "it comes to rest");
      bool has_events = false;
      while (const auto edge = streams_.next_edge()) {
        connections_.on_connection_event(static_cast<std::uint32_t>(edge->id - kFirstEventId),
                                         edge->events);
        has_events = true;
      }
      if (!has_events && !connections_.has_work(now_ms_)) break;
      connections_.serve(now_ms_, out_);
      require(ERR_peek_error() == 0, "no error is left in OpenSSL's queue");
      out_.clear();
    }
    connections_.close_overdue(now_ms_, now_ms_);
    check_rest(*honest_);
    for (const auto& caller : hostile_) check_rest(*caller);
    require(repeatable_.held_bytes() <= (hostile_.size() + 1) * kMaxHeldBytes,
            "OpenSSL's memory is bounded");
  }

  void check_rest(const Caller& caller) {
    if (!streams_.is_open(caller.fd) || streams_.is_full(caller.fd)) return;
    require(streams_.unread_bytes(caller.fd) == 0, "all is read that has come");
    require(!caller.is_gone, "who has gone is let go");
  }

  std::uint64_t requests() const {
    const Counters& counted = relay_.counters();
    return counted[Counter::kRequestsCompleted] + counted[Counter::kRequestsRefused] +
           counted[Counter::kFramesTooLarge];
  }

  std::uint64_t failed_handshakes() const {
    std::uint64_t sum = 0;
    for (const Counter reason : {Counter::kTlsFailedPlainText, Counter::kTlsFailedOldVersion,
                                 Counter::kTlsFailedWrongProtocol, Counter::kTlsFailedPeerRefused,
                                 Counter::kTlsFailedEnded, Counter::kTlsFailedGarbage,
                                 Counter::kTlsFailedTimedOut, Counter::kTlsFailedOverLimit}) {
      sum += relay_.counters()[reason];
    }
    return sum;
  }

  RepeatableOpenSsl repeatable_;
  TimeMs now_ms_ = 1'000'000;
  const Limits limits_ = small_relay().limits;
  Relay relay_;
  ShardPort port_;
  MemoryStreams streams_;
  RateLimitedLog log_;
  Connections connections_;
  Outbox out_;

  std::unique_ptr<Caller> honest_;
  client::ResponseReader answer_{client::kMaxSessionAnswerBytes};
  std::size_t heard_bytes_ = 0;
  std::size_t honest_count_ = 0;
  bool has_asked_ = false;
  bool is_answered_ = false;
  SslSessionPtr ticket_;  // the last honest one's
  std::vector<std::unique_ptr<Caller>> hostile_;
};

}  // namespace

void fuzz_tls(std::string_view input) {
  require(sodium_init() >= 0, "libsodium starts");
  // What is made once, on the first occasion, is none of a run's memory or randomness.
  static const bool kIsWarm = [] {
    TlsPort().finish();
    return true;
  }();
  require(kIsWarm, "an honest client alone is served");
  Input decisions(input);
  TlsPort port;
  for (int i = 0; i < kMaxSteps && !decisions.at_end(); ++i) port.step(decisions);
  port.finish();
}

}  // namespace chatd::fuzz
