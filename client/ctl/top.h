// chatctl top: what chatd does, drawn afresh each second on a terminal; q or Ctrl-C ends it. On a
// pipe it is one look. Thread: the main one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "client/ctl/endpoint.h"
#include "client/ctl/options.h"
#include "client/ctl/status.h"

namespace chatd::client::ctl {

// Rooms as a table; `rows` is the JSON of each.
std::string rooms_table(const std::vector<std::string>& rows);

class Top {
 public:
  Top(Endpoint& endpoint, bool json) : endpoint_(endpoint), json_(json) {}

  ExitCode run();

 private:
  // What is to be seen now; an error is a sentence.
  tl::expected<std::string, std::string> look();
  std::string largest_rooms();
  ExitCode run_on_terminal();

  Endpoint& endpoint_;
  bool json_;
  std::optional<Status> before_;
};

}  // namespace chatd::client::ctl
