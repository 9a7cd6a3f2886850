#include "server/admin/admin.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "server/net/socket_address.h"

namespace chatd {

Admin::Admin(AdminAddress address, Switchboard& board, Reloader& reloader)
    : address_(std::move(address)),
      questions_(board),
      site_(questions_, reloader, address_.is_unix()) {}

tl::expected<std::unique_ptr<Admin>, std::string> Admin::open(std::string_view address,
                                                              Switchboard& board,
                                                              Reloader& reloader) {
  auto parsed = parse_admin_address(address);
  if (!parsed) return tl::unexpected("--admin: " + parsed.error());
  auto listener = open_admin_listener(*parsed);
  if (!listener) return tl::unexpected(listener.error());
  std::unique_ptr<Admin> admin(new Admin(std::move(*parsed), board, reloader));
  admin->place_ = admin->address_.is_unix()
                      ? std::string(address)
                      : "http://" + to_text(local_endpoint(listener->get())) + "/";
  auto http = HttpServer::start(
      std::move(*listener),
      [site = &admin->site_](const HttpRequest& request) { return site->answer(request); });
  if (!http) return tl::unexpected(http.error());
  admin->http_ = std::move(*http);
  return admin;
}

Admin::~Admin() {
  questions_.end();
  http_.reset();
  if (!address_.is_unix()) return;
  std::error_code error;  // a file that stays is replaced by the next chatd
  std::filesystem::remove(address_.socket_path, error);
}

}  // namespace chatd
