// Which errors each call can return, from its page in section 2 or 3 of the Linux manual (man-pages
// 6.03), and for sockets also from ip(7), udp(7), tcp(7) and accept(2)'s remark that Linux passes
// pending network errors on.
//
// Left out are errors that only a mistake in chatd itself can cause, and which the other tests and
// the sanitizers look for: EBADF, EFAULT, ENOTSOCK, and EINVAL where it speaks of an argument. Left
// out as well, and this is a choice: EAGAIN from calls that receive or accept, as a lie. With
// edge-triggered epoll, EAGAIN is what ends reading, so the true one comes in every scenario by the
// dozen; a false one (the kernel says "empty" and is not) leaves a datagram for the next event.
#pragma once

#include <netdb.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <span>

#include "tests/resilience/faults/fault_plan.h"

namespace chatd::test {

struct CallFaults {
  Call call = Call::kCount;
  const char* name = nullptr;
  std::span<const std::int32_t> errors;
};

namespace faults {

inline constexpr std::int32_t kAccept4[] = {
    ECONNABORTED, EINTR,       EMFILE,    ENFILE, ENOBUFS,      ENOMEM,     EPERM,       EPROTO,
    ENETDOWN,     ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH, ETIMEDOUT};
inline constexpr std::int32_t kAllocate[] = {ENOMEM};
inline constexpr std::int32_t kBind[] = {EACCES, EADDRINUSE, EADDRNOTAVAIL, EINVAL, ENOMEM};
// Linux has closed the descriptor in all these cases, and the library closes it, too.
inline constexpr std::int32_t kClose[] = {EINTR, EIO, ENOSPC, EDQUOT};
inline constexpr std::int32_t kConnect[] = {EACCES,        EPERM,        EADDRINUSE,
                                            EADDRNOTAVAIL, EAFNOSUPPORT, EAGAIN,
                                            ECONNREFUSED,  EINTR,        ENETUNREACH};
inline constexpr std::int32_t kEpollCreate1[] = {EMFILE, ENFILE, ENOMEM};
inline constexpr std::int32_t kEpollCtl[] = {ENOMEM, ENOSPC};
inline constexpr std::int32_t kEpollWait[] = {EINTR, kShortResult};
inline constexpr std::int32_t kEventfd[] = {EMFILE, ENFILE, ENODEV, ENOMEM};
inline constexpr std::int32_t kGetaddrinfo[] = {EAI_AGAIN,  EAI_FAIL,    EAI_FAMILY, EAI_MEMORY,
                                                EAI_NONAME, EAI_SERVICE, EAI_SYSTEM};
inline constexpr std::int32_t kGetifaddrs[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM, EACCES};
// Its EAGAIN is for GRND_NONBLOCK, which neither chatd nor libsodium asks for.
// Up to 256 bytes never come short.
inline constexpr std::int32_t kGetrandom[] = {EINTR, ENOSYS};
inline constexpr std::int32_t kGetrlimit[] = {EPERM};
inline constexpr std::int32_t kGetsockname[] = {ENOBUFS};
inline constexpr std::int32_t kGetsockopt[] = {ENOPROTOOPT, ENOBUFS};
inline constexpr std::int32_t kListen[] = {EADDRINUSE, EOPNOTSUPP};
inline constexpr std::int32_t kMemfdCreate[] = {EMFILE, ENFILE, ENOMEM, ENOSYS};
inline constexpr std::int32_t kPoll[] = {EINTR, EINVAL, ENOMEM};  // EINVAL: RLIMIT_NOFILE fell
inline constexpr std::int32_t kPosixSpawn[] = {EACCES, EAGAIN,  ENOENT, ENOEXEC,
                                               ENOMEM, ETXTBSY, ENFILE, EPERM};
inline constexpr std::int32_t kPread[] = {EINTR, EIO, kShortResult};
inline constexpr std::int32_t kPthreadCreate[] = {EAGAIN, EPERM};
inline constexpr std::int32_t kPthreadSetaffinity[] = {EINVAL, EPERM};
inline constexpr std::int32_t kPthreadSigmask[] = {EINVAL};
inline constexpr std::int32_t kPwrite[] = {EINTR, ENOSPC, EIO, kShortResult};  // into memory
inline constexpr std::int32_t kRead[] = {EAGAIN, EINTR, EIO};  // from a signalfd, a file
inline constexpr std::int32_t kRecv[] = {ECONNREFUSED, ECONNRESET, EINTR,        ENOMEM,
                                         ENOTCONN,     ETIMEDOUT,  EHOSTUNREACH, kShortResult};
inline constexpr std::int32_t kRecvfrom[] = {ECONNREFUSED, EINTR, ENOMEM, EHOSTUNREACH};
inline constexpr std::int32_t kRecvmmsg[] = {ECONNREFUSED, EINTR,       ENOMEM,    EACCES,
                                             EHOSTUNREACH, ENETUNREACH, EMSGSIZE,  EPROTO,
                                             ENETDOWN,     EHOSTDOWN,   ETIMEDOUT, kShortResult};
inline constexpr std::int32_t kRecvmsg[] = {EINTR, ENOMEM};
inline constexpr std::int32_t kSchedGetaffinity[] = {EINVAL, EPERM};
inline constexpr std::int32_t kSend[] = {EAGAIN,    EACCES,       ECONNRESET,  EINTR,
                                         ENOBUFS,   ENOMEM,       ENOTCONN,    EPIPE,
                                         ETIMEDOUT, EHOSTUNREACH, kShortResult};
inline constexpr std::int32_t kSendmmsg[] = {
    EAGAIN,      EACCES,     ECONNREFUSED, ECONNRESET, EHOSTDOWN,   EHOSTUNREACH, EINTR,
    EINVAL,      EIO,        EMSGSIZE,     ENETDOWN,   ENETUNREACH, ENOBUFS,      ENOMEM,
    ENOPROTOOPT, EOPNOTSUPP, EPERM,        EPIPE,      EPROTO,      kShortResult};
// Over a Unix socket.
inline constexpr std::int32_t kSendmsg[] = {ECONNRESET, EINTR, ENOBUFS,
                                            ENOMEM,     EPIPE, ETOOMANYREFS};
inline constexpr std::int32_t kSetrlimit[] = {EPERM};
inline constexpr std::int32_t kSetsockopt[] = {ENOPROTOOPT, ENOMEM, EPERM};
inline constexpr std::int32_t kShutdown[] = {ENOTCONN};
inline constexpr std::int32_t kSignalfd[] = {EMFILE, ENFILE, ENODEV, ENOMEM};
inline constexpr std::int32_t kSocket[] = {EACCES,  EAFNOSUPPORT, EMFILE,         ENFILE,
                                           ENOBUFS, ENOMEM,       EPROTONOSUPPORT};
inline constexpr std::int32_t kSocketpair[] = {EAFNOSUPPORT, EMFILE, ENFILE, EOPNOTSUPP};
// To an eventfd, which is all that chatd writes to; its EAGAIN needs 2^64 wake-ups.
inline constexpr std::int32_t kWrite[] = {EINTR};

}  // namespace faults

// In the order of Call.
inline constexpr std::array<CallFaults, kCallCount> kCallFaults{{
    {Call::kAccept4, "accept4", faults::kAccept4},
    {Call::kAllocate, "malloc", faults::kAllocate},
    {Call::kBind, "bind", faults::kBind},
    {Call::kClose, "close", faults::kClose},
    {Call::kConnect, "connect", faults::kConnect},
    {Call::kEpollCreate1, "epoll_create1", faults::kEpollCreate1},
    {Call::kEpollCtl, "epoll_ctl", faults::kEpollCtl},
    {Call::kEpollWait, "epoll_wait", faults::kEpollWait},
    {Call::kEventfd, "eventfd", faults::kEventfd},
    {Call::kGetaddrinfo, "getaddrinfo", faults::kGetaddrinfo},
    {Call::kGetifaddrs, "getifaddrs", faults::kGetifaddrs},
    {Call::kGetrandom, "getrandom", faults::kGetrandom},
    {Call::kGetrlimit, "getrlimit", faults::kGetrlimit},
    {Call::kGetsockname, "getsockname", faults::kGetsockname},
    {Call::kGetsockopt, "getsockopt", faults::kGetsockopt},
    {Call::kListen, "listen", faults::kListen},
    {Call::kMemfdCreate, "memfd_create", faults::kMemfdCreate},
    {Call::kPoll, "poll", faults::kPoll},
    {Call::kPosixSpawn, "posix_spawn", faults::kPosixSpawn},
    {Call::kPread, "pread", faults::kPread},
    {Call::kPthreadCreate, "pthread_create", faults::kPthreadCreate},
    {Call::kPthreadSetaffinity, "pthread_setaffinity_np", faults::kPthreadSetaffinity},
    {Call::kPthreadSigmask, "pthread_sigmask", faults::kPthreadSigmask},
    {Call::kPwrite, "pwrite", faults::kPwrite},
    {Call::kRead, "read", faults::kRead},
    {Call::kRecv, "recv", faults::kRecv},
    {Call::kRecvfrom, "recvfrom", faults::kRecvfrom},
    {Call::kRecvmmsg, "recvmmsg", faults::kRecvmmsg},
    {Call::kRecvmsg, "recvmsg", faults::kRecvmsg},
    {Call::kSchedGetaffinity, "sched_getaffinity", faults::kSchedGetaffinity},
    {Call::kSend, "send", faults::kSend},
    {Call::kSendmmsg, "sendmmsg", faults::kSendmmsg},
    {Call::kSendmsg, "sendmsg", faults::kSendmsg},
    {Call::kSetrlimit, "setrlimit", faults::kSetrlimit},
    {Call::kSetsockopt, "setsockopt", faults::kSetsockopt},
    {Call::kShutdown, "shutdown", faults::kShutdown},
    {Call::kSignalfd, "signalfd", faults::kSignalfd},
    {Call::kSocket, "socket", faults::kSocket},
    {Call::kSocketpair, "socketpair", faults::kSocketpair},
    {Call::kWrite, "write", faults::kWrite},
}};

constexpr const CallFaults& faults_of(Call call) {
  return kCallFaults[static_cast<std::size_t>(call)];
}

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < kCallCount; ++i) {
    if (kCallFaults[i].call != static_cast<Call>(i)) return false;
  }
  return true;
}
static_assert(is_in_order());

}  // namespace chatd::test
