// How a broker's members come in, and whether it is there.
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "bench/chatbench/net/setup.h"
#include "bench/chatbench/target/broker/broker_target.h"
#include "bench/chatbench/target/join_pacer.h"
#include "bench/chatbench/workload/payload.h"
#include "client/net/wait.h"

namespace chatd::bench {
namespace {

constexpr int kBrokerTickMs = 10;

}  // namespace

tl::expected<Joined, std::string> BrokerTarget::connect() {
  const std::uint32_t members = config_.population.members();
  if (auto enough = ensure_descriptors(
          members, "fewer members: with a broker each has a TCP connection of its own");
      !enough) {
    return tl::unexpected(std::move(enough.error()));
  }
  const auto found = find_tcp_server(
      config_.host, config_.tcp_port,
      {.timeout_ms = config_.timeout_ms, .interrupt_fd = config_.interrupt_fd}, "the broker");
  if (!found) return tl::unexpected(found.error());
  address_ = *found;
  if (!config_.tls_ca_path.empty()) {
    auto tls = BrokerTls::make(config_.tls_ca_path, config_.host);
    if (!tls) return tl::unexpected(std::move(tls.error()));
    tls_ = std::move(*tls);
  }
  epoll_ = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_) {
    return tl::unexpected("cannot make an epoll instance: " + client::system_reason(errno));
  }
  connections_.resize(members);
  // Of this process alone: two runs at a time must not meet.
  const std::string stem = "bench-" + std::to_string(::getpid()) + "-";
  for (std::uint32_t room = 0; room < config_.population.rooms; ++room) {
    room_names_.push_back(stem + std::to_string(room));
  }
  if (auto done = join_all(); !done) return tl::unexpected(std::move(done.error()));
  return Joined{.members = members, .connections = members};
}

tl::expected<void, std::string> BrokerTarget::join_all() {
  const std::uint32_t members = config_.population.members();
  const JoinPacer pace(config_.joins_per_s, client::now_ms());
  std::vector<Delivery> nothing_yet;
  std::uint32_t started = 0;
  std::uint32_t told = 0;
  std::int64_t progress_ms = client::now_ms();
  while (ready_ < members) {
    const std::int64_t now_ms = client::now_ms();
    const std::uint32_t allowed =
        std::min(pace.allowed(now_ms, members), ready_ + std::max(1u, config_.connections));
    // Patience is with a broker that has been asked for something.
    if (ready_ > told || started == ready_) progress_ms = now_ms;
    told = ready_;
    for (; started < std::min(members, allowed); ++started) {
      if (auto begun = start_join(started); !begun) return begun;
    }
    arena_used_ = 0;
    nothing_yet.clear();
    read_some(nothing_yet, kBrokerTickMs);
    if (members_lost_ > 0) {
      return tl::unexpected("the broker at " + address_->to_string() +
                            " ended a connection while members joined: " + last_trouble_);
    }
    if (now_ms - progress_ms > config_.timeout_ms) {
      return tl::unexpected("only " + std::to_string(ready_) + " of " + std::to_string(members) +
                            " members got in: the broker at " + address_->to_string() +
                            " has not answered for " + std::to_string(config_.timeout_ms) + " ms");
    }
    config_.on_progress(ready_);
    if (is_readable(config_.interrupt_fd)) {
      return tl::unexpected("interrupted while members joined; " + std::to_string(ready_) +
                            " were in");
    }
  }
  return {};
}

// Whoever introduces itself is answered. What comes for members meanwhile is nobody's any more.
tl::expected<void, std::string> BrokerTarget::check_server() {
  const std::uint32_t stranger = config_.population.members();
  connections_.resize(stranger);
  connections_.resize(stranger + 1);
  const Connection& connection = connections_.back();
  if (auto begun = open(stranger, BrokerCodec::Role::kPublisher, "bench-check", "bench-check");
      !begun) {
    return tl::unexpected("the server is gone: " + begun.error());
  }
  const std::int64_t deadline_ms = client::now_ms() + kCheckPatienceMs;
  std::vector<Delivery> ignored;
  while (!connection.has_answered && !connection.is_lost && client::now_ms() < deadline_ms) {
    if (is_readable(config_.interrupt_fd)) return {};
    arena_used_ = 0;
    ignored.clear();
    read_some(ignored, kBrokerTickMs);
  }
  if (connection.has_answered) return {};
  if (connection.is_lost) return tl::unexpected("the server is gone: " + last_trouble_);
  return tl::unexpected("the broker at " + address_->to_string() + " does not answer any more");
}

tl::expected<void, std::string> BrokerTarget::start_join(std::uint32_t member) {
  connections_[member].own_name = name_word(member);
  auto begun = open(member, role_of(member), member_name(member),
                    room_names_[config_.population.room_of(member)]);
  if (begun) return {};
  return tl::unexpected("member " + std::to_string(member + 1) + ": " + begun.error());
}

tl::expected<void, std::string> BrokerTarget::open(std::uint32_t number, BrokerCodec::Role role,
                                                   std::string_view name, std::string_view room) {
  Connection& connection = connections_[number];
  auto stream = BrokerStream::connect(*address_);
  if (!stream) return tl::unexpected(std::move(stream.error()));
  connection.stream = std::move(*stream);
  // Writable is what a connection becomes when it stands: then the introduction goes out.
  connection.awaited = Awaited::kRoom;
  if (tls_ && codec_->greets_before_tls()) {
    connection.awaited = Awaited::kGreeting;
  } else if (tls_) {
    if (auto started = connection.stream.start_tls(*tls_); !started) return started;
  }
  codec_->introduce(role, name, room, connection.unsent);
  pending_bytes_ += connection.unsent.size();
  watch(number, EPOLL_CTL_ADD);
  return {};
}

void BrokerTarget::watch(std::uint32_t member, int operation) {
  const Connection& connection = connections_[member];
  epoll_event event{};
  event.events = connection.awaited == Awaited::kRoom ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.u32 = member;
  ::epoll_ctl(epoll_.get(), operation, connection.stream.fd(), &event);
}

void BrokerTarget::await(std::uint32_t member, Awaited awaited) {
  const Awaited before = std::exchange(connections_[member].awaited, awaited);
  if ((before == Awaited::kRoom) != (awaited == Awaited::kRoom)) watch(member, EPOLL_CTL_MOD);
}

}  // namespace chatd::bench
