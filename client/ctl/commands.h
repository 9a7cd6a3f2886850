// chatctl's commands: each asks the endpoint, and prints what it says as a table, a line or JSON.
// Answers go to stdout, errors to stderr. Thread: the main one.
#pragma once

#include <string>

#include "client/ctl/endpoint.h"
#include "client/ctl/options.h"
#include "client/ctl/pages.h"

namespace chatd::client::ctl {

class Commands {
 public:
  explicit Commands(const Options& options) : options_(options), endpoint_(options.address) {}

  ExitCode run();

 private:
  ExitCode show_status();
  ExitCode show_rooms();
  ExitCode show_members();
  template <class Show>
  ExitCode show_document(const char* path, Show show);
  ExitCode show_config();
  ExitCode show_bans();
  ExitCode ban();
  // Has something done, and says what came of it.
  ExitCode have_done(const std::string& path, const Parameters& parameters = {},
                     long timeout_ms = Endpoint::kTimeoutMs);
  // Says what came of what was asked for.
  ExitCode tell(const tl::expected<EndpointAnswer, std::string>& answer) const;
  ExitCode fail(const PagesFailure& failure) const;
  // An answer that says failure.
  ExitCode refuse(const EndpointAnswer& answer) const;

  const Options& options_;
  Endpoint endpoint_;
};

}  // namespace chatd::client::ctl
