// The configuration of a running chatd, and how it changes: SIGHUP loads it again from where it
// came from. It is checked as a whole first, and a bad one changes nothing. What can change then
// holds for members who are there, too; what needs a restart is said by name, and stays. Thread:
// reload() and has_file() on the main one, the rest on any.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "server/config/configuration.h"
#include "server/server.h"

namespace chatd {

// What came of a reload, in the words of the log.
struct ReloadReport {
  std::uint64_t number = 0;  // reloads count from 1
  bool is_loaded = false;    // false: what is wrong, with its place, and nothing has changed
  std::vector<std::string> lines = {};
};

class Reloader {
 public:
  // `argc` and `argv` as main has got them: they count again at each reload.
  Reloader(config::Configuration configuration, int argc, const char* const* argv)
      : configuration_(std::move(configuration)), argc_(argc), argv_(argv) {}

  // Whether there is a file that may have changed.
  bool has_file() const { return configuration_.file.has_value(); }

  // What comes of it is in the log, and in the report.
  void reload(Server& server);

  // Another process reloads instead: `how` is the report.
  void pass_on(std::string how);

  // How many reloads have begun.
  std::uint64_t begun() const;
  // The report on one that began after so many others: whoever asks for a reload then knows that
  // the file was read after that. Nothing when there is none yet.
  std::optional<ReloadReport> report_after(std::uint64_t others) const;

  // What is in force.
  config::Configuration configuration() const;

 private:
  ReloadReport load_again(Server& server);

  mutable std::mutex mutex_;
  std::uint64_t begun_ = 0;
  ReloadReport report_;  // the last one
  config::Configuration configuration_;
  int argc_;
  const char* const* argv_;
};

}  // namespace chatd
