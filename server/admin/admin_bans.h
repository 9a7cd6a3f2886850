// /bans of the admin endpoint: GET shows who is banned, POST bans and DELETE takes a ban back. What
// changes something is done only over a socket file, as with the other commands
// (server/admin/admin_commands.h), and logged. Thread: the HTTP server's.
#pragma once

#include <string_view>

#include "core/control/ban_list.h"
#include "server/admin/http_server.h"
#include "server/admin/shard_query.h"
#include "server/bans/ban_book.h"

namespace chatd {

class AdminBans {
 public:
  static constexpr std::string_view kPath = "/bans";

  // `is_allowed`: the endpoint is a socket file.
  AdminBans(ShardQuery& query, BanBook& book, bool is_allowed)
      : query_(query), book_(book), is_allowed_(is_allowed) {}

  HttpResponse answer(const HttpRequest& request);

 private:
  HttpResponse show() const;
  HttpResponse ban(const HttpRequest& request);
  HttpResponse unban(const HttpRequest& request);
  // All shards have the list as it is now, or the answer says that it is not known.
  HttpResponse apply(std::string_view title);

  ShardQuery& query_;
  BanBook& book_;
  bool is_allowed_;
};

}  // namespace chatd
