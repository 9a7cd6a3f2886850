// chatd_handshakes: clients of a TLS port, so many a second, that shake hands, hear the greeting
// and go. An open loop: they come when they are due, however long the others take. What it costs
// the talk of others chatbench measures beside it (perf/handshakes).
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <unordered_map>
#include <vector>

#include "client/net/unique_fd.h"

namespace chatd::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::uint16_t port = 8001;
  unsigned rate = 500;
  double seconds = 10;
};

struct Free {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

struct Visitor {
  UniqueFd fd;
  std::unique_ptr<SSL, Free> ssl;
  Clock::time_point due;
};

class Visitors {
 public:
  explicit Visitors(const Options& options)
      : options_(options), context_(SSL_CTX_new(TLS_client_method())), epoll_(epoll_create1(0)) {
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_3_VERSION);
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_OFF);
  }

  void run() {
    const Clock::time_point began = Clock::now();
    const auto total = static_cast<std::uint64_t>(options_.rate * options_.seconds);
    constexpr auto kPatience = std::chrono::seconds(5);
    Clock::time_point last = began;
    for (std::uint64_t next = 0; next < total || !visitors_.empty();) {
      const Clock::time_point now = Clock::now();
      if (next == total && now - last > kPatience) break;
      for (; next < total && due(began, next) <= now; ++next) {
        come(due(began, next));
        last = now;
      }
      wait();
    }
    failed_ += visitors_.size();
  }

  void report() {
    std::sort(times_us_.begin(), times_us_.end());
    const auto at = [this](double share) {
      if (times_us_.empty()) return 0L;
      return times_us_[std::min(
          times_us_.size() - 1,
          static_cast<std::size_t>(share * static_cast<double>(times_us_.size())))];
    };
    std::printf("{\"completed\": %zu, \"failed\": %zu, \"p50_us\": %ld, \"p99_us\": %ld}\n",
                times_us_.size(), failed_, at(0.5), at(0.99));
  }

 private:
  Clock::time_point due(Clock::time_point began, std::uint64_t number) const {
    return began + std::chrono::nanoseconds(number * 1'000'000'000 / options_.rate);
  }

  void come(Clock::time_point due) {
    UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(options_.port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (!fd || (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 &&
                errno != EINPROGRESS)) {
      ++failed_;
      return;
    }
    // It goes without leaving a port behind that nobody can use for a minute.
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    std::unique_ptr<SSL, Free> ssl(SSL_new(context_.get()));
    SSL_set_fd(ssl.get(), fd.get());
    SSL_set_connect_state(ssl.get());
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.fd = fd.get();
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd.get(), &event);
    const int key = fd.get();
    visitors_[key] = {.fd = std::move(fd), .ssl = std::move(ssl), .due = due};
  }

  void wait() {
    std::array<epoll_event, 64> events;
    const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), 1);
    for (int i = 0; i < count; ++i) go_on(events[static_cast<std::size_t>(i)].data.fd);
  }

  void go_on(int key) {
    Visitor& visitor = visitors_[key];
    char greeting[4096];
    const int result = SSL_read(visitor.ssl.get(), greeting, sizeof greeting);
    if (result <= 0 && SSL_get_error(visitor.ssl.get(), result) == SSL_ERROR_WANT_READ) return;
    if (result > 0) {
      const auto took = Clock::now() - visitor.due;
      times_us_.push_back(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
    } else {
      ++failed_;
    }
    visitors_.erase(key);
  }

  const Options options_;
  std::unique_ptr<SSL_CTX, Free> context_;
  UniqueFd epoll_;
  std::unordered_map<int, Visitor> visitors_;
  std::vector<long> times_us_;
  std::size_t failed_ = 0;
};

int run(int argc, char** argv) {
  Options options;
  CLI::App app("Clients of a TLS port that shake hands, hear the greeting and go");
  app.add_option("--port", options.port, "The TLS port, on 127.0.0.1")->required();
  app.add_option("--rate", options.rate, "Handshakes per second");
  app.add_option("--seconds", options.seconds, "For how long");
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGPIPE, SIG_IGN);
  Visitors visitors(options);
  visitors.run();
  visitors.report();
  return 0;
}

}  // namespace
}  // namespace chatd::bench

int main(int argc, char** argv) {
  return chatd::bench::run(argc, argv);
}
