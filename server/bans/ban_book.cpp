#include "server/bans/ban_book.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>
#include <variant>

#include "core/base/names.h"
#include "server/bans/ban_file.h"
#include "server/bans/ban_text.h"
#include "server/os/private_file.h"
#include "server/os/wait.h"

namespace chatd {
namespace {

std::string key_of(const BanTarget& target) {
  if (const auto* const range = std::get_if<AddressRange>(&target)) {
    return std::string("a").append(range->network().key()) +
           static_cast<char>(range->prefix_bits());
  }
  return "n" + folded_name(std::get<std::string>(target));
}

template <class Bans>
void remove_over(Bans& bans, TimeMs now_ms) {
  std::erase_if(bans, [now_ms](const auto& each) { return each.second.is_over(now_ms); });
}

// Empty where there is no file.
tl::expected<std::string, std::string> read_file(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error) && !error) return std::string();
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file || text.view().empty()) {
    return tl::unexpected<std::string>("it cannot be read, or is empty");
  }
  return std::move(text).str();
}

}  // namespace

tl::expected<std::unique_ptr<BanBook>, std::string> BanBook::open(const std::string& directory,
                                                                  std::string_view left) {
  std::string path = directory.empty() ? "" : directory + "/" + kBansFile;
  tl::expected<std::string, std::string> text = std::string(left);
  if (left.empty() && !path.empty()) text = read_file(path);
  tl::expected<std::vector<Ban>, std::string> bans;
  if (text && !text->empty()) bans = bans_from_json(*text, BanClock::now());
  if (!text || !bans) {
    return tl::unexpected((left.empty() ? path : "what the old process has banned") + ": " +
                          (text ? bans.error() : text.error()) +
                          ": mend it, or remove it to begin without bans");
  }
  std::unique_ptr<BanBook> book(new BanBook(std::move(path)));
  for (Ban& ban : *bans) book->by_operator_.insert_or_assign(key_of(ban.target), std::move(ban));
  book->renew_list();
  return book;
}

void BanBook::configure(std::string_view addresses, std::string_view names) {
  const std::lock_guard lock(mutex_);
  configured_.clear();
  const auto add = [this](const BanTarget& target) {
    configured_.insert_or_assign(key_of(target), Ban{.target = target});
  };
  if (const auto ranges = parse_address_ranges(addresses)) std::ranges::for_each(*ranges, add);
  if (const auto texts = parse_banned_names(names)) std::ranges::for_each(*texts, add);
  renew_list();
}

BanBook::Outcome BanBook::ban(Ban ban) {
  const std::lock_guard lock(mutex_);
  remove_over(by_operator_, monotonic_now_ms());
  std::string key = key_of(ban.target);
  if (configured_.contains(key)) return Outcome::kConfigured;
  if (by_operator_.size() >= kMaxBans && !by_operator_.contains(key)) return Outcome::kFull;
  by_operator_.insert_or_assign(std::move(key), std::move(ban));
  renew_list();
  keep();
  return Outcome::kDone;
}

BanBook::Outcome BanBook::unban(const BanTarget& target) {
  const std::lock_guard lock(mutex_);
  remove_over(by_operator_, monotonic_now_ms());
  const std::string key = key_of(target);
  if (configured_.contains(key)) return Outcome::kConfigured;
  if (by_operator_.erase(key) == 0) return Outcome::kNotBanned;
  renew_list();
  keep();
  return Outcome::kDone;
}

std::string BanBook::why_not_kept() const {
  if (path_.empty()) return "chatd has no state directory ($STATE_DIRECTORY)";
  const std::lock_guard lock(mutex_);
  return failure_;
}

std::vector<BanBook::Entry> BanBook::entries(TimeMs now_ms) const {
  const std::lock_guard lock(mutex_);
  std::map<std::string_view, Entry> all;
  for (const auto& [key, ban] : configured_) all[key] = {.ban = ban, .is_configured = true};
  for (const auto& [key, ban] : by_operator_) {
    if (!ban.is_over(now_ms)) all.try_emplace(key, Entry{.ban = ban});
  }
  std::vector<Entry> entries;
  entries.reserve(all.size());
  for (auto& [key, entry] : all) entries.push_back(std::move(entry));
  return entries;
}

std::size_t BanBook::size(TimeMs now_ms) const {
  const std::lock_guard lock(mutex_);
  const auto operators = std::ranges::count_if(by_operator_, [&](const auto& each) {
    return !each.second.is_over(now_ms) && !configured_.contains(each.first);
  });
  return configured_.size() + static_cast<std::size_t>(operators);
}

BanListPointer BanBook::list() const {
  const std::lock_guard lock(list_mutex_);
  return list_;
}

std::string BanBook::to_json() const {
  const std::lock_guard lock(mutex_);
  return json_of_operators();
}

std::string BanBook::json_of_operators() const {
  std::vector<Ban> bans;
  for (const auto& [key, ban] : by_operator_) bans.push_back(ban);
  return bans_to_json(bans, BanClock::now());
}

// The configuration's come last, and so count.
void BanBook::renew_list() {
  std::vector<Ban> bans;
  for (const auto& [key, ban] : by_operator_) bans.push_back(ban);
  for (const auto& [key, ban] : configured_) bans.push_back(ban);
  auto list = std::make_shared<const BanList>(std::move(bans));
  const std::lock_guard lock(list_mutex_);
  list_.swap(list);
}

void BanBook::keep() {
  if (path_.empty()) return;
  const auto written = write_private_file(path_, json_of_operators());
  failure_ = written ? "" : written.error();
  if (!written) {
    spdlog::warn("{} cannot be kept ({}): what is banned now is forgotten at the next start", path_,
                 written.error());
  }
}

}  // namespace chatd
