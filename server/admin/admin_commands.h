// What an operator can have done over the admin endpoint (chatctl does): put a member out, end a
// room, drain, reload, another log level. Only over a socket file, which the file system guards: a
// loopback port is open to everybody on this machine. Each one is logged.
//
// Rooms are the shards': a task does it. Drains and reloads are the main thread's: they go into
// its queue, as a signal does. Thread: the HTTP server's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/admin/http_server.h"
#include "server/admin/shard_query.h"
#include "server/lifecycle/command_queue.h"
#include "server/lifecycle/reloader.h"

namespace chatd {

class AdminCommands {
 public:
  // `is_allowed`: the endpoint is a socket file.
  AdminCommands(ShardQuery& query, Reloader& reloader, CommandQueue& commands, bool is_allowed)
      : query_(query), reloader_(reloader), commands_(commands), is_allowed_(is_allowed) {}

  // Whether this path is one of them.
  static bool has(std::string_view path);
  // It must be. The method decides whether it is asked for as it should be. Nothing: `reply` gives
  // the answer later.
  std::optional<HttpResponse> answer(const HttpRequest& request, const HttpReply& reply);

 private:
  HttpResponse kick(const HttpRequest& request);
  HttpResponse close_room(const HttpRequest& request);
  HttpResponse drain();
  std::optional<HttpResponse> reload(const HttpReply& reply);
  static HttpResponse set_log_level(const HttpRequest& request);

  ShardQuery& query_;
  Reloader& reloader_;
  CommandQueue& commands_;
  bool is_allowed_;
};

}  // namespace chatd
