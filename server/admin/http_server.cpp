#include "server/admin/http_server.h"

#include <microhttpd.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <exception>
#include <string_view>
#include <thread>

#include "core/base/json_writer.h"
#include "server/admin/http_places.h"
#include "server/os/system_error.h"

namespace chatd {
namespace {

// They come out of what server/shard/descriptor_limit.cpp has to spare. Some more than there are
// places, for those that are just being closed.
constexpr unsigned kMaxDescriptors = HttpServer::kMaxConnections + 2;
constexpr unsigned kTimeoutS = 10;
// Who has just come has its request out by then, and who has been answered has read the answer.
constexpr std::chrono::milliseconds kPatience{250};
// Whom the library's thread is just accepting is one of its connections by then.
constexpr std::chrono::milliseconds kAcceptTime{10};
constexpr std::size_t kConnectionMemoryBytes = std::size_t{16} * 1024;

// libmicrohttpd's types are made for C.
std::string text_of(const char* data, std::size_t size) {
  return data == nullptr ? std::string() : std::string(data, size);
}

MHD_Result add_parameter(void* parameters, MHD_ValueKind /*kind*/, const char* key,
                         std::size_t key_size, const char* value, std::size_t value_size) {
  auto& into = *static_cast<std::map<std::string, std::string>*>(parameters);
  into[text_of(key, key_size)] = text_of(value, value_size);
  return MHD_YES;
}

// The user who has opened a socket file; nothing at a port.
std::optional<std::uint32_t> user_of(MHD_Connection* connection) {
  const MHD_ConnectionInfo* const info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  ucred peer{};
  socklen_t length = sizeof peer;
  if (info == nullptr ||
      ::getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 ||
      peer.pid == 0) {
    return std::nullopt;
  }
  return peer.uid;
}

HttpRequest read_request(MHD_Connection* connection, const char* method, const char* url) {
  HttpRequest request{.method = method, .path = url, .parameters = {}, .host = {}};
  MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, &add_parameter,
                              &request.parameters);
  const char* const host =
      MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
  if (host != nullptr) request.host = host;
  request.user = user_of(connection);
  return request;
}

MHD_Result send_response(MHD_Connection* connection, HttpResponse response) {
  MHD_Response* const out = MHD_create_response_from_buffer(
      response.body.size(), response.body.data(), MHD_RESPMEM_MUST_COPY);
  if (out == nullptr) return MHD_NO;
  MHD_add_response_header(out, MHD_HTTP_HEADER_CONTENT_TYPE, response.content_type.c_str());
  MHD_add_response_header(out, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
  MHD_add_response_header(out, "X-Content-Type-Options", "nosniff");
  MHD_add_response_header(out, "Referrer-Policy", "no-referrer");
  for (const auto& [name, value] : response.headers) {
    MHD_add_response_header(out, name.c_str(), value.c_str());
  }
  const MHD_Result result = MHD_queue_response(connection, response.status, out);
  MHD_destroy_response(out);
  return result;
}

HttpResponse too_many_wait() {
  return error_response(http::kUnavailable, "too many wait for this already",
                        "ask again in a moment");
}

}  // namespace

struct HttpServer::Daemon {
  MHD_Daemon* const mhd;
  bool takes_connections = true;

  explicit Daemon(MHD_Daemon* daemon) : mhd(daemon) {}
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  ~Daemon() { MHD_stop_daemon(mhd); }

  void stop_listening() {
    if (std::exchange(takes_connections, false)) MHD_quiesce_daemon(mhd);
  }

  bool has_connections() const {
    const MHD_DaemonInfo* const info =
        MHD_get_daemon_info(mhd, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
    return info != nullptr && info->num_connections > 0;
  }
};

// What the library calls, with the server as its first argument.
struct HttpServer::Callbacks {
  // A request's own.
  struct Exchange {
    std::shared_ptr<LaterAnswer> later;
    bool is_begun = false;
  };

  static void on_connection(void* server, MHD_Connection* connection, void** /*per_connection*/,
                            MHD_ConnectionNotificationCode what) {
    HttpPlaces& places = *static_cast<HttpServer*>(server)->places_;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) return places.leave(connection);
    const MHD_ConnectionInfo* const info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info != nullptr) places.enter(connection, info->connect_fd);
  }

  // Called when the headers are there, for each piece of a body, which is thrown away, and when all
  // of the request is there: who is answered earlier than that is disconnected by the library.
  // Nothing may be thrown into it, for it is written in C: without an answer the connection is
  // closed.
  static MHD_Result on_request(void* server, MHD_Connection* connection, const char* url,
                               const char* method, const char* /*version*/,
                               const char* /*upload_data*/, std::size_t* upload_data_size,
                               void** per_request) {
    try {
      if (*per_request == nullptr) {
        *per_request = new Exchange{std::make_shared<LaterAnswer>(connection)};
        return MHD_YES;  // on_completed() has it
      }
      if (std::exchange(*upload_data_size, 0) > 0) return MHD_YES;
      auto& self = *static_cast<HttpServer*>(server);
      auto& exchange = *static_cast<Exchange*>(*per_request);
      if (std::exchange(exchange.is_begun, true)) {
        return send(self, connection, exchange.later->take_or_sleep());
      }
      if (!self.places_->begin_answer(connection)) return MHD_NO;
      return begin(self, connection, read_request(connection, method, url), exchange.later);
    } catch (const std::exception& error) {
      spdlog::error("the admin endpoint could not answer a request: {}", error.what());
    } catch (...) {
      spdlog::error("the admin endpoint could not answer a request");
    }
    return MHD_NO;
  }

  static void on_completed(void* server, MHD_Connection* connection, void** per_request,
                           MHD_RequestTerminationCode /*how*/) {
    const std::unique_ptr<Exchange> exchange(static_cast<Exchange*>(*per_request));
    *per_request = nullptr;
    if (exchange) exchange->later->end();
    static_cast<HttpServer*>(server)->places_->end_answer(connection);
  }

 private:
  static MHD_Result begin(HttpServer& self, MHD_Connection* connection, const HttpRequest& request,
                          const std::shared_ptr<LaterAnswer>& later) {
    auto response =
        self.handler_(request, [later](HttpResponse given) { later->give(std::move(given)); });
    if (!response && !self.places_->answer_later(connection, later)) response = too_many_wait();
    if (!response) response = later->take_or_sleep();
    return send(self, connection, std::move(response));
  }

  // Nothing: the connection sleeps.
  static MHD_Result send(HttpServer& self, MHD_Connection* connection,
                         std::optional<HttpResponse> response) {
    if (!response) return MHD_YES;
    self.places_->begin_sending(connection);
    return send_response(connection, std::move(*response));
  }
};

HttpServer::HttpServer(int listener, HttpHandler handler)
    : listener_(listener), handler_(std::move(handler)), places_(std::make_unique<HttpPlaces>()) {}

tl::expected<std::unique_ptr<HttpServer>, std::string> HttpServer::start(int listener,
                                                                         HttpHandler handler) {
  std::unique_ptr<HttpServer> server(new HttpServer(listener, std::move(handler)));
  if (auto listening = server->listen(); !listening) return tl::unexpected(listening.error());
  return server;
}

tl::expected<void, std::string> HttpServer::listen() {
  errno = 0;
  // With MHD_USE_ITC the listener can be taken back, and stays ours to close.
  MHD_Daemon* const daemon = MHD_start_daemon(
      MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME, 0, nullptr, nullptr,
      &Callbacks::on_request, this, MHD_OPTION_LISTEN_SOCKET, listener_,
      MHD_OPTION_NOTIFY_CONNECTION, &Callbacks::on_connection, this, MHD_OPTION_NOTIFY_COMPLETED,
      &Callbacks::on_completed, this, MHD_OPTION_CONNECTION_LIMIT, kMaxDescriptors,
      MHD_OPTION_CONNECTION_TIMEOUT, kTimeoutS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
      kConnectionMemoryBytes, MHD_OPTION_END);
  if (daemon == nullptr) {
    return tl::unexpected(system_error("the admin endpoint's HTTP server does not start"));
  }
  daemons_.push_back(std::make_unique<Daemon>(daemon));
  return {};
}

void HttpServer::pause() {
  for (const auto& daemon : daemons_) daemon->stop_listening();
  std::this_thread::sleep_for(kAcceptTime);
  places_->close(kPatience);
}

tl::expected<void, std::string> HttpServer::resume() {
  std::erase_if(daemons_, [](const auto& daemon) { return !daemon->has_connections(); });
  places_->reopen();
  return listen();
}

HttpServer::~HttpServer() {
  pause();
  places_->answer_all(error_response(http::kUnavailable,
                                     "chatd is stopping, or another one takes over",
                                     "chatd's log says what has come of it; ask again"));
  places_->await_answers(kPatience);
  daemons_.clear();
}

HttpResponse error_response(unsigned status, std::string_view title, std::string_view detail) {
  JsonWriter json;
  json.begin_object();
  json.member("title", title);
  json.member("detail", detail);
  json.end_object();
  return {.status = status, .body = json.take()};
}

}  // namespace chatd
