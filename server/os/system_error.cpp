#include "server/os/system_error.h"

#include <cerrno>
#include <cstring>

namespace chatd {

std::string advice_for(int error) {
  switch (error) {
    case EMFILE:
      return ". This process may open no more descriptors: raise its limit (ulimit -n, "
             "LimitNOFILE=)";
    case ENFILE:
      return ". The machine has no descriptors left: raise sysctl fs.file-max, or close something";
    case ENOMEM:
    case ENOBUFS:
      return ". The kernel has no memory for it: free some, or raise the limit of this container";
    case EAGAIN:
      return ". The machine or this user has too many threads (ulimit -u, TasksMax=), or too "
             "little "
             "memory";
    default:
      return {};
  }
}

std::string system_error(const std::string& call, int error) {
  return call + ": " + std::strerror(error) + advice_for(error);
}

std::string system_error(const std::string& call) {
  return system_error(call, errno);
}

}  // namespace chatd
