// For LD_PRELOAD: stands between chatd and the C library, and lets calls fail as the plan says
// (fault_plan.h). Errors that the kernel could give are given without asking it; short results are
// real ones, since the kernel is asked for less.
#include <dlfcn.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "tests/resilience/faults/errno_table.h"
#include "tests/resilience/faults/fault_plan.h"
#include "tests/support/libc_allocator.h"

namespace {

using chatd::test::Call;
using chatd::test::FaultPlan;

std::atomic<FaultPlan*> current{nullptr};
// What the loader and the libraries do before main() is not the program's.
std::atomic<bool> has_begun{false};
int (*program)(int, char**, char**) = nullptr;

int begin(int argc, char** argv, char** environment) {
  has_begun = true;
  return program(argc, argv, environment);
}

// By glibc's own second names where there are some: dlsym may allocate.
template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

__attribute__((constructor)) void map_plan() {
  const char* path = std::getenv(chatd::test::kFaultPlanVariable);
  if (path == nullptr) return;
  const int fd = ::open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void* mapped = ::mmap(nullptr, sizeof(FaultPlan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  next<int(int)>("close")(fd);
  if (mapped != MAP_FAILED) current.store(static_cast<FaultPlan*>(mapped));
  // cppcheck-suppress resourceLeak  ; closed two lines above, past our own close()
}

// splitmix64: the calls of all threads draw from one sequence, by their numbers.
std::uint64_t mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15U;
  value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31U);
}

int random_fault(FaultPlan& plan, Call call, std::uint32_t number) {
  if ((plan.random_calls >> static_cast<unsigned>(call) & 1U) == 0) return 0;
  const std::uint64_t drawn =
      mix(plan.seed ^ mix(number) ^ (static_cast<std::uint64_t>(call) << 56U));
  if (drawn % 1'000'000 >= plan.chance_per_million) return 0;
  const auto errors = chatd::test::faults_of(call).errors;
  return errors[(drawn >> 32U) % errors.size()];
}

// 0, or how this call is to fail.
int fault(Call call) {
  FaultPlan* const plan = current.load(std::memory_order_acquire);
  if (plan == nullptr) return 0;
  plan->total_calls.fetch_add(1, std::memory_order_relaxed);
  if (plan->is_on == 0 || !has_begun) return 0;
  const std::uint32_t number = ++plan->made[static_cast<std::size_t>(call)];
  int error = 0;
  if (plan->chance_per_million != 0) {
    error = random_fault(*plan, call, number);
  } else if (plan->call == static_cast<std::uint32_t>(call) && number >= plan->first &&
             number <= plan->last) {
    error = plan->error;
  }
  if (error != 0) ++plan->fired;
  return error;
}

// For calls that have no short result.
bool fails(Call call) {
  const int error = fault(call);
  if (error == 0) return false;
  errno = error;
  return true;
}

// For those that have: `whole` becomes less if that is what is to happen. True: an error.
template <class Size>
bool fails_or_is_short(Call call, Size& whole) {
  const int error = fault(call);
  if (error == 0) return false;
  if (error == chatd::test::kShortResult) {
    whole = std::min<Size>(whole, 1);
    return false;
  }
  errno = error;
  return true;
}

void count_sleeper(std::uint32_t amount) {
  FaultPlan* const plan = current.load(std::memory_order_acquire);
  if (plan != nullptr) plan->sleepers += amount;
}

}  // namespace

extern "C" {

int __libc_start_main(int (*main)(int, char**, char**), int argc, char** argv, void (*init)(),
                      void (*fini)(), void (*loader_fini)(), void* stack_end) {
  program = main;
  return next<decltype(__libc_start_main)>("__libc_start_main")(begin, argc, argv, init, fini,
                                                                loader_fini, stack_end);
}

int accept4(int fd, sockaddr* address, socklen_t* length, int flags) {
  if (fails(Call::kAccept4)) return -1;
  static const auto real = next<decltype(accept4)>("accept4");
  return real(fd, address, length, flags);
}

int bind(int fd, const sockaddr* address, socklen_t length) noexcept {
  if (fails(Call::kBind)) return -1;
  static const auto real = next<decltype(bind)>("bind");
  return real(fd, address, length);
}

int close(int fd) {
  static const auto real = next<decltype(close)>("close");
  const int result = real(fd);
  return fails(Call::kClose) ? -1 : result;
}

int connect(int fd, const sockaddr* address, socklen_t length) {
  if (fails(Call::kConnect)) return -1;
  static const auto real = next<decltype(connect)>("connect");
  return real(fd, address, length);
}

int epoll_create1(int flags) noexcept {
  if (fails(Call::kEpollCreate1)) return -1;
  static const auto real = next<decltype(epoll_create1)>("epoll_create1");
  return real(flags);
}

int epoll_ctl(int epoll_fd, int operation, int fd, epoll_event* event) noexcept {
  if (fails(Call::kEpollCtl)) return -1;
  static const auto real = next<decltype(epoll_ctl)>("epoll_ctl");
  return real(epoll_fd, operation, fd, event);
}

int epoll_wait(int epoll_fd, epoll_event* events, int max_events, int timeout_ms) {
  if (fails_or_is_short(Call::kEpollWait, max_events)) return -1;
  static const auto real = next<decltype(epoll_wait)>("epoll_wait");
  if (timeout_ms == 0) return real(epoll_fd, events, max_events, 0);
  count_sleeper(1);
  const int count = real(epoll_fd, events, max_events, timeout_ms);
  const int error = errno;
  count_sleeper(0U - 1U);
  errno = error;
  return count;
}

int eventfd(unsigned value, int flags) noexcept {
  if (fails(Call::kEventfd)) return -1;
  static const auto real = next<decltype(eventfd)>("eventfd");
  return real(value, flags);
}

int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** list) {
  const int error = fault(Call::kGetaddrinfo);
  if (error != 0) {
    errno = EMFILE;  // what EAI_SYSTEM refers to
    return error;
  }
  static const auto real = next<decltype(getaddrinfo)>("getaddrinfo");
  return real(node, service, hints, list);
}

int getifaddrs(ifaddrs** list) noexcept {
  if (fails(Call::kGetifaddrs)) return -1;
  static const auto real = next<decltype(getifaddrs)>("getifaddrs");
  return real(list);
}

ssize_t getrandom(void* bytes, std::size_t count, unsigned flags) {
  if (fails_or_is_short(Call::kGetrandom, count)) return -1;
  static const auto real = next<decltype(getrandom)>("getrandom");
  return real(bytes, count, flags);
}

int getrlimit(__rlimit_resource_t resource, rlimit* limit) noexcept {
  if (fails(Call::kGetrlimit)) return -1;
  static const auto real = next<decltype(getrlimit)>("getrlimit");
  return real(resource, limit);
}

int getsockname(int fd, sockaddr* address, socklen_t* length) noexcept {
  if (fails(Call::kGetsockname)) return -1;
  static const auto real = next<decltype(getsockname)>("getsockname");
  return real(fd, address, length);
}

int getsockopt(int fd, int level, int option, void* value, socklen_t* length) noexcept {
  if (fails(Call::kGetsockopt)) return -1;
  static const auto real = next<decltype(getsockopt)>("getsockopt");
  return real(fd, level, option, value, length);
}

int listen(int fd, int backlog) noexcept {
  if (fails(Call::kListen)) return -1;
  static const auto real = next<decltype(listen)>("listen");
  return real(fd, backlog);
}

int memfd_create(const char* name, unsigned flags) noexcept {
  if (fails(Call::kMemfdCreate)) return -1;
  static const auto real = next<decltype(memfd_create)>("memfd_create");
  return real(name, flags);
}

int poll(pollfd* watched, nfds_t count, int timeout_ms) {
  if (fails(Call::kPoll)) return -1;
  static const auto real = next<decltype(poll)>("poll");
  return real(watched, count, timeout_ms);
}

int posix_spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions,
                const posix_spawnattr_t* attributes, char* const argv[], char* const envp[]) {
  if (const int error = fault(Call::kPosixSpawn)) return error;
  static const auto real = next<decltype(posix_spawn)>("posix_spawn");
  return real(pid, path, actions, attributes, argv, envp);
}

ssize_t pread(int fd, void* bytes, std::size_t size, off_t offset) {
  if (fails_or_is_short(Call::kPread, size)) return -1;
  static const auto real = next<decltype(pread)>("pread");
  return real(fd, bytes, size, offset);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument) noexcept {
  if (const int error = fault(Call::kPthreadCreate)) return error;
  static const auto real = next<decltype(pthread_create)>("pthread_create");
  return real(thread, attributes, start, argument);
}

int pthread_setaffinity_np(pthread_t thread, std::size_t size, const cpu_set_t* set) noexcept {
  if (const int error = fault(Call::kPthreadSetaffinity)) return error;
  static const auto real = next<decltype(pthread_setaffinity_np)>("pthread_setaffinity_np");
  return real(thread, size, set);
}

int pthread_sigmask(int how, const sigset_t* set, sigset_t* old) noexcept {
  if (const int error = fault(Call::kPthreadSigmask)) return error;
  static const auto real = next<decltype(pthread_sigmask)>("pthread_sigmask");
  return real(how, set, old);
}

ssize_t pwrite(int fd, const void* bytes, std::size_t size, off_t offset) {
  if (fails_or_is_short(Call::kPwrite, size)) return -1;
  static const auto real = next<decltype(pwrite)>("pwrite");
  return real(fd, bytes, size, offset);
}

ssize_t read(int fd, void* bytes, std::size_t size) {
  if (fails(Call::kRead)) return -1;
  static const auto real = next<decltype(read)>("read");
  return real(fd, bytes, size);
}

ssize_t recv(int fd, void* bytes, std::size_t size, int flags) {
  if (fails_or_is_short(Call::kRecv, size)) return -1;
  static const auto real = next<decltype(recv)>("recv");
  return real(fd, bytes, size, flags);
}

ssize_t recvfrom(int fd, void* bytes, std::size_t size, int flags, sockaddr* from,
                 socklen_t* length) {
  if (fails(Call::kRecvfrom)) return -1;
  static const auto real = next<decltype(recvfrom)>("recvfrom");
  return real(fd, bytes, size, flags, from, length);
}

int recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags, timespec* timeout) {
  if (fails_or_is_short(Call::kRecvmmsg, count)) return -1;
  static const auto real = next<decltype(recvmmsg)>("recvmmsg");
  return real(fd, messages, count, flags, timeout);
}

ssize_t recvmsg(int fd, msghdr* message, int flags) {
  if (fails(Call::kRecvmsg)) return -1;
  static const auto real = next<decltype(recvmsg)>("recvmsg");
  return real(fd, message, flags);
}

int sched_getaffinity(pid_t pid, std::size_t size, cpu_set_t* set) noexcept {
  if (fails(Call::kSchedGetaffinity)) return -1;
  static const auto real = next<decltype(sched_getaffinity)>("sched_getaffinity");
  return real(pid, size, set);
}

ssize_t send(int fd, const void* bytes, std::size_t size, int flags) {
  if (fails_or_is_short(Call::kSend, size)) return -1;
  static const auto real = next<decltype(send)>("send");
  return real(fd, bytes, size, flags);
}

int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  if (fails_or_is_short(Call::kSendmmsg, count)) return -1;
  static const auto real = next<decltype(sendmmsg)>("sendmmsg");
  return real(fd, messages, count, flags);
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  if (fails(Call::kSendmsg)) return -1;
  static const auto real = next<decltype(sendmsg)>("sendmsg");
  return real(fd, message, flags);
}

int setrlimit(__rlimit_resource_t resource, const rlimit* limit) noexcept {
  if (fails(Call::kSetrlimit)) return -1;
  static const auto real = next<decltype(setrlimit)>("setrlimit");
  return real(resource, limit);
}

int setsockopt(int fd, int level, int option, const void* value, socklen_t length) noexcept {
  if (fails(Call::kSetsockopt)) {
    current.load()->failed_option = static_cast<std::uint32_t>(option);
    return -1;
  }
  static const auto real = next<decltype(setsockopt)>("setsockopt");
  return real(fd, level, option, value, length);
}

int shutdown(int fd, int how) noexcept {
  if (fails(Call::kShutdown)) return -1;
  static const auto real = next<decltype(shutdown)>("shutdown");
  return real(fd, how);
}

int signalfd(int fd, const sigset_t* set, int flags) noexcept {
  if (fails(Call::kSignalfd)) return -1;
  static const auto real = next<decltype(signalfd)>("signalfd");
  return real(fd, set, flags);
}

int socket(int family, int type, int protocol) noexcept {
  if (fails(Call::kSocket)) return -1;
  static const auto real = next<decltype(socket)>("socket");
  return real(family, type, protocol);
}

int socketpair(int family, int type, int protocol, int ends[2]) noexcept {
  if (fails(Call::kSocketpair)) return -1;
  static const auto real = next<decltype(socketpair)>("socketpair");
  return real(family, type, protocol, ends);
}

ssize_t write(int fd, const void* bytes, std::size_t size) {
  if (fails(Call::kWrite)) return -1;
  static const auto real = next<decltype(write)>("write");
  return real(fd, bytes, size);
}

void* malloc(std::size_t size) {
  return fails(Call::kAllocate) ? nullptr : __libc_malloc(size);
}

void* calloc(std::size_t count, std::size_t size) {
  return fails(Call::kAllocate) ? nullptr : __libc_calloc(count, size);
}

void* realloc(void* block, std::size_t size) {
  return fails(Call::kAllocate) ? nullptr : __libc_realloc(block, size);
}

void* memalign(std::size_t alignment, std::size_t size) {
  return fails(Call::kAllocate) ? nullptr : __libc_memalign(alignment, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
  return fails(Call::kAllocate) ? nullptr : __libc_memalign(alignment, size);
}

int posix_memalign(void** block, std::size_t alignment, std::size_t size) {
  *block = fails(Call::kAllocate) ? nullptr : __libc_memalign(alignment, size);
  return *block == nullptr ? ENOMEM : 0;
}

}  // extern "C"
