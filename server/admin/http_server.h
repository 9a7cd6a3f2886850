// A small HTTP server (libmicrohttpd) on a socket that is listening already: one thread of its own,
// a bounded number of connections with bounded memory and a timeout each. What a request carries
// besides its first line and headers is not read.
//
// It answers one request after the other; there are few who ask (an operator, a monitor), and each
// answer takes milliseconds. Thread: made and destroyed on one; the handler runs on its own.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "server/net/unique_fd.h"

namespace chatd {

struct HttpRequest {
  std::string method = "GET";
  std::string path;
  std::map<std::string, std::string> parameters;  // of the query, decoded
  std::optional<std::string> host;                // as the client names us

  // Empty when there is none of this name.
  std::string_view parameter(const std::string& name) const {
    const auto found = parameters.find(name);
    return found == parameters.end() ? std::string_view() : std::string_view(found->second);
  }
};

struct HttpResponse {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
};

using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

class HttpServer {
 public:
  // The listener listens already. What the handler throws ends the connection.
  static tl::expected<std::unique_ptr<HttpServer>, std::string> start(UniqueFd listener,
                                                                      HttpHandler handler);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  // Waits for the answer that is being made.
  ~HttpServer();

 private:
  struct Daemon;

  HttpServer(UniqueFd listener, HttpHandler handler);

  UniqueFd listener_;
  std::unique_ptr<Daemon> daemon_;
};

// An error as JSON: what happened, and what to do.
HttpResponse error_response(unsigned status, std::string_view what_happened,
                            std::string_view what_to_do);

}  // namespace chatd
