// From a name to a connection: several addresses, some of them dead, and an end that somebody
// wants.
#include "client/net/tcp_connection.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "client/net/wait.h"
#include "server/os/unique_fd.h"
#include "tests/support/socket_address.h"

namespace {

// What a lookup of "hanging.test" waits for. Never closed: a lookup may outlive its test.
const int release_lookups = ::eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE);
std::atomic<int> hanging = 0;

}  // namespace

// Stands before the C library's, for this program.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  const bool is_name = hints == nullptr || (hints->ai_flags & AI_NUMERICHOST) == 0;
  if (is_name && std::string_view(node) == "hanging.test") {
    ++hanging;
    eventfd_t value = 0;
    ::eventfd_read(release_lookups, &value);
    --hanging;
    return EAI_AGAIN;
  }
  return real(node, service, hints, found);
}

namespace chatd::client {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kPatienceMs = 20'000;

Address address(const std::string& ip, std::uint16_t port) {
  return resolve(ip, port, now_ms(), -1).value().front();
}

// Listens, and takes no more than its kernel does by itself.
class Listener {
 public:
  explicit Listener(const std::string& ip, std::uint16_t port = 0, int backlog = 16)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const test::SocketAddress at(ip, port);
    EXPECT_EQ(::bind(fd_.get(), at.get(), at.size()), 0);
    EXPECT_EQ(::listen(fd_.get(), backlog), 0);
  }
  std::uint16_t port() const { return test::SocketAddress::local_of(fd_.get()).port(); }

 private:
  UniqueFd fd_;
};

// An address that answers nothing at all, as a host that is down: its queue is full, and the kernel
// drops what asks for a place in it.
class SilentListener {
 public:
  SilentListener(const std::string& ip, std::uint16_t port) : listener_(ip, port, 0) {
    const test::SocketAddress at(ip, port);
    for (UniqueFd& caller : callers_) {
      caller = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      (void)::connect(caller.get(), at.get(), at.size());
    }
  }

 private:
  Listener listener_;
  std::array<UniqueFd, 8> callers_;
};

TEST(Connector, TakesTheFirstThatAccepts) {
  const Listener listener("127.0.0.1");
  const auto connected =
      connect_to_any({address("127.0.0.1", listener.port())}, now_ms() + kPatienceMs, -1);
  ASSERT_TRUE(connected) << connected.error().reason;
  EXPECT_EQ(connected->peer.to_string(), "127.0.0.1:" + std::to_string(listener.port()));
}

TEST(Connector, GoesOnAtOnceWhenOneIsRefused) {
  const Listener listener("127.0.0.1");
  const std::int64_t begin_ms = now_ms();
  const auto connected =
      connect_to_any({address("127.0.0.9", listener.port()), address("127.0.0.8", listener.port()),
                      address("127.0.0.1", listener.port())},
                     now_ms() + kPatienceMs, -1);
  ASSERT_TRUE(connected) << connected.error().reason;
  EXPECT_EQ(connected->peer.ip(), "127.0.0.1");
  EXPECT_LT(now_ms() - begin_ms, kPatienceMs / 2);
}

TEST(Connector, DoesNotWaitForOneThatIsSilent) {
  const Listener listener("127.0.0.1");
  const SilentListener silent("127.0.0.9", listener.port());
  const std::int64_t begin_ms = now_ms();
  const auto connected =
      connect_to_any({address("127.0.0.9", listener.port()), address("127.0.0.1", listener.port())},
                     now_ms() + kPatienceMs, -1);
  ASSERT_TRUE(connected) << connected.error().reason;
  EXPECT_EQ(connected->peer.ip(), "127.0.0.1");
  EXPECT_GE(now_ms() - begin_ms, 240);
  EXPECT_LT(now_ms() - begin_ms, kPatienceMs / 2);
}

TEST(Connector, TellsOfEachWhyNot) {
  const Listener listener("127.0.0.1");
  const SilentListener silent("127.0.0.9", listener.port());
  const auto connected =
      connect_to_any({address("127.0.0.9", listener.port()), address("127.0.0.8", listener.port())},
                     now_ms() + 400, -1, "redis");
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().kind, ErrorKind::kUnreachable);
  EXPECT_THAT(connected.error().reason,
              AllOf(HasSubstr("127.0.0.9"), HasSubstr("no answer in time"), HasSubstr("127.0.0.8"),
                    HasSubstr("Connection refused"), HasSubstr("(is redis running there?)")));
}

TEST(Connector, NamesNoMoreThanAFewOfMany) {
  const Listener listener("127.0.0.1");
  std::vector<Address> nobody;
  for (int i = 2; i < 60; ++i) {
    nobody.push_back(address("127.0.0." + std::to_string(i), listener.port()));
  }
  const auto connected = connect_to_any(nobody, now_ms() + kPatienceMs, -1);
  ASSERT_FALSE(connected);
  EXPECT_THAT(connected.error().reason, HasSubstr("and 54 more addresses"));
  EXPECT_LT(connected.error().reason.size(), 400u);
}

TEST(Connector, EndsWhenItIsCalledOff) {
  const Listener listener("127.0.0.1");
  const SilentListener silent("127.0.0.9", listener.port());
  const UniqueFd interrupt(::eventfd(1, EFD_CLOEXEC));
  const std::int64_t begin_ms = now_ms();
  const auto connected = connect_to_any({address("127.0.0.9", listener.port())},
                                        now_ms() + kPatienceMs, interrupt.get());
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().kind, ErrorKind::kInterrupted);
  EXPECT_LT(now_ms() - begin_ms, kPatienceMs / 2);
}

TEST(Connector, FamiliesTakeTurns) {
  std::vector<std::string> order;
  for (const Address& one : by_turns(
           {address("::1", 1), address("::2", 1), address("::3", 1), address("127.0.0.1", 1)})) {
    order.push_back(one.ip());
  }
  EXPECT_THAT(order, ElementsAre("::1", "127.0.0.1", "::2", "::3"));
  EXPECT_TRUE(by_turns({}).empty());
}

TEST(Resolve, LiteralsAndNames) {
  EXPECT_EQ(address("127.0.0.1", 80).to_string(), "127.0.0.1:80");
  EXPECT_EQ(address("[::1]", 80).to_string(), "[::1]:80");
  const auto local = resolve("localhost", 80, now_ms() + kPatienceMs, -1);
  ASSERT_TRUE(local) << local.error().reason;
  ASSERT_EQ(local->size(), 2u);  // whatever the system's files say
  EXPECT_EQ(local->front().to_string(), "127.0.0.1:80");
  EXPECT_EQ(local->back().to_string(), "[::1]:80");
  const auto nobody = resolve("no host of this name", 80, now_ms() + kPatienceMs, -1);
  ASSERT_FALSE(nobody);
  EXPECT_THAT(nobody.error().reason, HasSubstr("cannot find the host no host of this name"));
  EXPECT_FALSE(resolve("", 80, now_ms() + kPatienceMs, -1));
}

TEST(Resolve, EndsInTimeWhenTheNameServersAreDead) {
  const auto found = resolve("hanging.test", 80, now_ms() + 50, -1);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::kUnreachable);
  EXPECT_THAT(found.error().reason, HasSubstr("do not answer in time"));
}

TEST(Resolve, EndsWhenItIsCalledOff) {
  const UniqueFd interrupt(::eventfd(1, EFD_CLOEXEC));
  const auto found = resolve("hanging.test", 80, now_ms() + kPatienceMs, interrupt.get());
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::kInterrupted);
}

// The threads of the lookups that nobody waits for any more go on, and end, by themselves.
class LookupsEnd : public testing::Environment {
 public:
  void TearDown() override {
    ::eventfd_write(release_lookups, 100);
    while (hanging > 0) std::this_thread::yield();
  }
};
[[maybe_unused]] testing::Environment* const lookups_end =
    testing::AddGlobalTestEnvironment(new LookupsEnd);

}  // namespace
}  // namespace chatd::client
