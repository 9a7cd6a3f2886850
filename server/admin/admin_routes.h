// What the admin endpoint answers to which path. It looks; admin_commands.h and admin_bans.h have
// what changes something.
// Thread: the HTTP server's.
#pragma once

#include <optional>

#include "server/admin/admin_bans.h"
#include "server/admin/admin_commands.h"
#include "server/admin/collect_stats.h"
#include "server/admin/http_server.h"
#include "server/admin/shard_query.h"
#include "server/bans/ban_book.h"
#include "server/lifecycle/command_queue.h"
#include "server/lifecycle/reloader.h"

namespace chatd {

class AdminRoutes {
 public:
  // `is_unix`: it is a socket file, and not a port. At a port, requests that name a host must name
  // this one (admin_address.h).
  AdminRoutes(ShardQuery& query, BanBook& ban_book, Reloader& reloader, CommandQueue& commands,
              bool is_unix)
      : query_(query),
        ban_book_(ban_book),
        reloader_(reloader),
        commands_(query, reloader, commands, is_unix),
        bans_(query, ban_book, is_unix),
        checks_host_(!is_unix),
        start_(StartTime::now()) {}

  // Nothing: `reply` gives it later.
  std::optional<HttpResponse> answer(const HttpRequest& request, const HttpReply& reply);

 private:
  HttpResponse look(const HttpRequest& request);
  HttpResponse health();
  HttpResponse readiness();
  HttpResponse metrics();
  HttpResponse status();
  HttpResponse rooms(const HttpRequest& request);
  HttpResponse members(const HttpRequest& request);

  ShardQuery& query_;
  const BanBook& ban_book_;
  Reloader& reloader_;
  AdminCommands commands_;
  AdminBans bans_;
  bool checks_host_;
  StartTime start_;
};

}  // namespace chatd
