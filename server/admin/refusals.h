// Why something that changes chatd is not done, where several paths say so. Pure functions.
#pragma once

#include <string_view>

#include "server/admin/http_server.h"

namespace chatd {

inline HttpResponse not_over_tcp() {
  return error_response(http::kForbidden,
                        "nothing can be changed over TCP: everybody on this machine could",
                        "start chatd with --admin unix:/PATH and ask there");
}

// A shard has not answered.
inline HttpResponse not_confirmed(std::string_view reason) {
  return error_response(http::kUnavailable, reason,
                        "look whether it has happened nevertheless, and at chatd's log; then try "
                        "again");
}

}  // namespace chatd
