// Where the admin endpoint listens, as --admin says it: 127.0.0.1:9100, [::1]:9100 or
// unix:/run/chatd/admin.sock. It has no passwords, so nothing but this machine may reach it: a
// loopback address, or a socket file that only chatd's user and group may open. Errors are
// sentences that say what is wrong and what to do. Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "core/base/endpoint.h"
#include "server/os/unique_fd.h"

namespace chatd {

struct AdminAddress {
  std::string socket_path;  // empty: TCP
  Endpoint endpoint;        // port 0: the kernel picks one

  bool is_unix() const { return !socket_path.empty(); }
};

tl::expected<AdminAddress, std::string> parse_admin_address(std::string_view text);

// A listening socket. A socket file that is left from a chatd that is gone is replaced; one on
// which somebody answers is not.
tl::expected<UniqueFd, std::string> open_admin_listener(const AdminAddress& address);

// One that nobody listens at any more. If it stays, the next chatd replaces it.
void remove_socket_file(const AdminAddress& address);

// Whether a request that names this host was meant for us: a web page that somebody looks at on
// this machine can make a browser ask any address under any name of the page's own (DNS
// rebinding), so only loopback's names and addresses are. Names are the same in upper and lower
// case, and with a final dot.
bool is_loopback_host(std::string_view host);

}  // namespace chatd
