// The configuration of a running chatd, and how it changes: SIGHUP loads it again from the same
// sources. It is checked as a whole first, and an error changes nothing. What can change then
// applies to members who are there, too; what needs a restart is named and stays. Thread: reload()
// and has_file() on the main one, the rest on any.
#pragma once

#include <mutex>
#include <utility>

#include "server/config/configuration.h"
#include "server/lifecycle/command_queue.h"
#include "server/shard/server.h"

namespace chatd {

class Reloader {
 public:
  // `argc` and `argv` are main's: each reload reads them again.
  Reloader(config::Configuration configuration, int argc, const char* const* argv)
      : configuration_(std::move(configuration)), argc_(argc), argv_(argv) {}

  // Whether there is a file that may have changed.
  bool has_file() const {
    return configuration_.file.has_value() || configuration_.options.tls_certificate != kSelfSigned;
  }

  // The result is also logged; errors with their places.
  CommandResult reload(Server& server);

  // What is in force.
  config::Configuration configuration() const;

 private:
  mutable std::mutex mutex_;
  config::Configuration configuration_;
  int argc_;
  const char* const* argv_;
};

}  // namespace chatd
