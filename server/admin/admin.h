// The admin endpoint: HTTP for whoever runs chatd, off unless --admin asks for it. It shows what
// chatd does (a status page, metrics for Prometheus, rooms and members as JSON) and, at a socket
// file, does what an operator wants done; docs/operations.md has the list.
//
// It costs messages nothing: counters stay plain numbers of their shard, and are copied there by an
// errand when somebody asks. Thread: opened and closed on the main one; answers on one of its own.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "server/admin/admin_address.h"
#include "server/admin/admin_site.h"
#include "server/admin/http_server.h"
#include "server/admin/questions.h"
#include "server/shards/switchboard.h"

namespace chatd {

class Admin {
 public:
  // `address` as --admin says it. `board` and `reloader` must outlive it. An error is a sentence
  // that says what failed and what to do.
  static tl::expected<std::unique_ptr<Admin>, std::string> open(std::string_view address,
                                                                Switchboard& board,
                                                                Reloader& reloader);
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;
  // Within some milliseconds, also when a shard hangs or has ended.
  ~Admin();

  // Where it is: http://127.0.0.1:9100/ or unix:/PATH.
  const std::string& place() const { return place_; }

 private:
  Admin(AdminAddress address, Switchboard& board, Reloader& reloader);

  AdminAddress address_;
  Questions questions_;
  AdminSite site_;
  std::string place_;
  std::unique_ptr<HttpServer> http_;  // the last: it uses the others
};

}  // namespace chatd
