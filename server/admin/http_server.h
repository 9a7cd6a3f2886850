// A small HTTP server (libmicrohttpd) on a socket that is listening already: one thread of its own,
// a bounded number of connections with bounded memory and a timeout each. What a request carries
// besides its first line and headers is thrown away.
//
// Connections are kept alive. When all places are taken, whoever comes gets that of the connection
// for which nothing has been done for longest: one that has asked for nothing yet, that is kept for
// a next request, or that does not read its answer. So who opens connections and says nothing, or
// says it slowly, locks nobody out: a monitor that asks whether chatd is healthy least of all.
//
// It answers one request after the other; there are few who ask (an operator, a monitor), and each
// answer takes milliseconds. What takes longer is answered later, and holds nobody up.
// Thread: made, paused, resumed and destroyed on one; the handler runs on its own.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace chatd {

class HttpPlaces;

// Statuses that chatd answers with (RFC 9110, section 15).
namespace http {
inline constexpr unsigned kAccepted = 202;
inline constexpr unsigned kBadRequest = 400;
inline constexpr unsigned kForbidden = 403;
inline constexpr unsigned kNotFound = 404;
inline constexpr unsigned kMethodNotAllowed = 405;
inline constexpr unsigned kConflict = 409;
inline constexpr unsigned kUnprocessable = 422;
inline constexpr unsigned kUnavailable = 503;
}  // namespace http

struct HttpRequest {
  std::string method = "GET";
  std::string path;
  std::map<std::string, std::string> parameters;  // of the query, decoded
  std::optional<std::string> host;                // as the client names us
  std::optional<std::uint32_t> user = {};         // who asks, at a socket file

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

// Answers a request later: from any thread, once. Nobody may be there any more.
using HttpReply = std::function<void(HttpResponse)>;
// The answer; or nothing, and `reply` gives it later.
using HttpHandler =
    std::function<std::optional<HttpResponse>(const HttpRequest& request, const HttpReply& reply)>;

class HttpServer {
 public:
  // Connections at a time.
  static constexpr unsigned kMaxConnections = 16;
  // Requests at a time that are answered later; one more is refused (503).
  static constexpr unsigned kMaxLater = 8;

  // The listener listens already, and must outlive it. What the handler throws ends the connection.
  static tl::expected<std::unique_ptr<HttpServer>, std::string> start(int listener,
                                                                      HttpHandler handler);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  // Waits for the answer that is being made, and a moment until it has been read.
  ~HttpServer();

  // For another process that goes on listening: takes no connection any more, and answers who has
  // just come. When it returns the handler does not run, and will not: who asks then, on a
  // connection that was kept, is disconnected and asks again, as HTTP wants it. Those who wait for
  // a later answer still get it.
  void pause();
  // It does after all. An error: it takes no connections.
  tl::expected<void, std::string> resume();

 private:
  struct Callbacks;
  struct Daemon;

  HttpServer(int listener, HttpHandler handler);

  tl::expected<void, std::string> listen();

  int listener_;
  HttpHandler handler_;
  std::unique_ptr<HttpPlaces> places_;
  // The last one takes connections; those before it have been paused, and have some left. They use
  // the others.
  std::vector<std::unique_ptr<Daemon>> daemons_;
};

// An error as JSON: what happened, and what to do.
HttpResponse error_response(unsigned status, std::string_view title, std::string_view detail);

}  // namespace chatd
