// A member's side of protocol v2 under a server that has its key and says anything: frames that no
// server of ours would write, in any order, and datagrams that are not sealed at all; meanwhile the
// member talks, waits, and leaves. Entries are told once and in the log's order, nothing is
// delivered that was not said, and the member sends little: it neither rushes nor falls silent.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "client/lib/log_session.h"
#include "core/crypto/packet_key.h"
#include "core/wire/v2/frames.h"
#include "tests/fuzz/targets.h"
#include "tests/model/input.h"

namespace chatd::fuzz {
namespace {

using client::LogEvent;
using client::LogSession;
using test::Input;

constexpr SessionSecret kSecret{1, 2, 3};
const v2::SessionId kSession(0, 1, 4'711);
// Whatever the server does, at one moment no more leaves than what is said (and once each), what is
// missing and what the server asked for.
constexpr std::uint64_t kMaxDatagramsAtOnce = 70;

client::SessionInfo session_info(Input& decisions) {
  client::SessionInfo info;
  info.id = kSession;
  info.secret = kSecret;
  info.reset_token = {7, 7, 7};
  info.oldest_entry = 1 + decisions.byte();
  info.next_entry = info.oldest_entry + decisions.byte();
  info.member = 2;
  info.roster = {{.id = 1, .name = "alice", .is_host = true}, {.id = 2, .name = "bob"}};
  info.idle_timeout_ms = 1'000 + decisions.two_bytes();
  return info;
}

class Conversation {
 public:
  explicit Conversation(Input& decisions)
      : decisions_(decisions),
        info_(session_info(decisions)),
        session_(info_, {.wants_history = decisions.flag()}, now_ms_),
        key_(info_.secret, Direction::kToClient) {
    take_out();
  }

  void step() {
    switch (decisions_.index(8)) {
      case 0:
      case 1:
      case 2:
        return hear(sealed(decisions_.text()));
      case 3:
        return hear(std::string(decisions_.text()));
      case 4:
        packet_number_ += decisions_.flag() ? kPacketsPerKey : decisions_.two_bytes();
        return;
      case 5:
        return say();
      case 6:
        return wait();
      default:
        if (decisions_.byte() == 0) leave();
    }
  }

  // A member that is still in the room asks whether anybody is there.
  void finish() {
    if (session_.is_over()) return;
    require(session_.next_deadline().has_value(), "a member never waits without an end");
    const std::uint64_t before = datagrams_;
    for (int i = 0; i < 100 && !session_.is_over() && datagrams_ == before; ++i) {
      now_ms_ = std::max(now_ms_, *session_.next_deadline());
      session_.on_deadline(now_ms_);
      take_out();
    }
    require(session_.is_over() || datagrams_ > before, "it asks when its time has come");
  }

 private:
  std::string sealed(std::string_view frames) {
    if (frames.empty()) return {};
    if (PacketKey::epoch_of(packet_number_) < key_.epoch()) return {};
    key_.advance_to(packet_number_);
    Sealer sealer;
    sealer.use(info_.cipher, key_);
    std::string bytes(frames.size() + v2::kOverheadBytes, '\0');
    sealer.seal(kSession, packet_number_++, frames, bytes.data());
    return bytes;
  }

  void hear(const std::string& bytes) {
    session_.on_datagram(now_ms_, bytes);
    take_out();
  }

  void say() {
    const std::string_view text = decisions_.text();
    const std::uint64_t id = session_.say(now_ms_, text);
    require((id == 0) == (text.empty() || session_.is_over()), "what can be said has a number");
    if (id != 0) {
      require(id == ++said_, "numbers follow one another");
    }
    take_out();
  }

  void wait() {
    now_ms_ += decisions_.two_bytes();
    session_.on_deadline(now_ms_);
    take_out();
  }

  void leave() {
    session_.leave();
    take_out();
  }

  void take_out() {
    std::uint64_t at_once = 0;
    while (const auto datagram = session_.next_datagram(now_ms_)) {
      require(datagram->size() <= v2::kMaxBundleBytes, "every path takes what a member sends");
      require(++at_once <= kMaxDatagramsAtOnce, "a member does not rush");
      ++datagrams_;
    }
    while (const auto event = session_.next_event()) check(*event);
    const auto deadline = session_.next_deadline();
    require(session_.is_over() != deadline.has_value(), "only what is over waits for nothing");
  }

  void check(const LogEvent& event) {
    require(!is_closed_, "after the end nothing happens");
    switch (event.kind) {
      case LogEvent::Kind::kDelivered:
      case LogEvent::Kind::kRefused:
        require(event.id >= 1 && event.id <= said_, "it was said");
        ++settled_;
        require(settled_ <= said_, "it is settled once");
        break;
      case LogEvent::Kind::kSaid:
      case LogEvent::Kind::kJoined:
      case LogEvent::Kind::kLeft:
        require(event.number > newest_, "entries are told in their order, once");
        newest_ = event.number;
        break;
      case LogEvent::Kind::kGap:
        require(event.number > newest_ && event.last_number >= event.number, "so are gaps");
        newest_ = event.last_number;
        break;
      case LogEvent::Kind::kClosed:
      case LogEvent::Kind::kUnknown:
        is_closed_ = true;
        require(session_.is_over(), "it is over");
        break;
      default:
        break;
    }
  }

  Input& decisions_;
  TimeMs now_ms_ = 1'000'000;
  client::SessionInfo info_;
  LogSession session_;
  PacketKey key_;
  std::uint64_t packet_number_ = 0;
  std::uint64_t said_ = 0;
  std::uint64_t settled_ = 0;
  std::uint64_t newest_ = 0;
  std::uint64_t datagrams_ = 0;
  bool is_closed_ = false;
};

}  // namespace

void fuzz_log_session(std::string_view input) {
  Input decisions(input);
  Conversation conversation(decisions);
  while (!decisions.at_end()) conversation.step();
  conversation.finish();
}

}  // namespace chatd::fuzz
