// What the admin endpoint answers to which path. It only looks; nothing can be changed over it.
// Thread: the HTTP server's.
#pragma once

#include <functional>
#include <utility>

#include "server/admin/http_server.h"
#include "server/admin/questions.h"
#include "server/admin/take_snapshot.h"
#include "server/config/configuration.h"

namespace chatd {

// What is in force now; may be asked on any thread.
using CurrentConfiguration = std::function<config::Configuration()>;

class AdminSite {
 public:
  // `checks_host`: requests that name a host must name this one (admin_address.h).
  AdminSite(Questions& questions, CurrentConfiguration configuration, bool checks_host)
      : questions_(questions),
        configuration_(std::move(configuration)),
        checks_host_(checks_host),
        start_(StartTime::now()) {}

  HttpResponse answer(const HttpRequest& request);

 private:
  HttpResponse health();
  HttpResponse readiness();
  HttpResponse metrics();
  HttpResponse status();
  HttpResponse rooms(const HttpRequest& request);
  HttpResponse members(const HttpRequest& request);

  Questions& questions_;
  CurrentConfiguration configuration_;
  bool checks_host_;
  StartTime start_;
};

}  // namespace chatd
