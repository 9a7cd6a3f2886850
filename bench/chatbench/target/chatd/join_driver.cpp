#include "bench/chatbench/target/chatd/join_driver.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "bench/chatbench/net/setup.h"
#include "bench/chatbench/workload/payload.h"
#include "client/lib/request.h"
#include "client/lib/response.h"
#include "client/net/wait.h"

namespace chatd::bench {
namespace {

constexpr std::size_t kJoinReadBytes = 64 * 1024;
constexpr int kMaxJoinEvents = 64;
constexpr std::int64_t kSettleMs = 500;
constexpr int kJoinTurnMs = 5;  // the longest without a look at the rate and the members' sockets

std::string remedy_for(int status) {
  if (status == 503) {
    return ". Start it with a higher limit: --max-members, --max-rooms, --max-room-members and "
           "--max-connections are counted";
  }
  if (status == 429) {
    return ". Start it without limits against abuse: chatd --rate-limits off";
  }
  return "";
}

}  // namespace

JoinDriver::JoinDriver(const TargetConfig& config, const client::Address& server,
                       const MemberSockets& sockets, const std::vector<std::string>& rooms,
                       std::function<void()> discard)
    : config_(config),
      server_(server),
      sockets_(sockets),
      rooms_(rooms),
      discard_(std::move(discard)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      links_(std::max(1u, config.connections)),
      tokens_(config.population.members()),
      room_exists_(config.population.rooms),
      buffer_(kJoinReadBytes) {
  for (std::size_t i = links_.size(); i > 0; --i) idle_.push_back(i - 1);
}

bool JoinDriver::is_creator(std::uint32_t member) const {
  return member % config_.population.members_per_room == 0;
}

std::string JoinDriver::who(std::uint32_t member) const {
  return "member " + member_name(member) + " of room " + rooms_[config_.population.room_of(member)];
}

tl::expected<void, std::string> JoinDriver::run() {
  auto done = join_all();
  if (!done) settle();
  return done;
}

JoinDriver::Done JoinDriver::join_all() {
  progress_ms_ = client::now_ms();
  pace_.emplace(config_.joins_per_s, progress_ms_);
  while (joined_ < tokens_.size()) {
    if (auto done = open_links(); !done) return done;
    if (auto done = wait(); !done) return done;
    // Patience is with a server that has been asked for something.
    if (!resume_waiting()) progress_ms_ = client::now_ms();
    discard_();
    config_.on_progress(joined_);
    if (is_readable(config_.interrupt_fd)) {
      return tl::unexpected("interrupted while members joined; " + std::to_string(joined_) +
                            " were in");
    }
    if (client::now_ms() - progress_ms_ > config_.timeout_ms) {
      return tl::unexpected("the server at " + server_.to_string() + " has answered nothing for " +
                            std::to_string(config_.timeout_ms / 1000) + " s; " +
                            std::to_string(joined_) + " of " + std::to_string(tokens_.size()) +
                            " members are in");
    }
  }
  return {};
}

// After a failure: the answers to what has been asked already tell who is in, and has to leave.
void JoinDriver::settle() {
  const std::int64_t deadline_ms = client::now_ms() + kSettleMs;
  for (Link& link : links_) {
    while (link.is_connected && link.next_to_answer < link.next_to_send) {
      const std::int64_t left_ms = deadline_ms - client::now_ms();
      pollfd waiting{.fd = link.socket.get(), .events = POLLIN, .revents = 0};
      if (left_ms <= 0 || ::poll(&waiting, 1, static_cast<int>(left_ms)) <= 0) return;
      // A further refusal counts as an answer; a connection that broke gives none any more.
      const std::uint32_t answered = link.next_to_answer;
      if (!read(link) && link.next_to_answer == answered) break;
    }
  }
}

JoinDriver::Done JoinDriver::open_links() {
  // No sooner than the first of its joins may be asked for: a server does not wait for ever.
  while (!idle_.empty() && next_member_ < tokens_.size() && next_member_ < allowed()) {
    const std::size_t index = idle_.back();
    if (auto done = open_link(index); !done) return done;
    idle_.pop_back();
  }
  return {};
}

JoinDriver::Done JoinDriver::open_link(std::size_t index) {
  Link& link = links_[index];
  const auto fail = [this](const char* what) {
    const int error = errno;
    std::string text =
        std::string(what) + " " + server_.to_string() + ": " + client::system_reason(error);
    if (error == EMFILE || error == ENFILE) text += " (raise it with ulimit -n)";
    if (error == EADDRNOTAVAIL) {
      text +=
          " (no port is left: more --joins-per-connection, or sysctl -w "
          "net.ipv4.ip_local_port_range='1024 65535')";
    }
    return tl::unexpected(std::move(text));
  };
  link = Link{};
  link.next_to_send = next_member_;
  link.next_to_answer = next_member_;
  const std::uint32_t shared = sockets_.members_per_address();
  const std::uint32_t address_end = (next_member_ / shared + 1) * shared;
  link.end = std::min({next_member_ + std::max(1u, config_.joins_per_connection), address_end,
                       static_cast<std::uint32_t>(tokens_.size())});
  link.socket = UniqueFd(::socket(server_.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!link.socket) return fail("cannot open a TCP socket for");
  const int fd = link.socket.get();
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (const auto source = sockets_.source_of(next_member_)) {
    // The port is chosen by connect(), which may give one that another destination uses.
    ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (::bind(fd, source->get(), source->size_bytes()) != 0) return fail("cannot call");
  }
  if (::connect(fd, server_.get(), server_.size_bytes()) != 0 && errno != EINPROGRESS) {
    return fail("cannot reach");
  }
  epoll_event event{};
  event.events = link.events = EPOLLIN | EPOLLOUT;
  event.data.u64 = index;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return fail("cannot watch");
  next_member_ = link.end;
  ++opened_;
  return {};
}

JoinDriver::Done JoinDriver::wait() {
  std::array<epoll_event, kMaxJoinEvents> events;
  const int count = ::epoll_wait(epoll_.get(), events.data(), kMaxJoinEvents, kJoinTurnMs);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    const std::size_t index = event.data.u64;
    Link& link = links_[index];
    if (auto done = serve(link, event.events); !done) return done;
    if (link.next_to_answer == link.end) {
      close(link);
      idle_.push_back(index);
    }
  }
  return {};
}

JoinDriver::Done JoinDriver::serve(Link& link, std::uint32_t events) {
  if (!link.is_connected) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(link.socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
      return tl::unexpected("cannot reach " + server_.to_string() + ": " +
                            client::system_reason(error) +
                            (error == ECONNREFUSED ? " (is chatd running there?)" : ""));
    }
    link.is_connected = (events & EPOLLOUT) != 0;
  }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0) {
    if (auto done = read(link); !done) return done;
  }
  ask(link);
  return write(link);
}

JoinDriver::Done JoinDriver::read(Link& link) {
  const ssize_t count = ::recv(link.socket.get(), buffer_.data(), buffer_.size(), 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return {};
  if (count <= 0) {
    return tl::unexpected("the server closed the connection of " + who(link.next_to_answer) +
                          " before it answered");
  }
  link.received.append(buffer_.data(), static_cast<std::size_t>(count));
  return take_answers(link);
}

JoinDriver::Done JoinDriver::take_answers(Link& link) {
  std::size_t consumed = 0;
  Done done;
  while (done) {
    const DecodedFrame decoded = decode_frame(std::string_view(link.received).substr(consumed),
                                              client::kMaxEntryAnswerBytes);
    if (decoded.status == FrameStatus::kTooLarge) {
      return tl::unexpected("what answers at " + server_.to_string() +
                            " does not speak chatd's protocol");
    }
    if (decoded.status == FrameStatus::kIncomplete) break;
    // Before each outcome come the greeting, or an "accepted".
    if (decoded.frame.is(FrameState::kCompleted)) done = take_answer(link, decoded.frame);
    consumed += decoded.size_bytes;
  }
  link.received.erase(0, consumed);
  return done;
}

JoinDriver::Done JoinDriver::take_answer(Link& link, const FrameView& frame) {
  if (link.next_to_answer == link.end) {
    return tl::unexpected("the server at " + server_.to_string() +
                          " answers more than it was asked");
  }
  const std::uint32_t member = link.next_to_answer++;
  const auto entry = client::parse_entry_answer(frame.payload);
  if (!entry) {
    const client::Error& error = entry.error();
    const std::string status = error.status == 0 ? "" : std::to_string(error.status) + " ";
    return tl::unexpected("the server refused " + who(member) + ": " + status + error.reason +
                          remedy_for(error.status));
  }
  tokens_[member] = entry->token;
  if (is_creator(member)) room_exists_[config_.population.room_of(member)] = true;
  ++joined_;
  progress_ms_ = client::now_ms();
  return {};
}

// Writes down the requests that may go out by now.
void JoinDriver::ask(Link& link) {
  link.waits = false;
  if (!link.is_connected) return;
  for (; link.next_to_send < link.end; ++link.next_to_send) {
    const std::uint32_t member = link.next_to_send;
    const std::uint32_t room = config_.population.room_of(member);
    if ((!is_creator(member) && !room_exists_[room]) || !may_send_one()) {
      link.waits = true;
      return;
    }
    // No `ip`: the address that the connection comes from, which is the member's.
    link.to_send += client::encode_entry_request(
        {.operation = is_creator(member) ? Operation::kCreate : Operation::kJoin,
         .room = rooms_[room],
         .username = member_name(member),
         .password = "",
         .udp_ip = "",
         .udp_port = sockets_.port_of(member)});
  }
}

bool JoinDriver::resume_waiting() {
  bool is_owed = false;
  for (Link& link : links_) {
    if (link.waits) {
      ask(link);
      // What goes wrong is found out by the next event.
      (void)write(link);
    }
    is_owed =
        is_owed || (link.socket && (!link.is_connected || link.next_to_answer < link.next_to_send));
  }
  return is_owed;
}

std::uint32_t JoinDriver::allowed() const {
  return pace_->allowed(client::now_ms(), static_cast<std::uint32_t>(tokens_.size()));
}

bool JoinDriver::may_send_one() {
  if (config_.joins_per_s > 0 && asked_ >= allowed()) return false;
  ++asked_;
  return true;
}

JoinDriver::Done JoinDriver::write(Link& link) {
  std::size_t sent = 0;
  while (link.is_connected && sent < link.to_send.size()) {
    const ssize_t count = ::send(link.socket.get(), link.to_send.data() + sent,
                                 link.to_send.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) break;  // full, or broken: reading tells which
    sent += static_cast<std::size_t>(count);
  }
  link.to_send.erase(0, sent);
  watch(link);
  return {};
}

void JoinDriver::watch(Link& link) {
  const std::uint32_t events =
      !link.is_connected || !link.to_send.empty() ? EPOLLIN | EPOLLOUT : EPOLLIN;
  if (events == link.events) return;
  link.events = events;
  epoll_event event{};
  event.events = events;
  event.data.u64 = static_cast<std::uint64_t>(&link - links_.data());
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, link.socket.get(), &event);
}

void JoinDriver::close(Link& link) {
  link = Link{};
}

}  // namespace chatd::bench
