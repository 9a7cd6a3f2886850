#include "server/admin/http_server.h"

#include <microhttpd.h>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <cstddef>
#include <exception>
#include <string_view>

#include "core/wire/json_writer.h"
#include "server/process/system_error.h"

namespace chatd {
namespace {

// They come out of what server/process/descriptor_limit.cpp has to spare.
constexpr unsigned kMaxConnections = 16;
constexpr unsigned kTimeoutS = 10;
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

HttpRequest read_request(MHD_Connection* connection, const char* method, const char* url) {
  HttpRequest request{.method = method, .path = url, .parameters = {}, .host = {}};
  MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, &add_parameter,
                              &request.parameters);
  const char* const host =
      MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
  if (host != nullptr) request.host = host;
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

// Nothing may be thrown into a library that is written in C: without an answer the connection is
// closed.
MHD_Result on_request(void* handler, MHD_Connection* connection, const char* url,
                      const char* method, const char* /*version*/, const char* /*upload_data*/,
                      std::size_t* /*upload_data_size*/, void** /*per_request*/) {
  try {
    const auto& respond = *static_cast<const HttpHandler*>(handler);
    return send_response(connection, respond(read_request(connection, method, url)));
  } catch (const std::exception& error) {
    spdlog::error("the admin endpoint could not answer a request: {}", error.what());
  } catch (...) {
    spdlog::error("the admin endpoint could not answer a request");
  }
  return MHD_NO;
}

}  // namespace

struct HttpServer::Daemon {
  HttpHandler handler;
  MHD_Daemon* mhd = nullptr;
};

HttpServer::HttpServer(UniqueFd listener, HttpHandler handler)
    : listener_(std::move(listener)), daemon_(new Daemon{std::move(handler), nullptr}) {}

tl::expected<std::unique_ptr<HttpServer>, std::string> HttpServer::start(UniqueFd listener,
                                                                         HttpHandler handler) {
  std::unique_ptr<HttpServer> server(new HttpServer(std::move(listener), std::move(handler)));
  errno = 0;
  // With MHD_USE_ITC the listener can be taken back, and stays ours to close.
  server->daemon_->mhd = MHD_start_daemon(
      MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, nullptr, nullptr, &on_request,
      &server->daemon_->handler, MHD_OPTION_LISTEN_SOCKET, server->listener_.get(),
      MHD_OPTION_CONNECTION_LIMIT, kMaxConnections, MHD_OPTION_CONNECTION_TIMEOUT, kTimeoutS,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionMemoryBytes, MHD_OPTION_END);
  if (server->daemon_->mhd == nullptr) {
    return tl::unexpected(system_error("the admin endpoint's HTTP server does not start"));
  }
  return server;
}

HttpServer::~HttpServer() {
  if (daemon_->mhd == nullptr) return;
  MHD_quiesce_daemon(daemon_->mhd);
  MHD_stop_daemon(daemon_->mhd);
}

HttpResponse error_response(unsigned status, std::string_view what_happened,
                            std::string_view what_to_do) {
  JsonWriter json;
  json.begin_object();
  json.member("what_happened", what_happened);
  json.member("what_to_do", what_to_do);
  json.end_object();
  return {.status = status, .body = json.take()};
}

}  // namespace chatd
