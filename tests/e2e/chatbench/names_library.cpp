// For LD_PRELOAD: names whose lookup goes as a test wants it.
//   hanging.test   never answered, as by name servers that are dead
//   localhost      ::1 and then 127.0.0.1, as /etc/hosts has it on most machines
//   several.test   127.0.0.9, where nobody is, and then 127.0.0.1
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <unistd.h>

#include <string_view>

namespace {

using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);

Function real() {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
}

}  // namespace

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  const std::string_view name = node == nullptr ? "" : node;
  const bool is_lookup = hints == nullptr || (hints->ai_flags & AI_NUMERICHOST) == 0;
  if (is_lookup && name == "hanging.test") {
    for (;;) ::pause();
  }
  const bool is_localhost = name == "localhost";
  if (!is_lookup || !(is_localhost || name == "several.test")) {
    return real()(node, service, hints, found);
  }
  addrinfo* second = nullptr;
  int result = real()(is_localhost ? "::1" : "127.0.0.9", service, hints, found);
  if (result == 0) result = real()("127.0.0.1", service, hints, &second);
  if (result == 0) (*found)->ai_next = second;
  return result;
}
