#include "server/admin/admin.h"

#include <utility>

#include "server/os/socket_address.h"

namespace chatd {

Admin::Admin(AdminAddress address, UniqueFd listener, ShardGroup& group, BanBook& ban_book,
             Reloader& reloader, CommandQueue& commands)
    : address_(std::move(address)),
      listener_(std::move(listener)),
      query_(group),
      routes_(query_, ban_book, reloader, commands, address_.is_unix()) {}

tl::expected<std::unique_ptr<Admin>, std::string> Admin::open(std::string_view address,
                                                              UniqueFd listener, ShardGroup& group,
                                                              BanBook& ban_book, Reloader& reloader,
                                                              CommandQueue& commands) {
  auto parsed = parse_admin_address(address);
  if (!parsed) return tl::unexpected("--admin: " + parsed.error());
  if (!listener) {
    auto opened = open_admin_listener(*parsed);
    if (!opened) return tl::unexpected(opened.error());
    listener = std::move(*opened);
  }
  std::unique_ptr<Admin> admin(
      new Admin(std::move(*parsed), std::move(listener), group, ban_book, reloader, commands));
  admin->place_ = admin->address_.is_unix()
                      ? std::string(address)
                      : "http://" + to_text(local_endpoint(admin->listener_fd())) + "/";
  return admin;
}

tl::expected<void, std::string> Admin::serve() {
  auto http = HttpServer::start(listener_.get(),
                                [this](const HttpRequest& request, const HttpReply& reply) {
                                  return routes_.answer(request, reply);
                                });
  if (!http) return tl::unexpected(http.error());
  http_ = std::move(*http);
  return {};
}

void Admin::pause() {
  if (http_) http_->pause();
}

tl::expected<void, std::string> Admin::resume() {
  return http_ ? http_->resume() : serve();
}

Admin::~Admin() {
  query_.end();
  http_.reset();
  if (!is_left_) remove_socket_file(address_);
}

}  // namespace chatd
