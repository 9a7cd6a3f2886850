// What an operator can have done over the admin endpoint (chatctl does): put a member out, end a
// room, drain, reload, another log level. Only over a socket file, which the file system guards: a
// loopback port is open to everybody on this machine. Each one is logged.
//
// Rooms are the shards': an errand does it. Drains and reloads are the main thread's: it gets the
// same signal as from kill(1). Thread: the HTTP server's.
#pragma once

#include <string>
#include <string_view>

#include "server/admin/http_server.h"
#include "server/admin/questions.h"
#include "server/life/reloader.h"

namespace chatd {

class AdminActions {
 public:
  // `is_allowed`: the endpoint is a socket file.
  AdminActions(Questions& questions, Reloader& reloader, bool is_allowed)
      : questions_(questions), reloader_(reloader), is_allowed_(is_allowed) {}

  // Whether this path is one of them.
  static bool has(std::string_view path);
  // It must be. The method decides whether it is asked for as it should be.
  HttpResponse answer(const HttpRequest& request);

 private:
  HttpResponse kick(const HttpRequest& request);
  HttpResponse close_room(const HttpRequest& request);
  HttpResponse drain();
  HttpResponse reload();
  static HttpResponse set_log_level(const HttpRequest& request);

  Questions& questions_;
  Reloader& reloader_;
  bool is_allowed_;
};

}  // namespace chatd
