// Who is banned, by the configuration and by an operator, in one place; shards have lists that are
// made of it (core/control/ban_list.h). What an operator bans is kept in the state directory, and
// passed on in a hand-over. Thread: any. list() never waits for the disk, and so may be called on a
// shard's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "core/base/time.h"
#include "core/control/ban_list.h"

namespace chatd {

class BanBook {
 public:
  // With what an earlier chatd has kept in the directory, or in `left`, which another process has
  // passed on, if that is not empty. Without a directory nothing is kept. An error is a sentence
  // that says what to do.
  static tl::expected<std::unique_ptr<BanBook>, std::string> open(const std::string& directory,
                                                                  std::string_view left);
  BanBook(const BanBook&) = delete;
  BanBook& operator=(const BanBook&) = delete;

  // Those of the configuration, instead of those before: lists as it has them. They do not end, and
  // count more than an operator's for the same target.
  void configure(std::string_view addresses, std::string_view names);

  enum class Outcome : std::uint8_t {
    kDone,
    kConfigured,  // the configuration bans it: nothing has changed
    kNotBanned,   // there is nothing to take back
    kFull,        // there are kMaxBans already
  };
  // From here on list() has it, or has not. One that is there for the same target is replaced.
  Outcome ban(Ban ban);
  Outcome unban(const BanTarget& target);
  // Why what an operator has banned does not outlive this process; empty: it does.
  std::string why_not_kept() const;

  struct Entry {
    Ban ban;
    bool is_configured = false;
  };
  // Those in force: addresses, then names.
  std::vector<Entry> entries(TimeMs now_ms) const;
  std::size_t size(TimeMs now_ms) const;

  BanListPointer list() const;

  // The operator's, for another process.
  std::string to_json() const;

 private:
  using Bans = std::map<std::string, Ban>;  // by what must not be there twice

  explicit BanBook(std::string path) : path_(std::move(path)) {}

  void renew_list();
  void keep();
  std::string json_of_operators() const;

  const std::string path_;  // of the file; empty: there is none
  mutable std::mutex mutex_;
  Bans configured_;
  Bans by_operator_;
  std::string failure_;  // of the last attempt to write

  mutable std::mutex list_mutex_;
  BanListPointer list_ = std::make_shared<const BanList>();
};

}  // namespace chatd
