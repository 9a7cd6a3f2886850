// The admin endpoint: HTTP for whoever runs chatd, off unless --admin asks for it. It shows what
// chatd does (a status page, metrics for Prometheus, rooms and members as JSON) and, at a socket
// file, does what an operator wants done; docs/guide/operations.md has the list.
//
// It costs messages nothing: counters stay plain numbers of their shard, and are copied there by an
// task when somebody asks. In a hand-over the listener goes to the next chatd, so nobody who asks
// finds nobody there. Thread: opened and closed on the main one; answers on one of its own.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "server/admin/admin_routes.h"
#include "server/admin/http_server.h"
#include "server/admin/shard_query.h"
#include "server/bans/ban_book.h"
#include "server/config/admin_address.h"
#include "server/group/shard_group.h"
#include "server/lifecycle/command_queue.h"
#include "server/os/unique_fd.h"

namespace chatd {

class Admin {
 public:
  // Listens at `address`, as --admin says it, or on `listener`, which was opened for it. What the
  // site refers to must outlive it. An error is a sentence that says what failed and what to do.
  static tl::expected<std::unique_ptr<Admin>, std::string> open(
      std::string_view address, UniqueFd listener, ShardGroup& group, BanBook& ban_book,
      Reloader& reloader, CommandQueue& commands);
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;
  // Within a moment, also when a shard hangs or has ended.
  ~Admin();

  // From here on it answers.
  tl::expected<void, std::string> serve();
  // While another process gets ready to do so (http_server.h).
  void pause();
  tl::expected<void, std::string> resume();
  int listener_fd() const { return listener_.get(); }
  // Another process has it now: the socket file stays.
  void leave_to_another() { is_left_ = true; }

  // Where it is: http://127.0.0.1:9100/ or unix:/PATH.
  const std::string& place() const { return place_; }

 private:
  Admin(AdminAddress address, UniqueFd listener, ShardGroup& group, BanBook& ban_book,
        Reloader& reloader, CommandQueue& commands);

  AdminAddress address_;
  UniqueFd listener_;
  bool is_left_ = false;
  ShardQuery query_;
  AdminRoutes routes_;
  std::string place_;
  std::unique_ptr<HttpServer> http_;  // the last: it uses the others
};

}  // namespace chatd
