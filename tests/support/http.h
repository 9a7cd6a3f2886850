// One HTTP request and its whole answer, as curl would ask: over TCP, or over a socket file.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "server/os/unique_fd.h"
#include "tests/support/deadline.h"

namespace chatd::test {

struct HttpAnswer {
  int status = 0;                              // 0: there was no answer
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

// `place` is http://ADDRESS:PORT/ or unix:/PATH. `host` is what the request calls the server; empty
// for what the place says.
HttpAnswer http_ask(std::string_view method, const std::string& place, std::string_view path,
                    std::string_view host = "");
inline HttpAnswer http_get(const std::string& place, std::string_view path) {
  return http_ask("GET", place, path);
}

// A connection to a place, for a request that is not as it should be.
UniqueFd http_connect(const std::string& place);
// A request that asks for the connection to be kept, and its whole answer.
HttpAnswer http_ask_kept(int fd, std::string_view path, Deadline deadline = kPatience);
// Sends what is given and reads until the server closes.
HttpAnswer http_exchange(int fd, std::string_view request, Deadline deadline = kPatience);

}  // namespace chatd::test
