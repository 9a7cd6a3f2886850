#include "server/bans/ban_file.h"

#include <simdjson.h>

#include <chrono>
#include <optional>
#include <utility>
#include <variant>

#include "core/base/names.h"
#include "server/bans/ban_text.h"
#include "server/os/wait.h"

namespace chatd {
namespace {

using simdjson::dom::element;

std::optional<BanTarget> read_target(element object) {
  std::string_view text;
  if (object["address"].get(text) == simdjson::SUCCESS) {
    const auto range = AddressRange::parse(text);
    return range ? std::optional<BanTarget>(*range) : std::nullopt;
  }
  if (object["name"].get(text) == simdjson::SUCCESS && is_valid_name(text)) {
    return std::string(text);
  }
  return std::nullopt;
}

std::optional<Ban> read_ban(element object, const BanClock& clock) {
  auto target = read_target(object);
  std::string_view reason;
  if (!target || object["reason"].get(reason) != simdjson::SUCCESS ||
      !is_valid_ban_reason(reason)) {
    return std::nullopt;
  }
  Ban ban{.target = std::move(*target), .reason = std::string(reason)};
  element end;
  if (object["ends_at_ms"].get(end) == simdjson::SUCCESS) {
    std::uint64_t unix_ms = 0;
    if (end.get(unix_ms) != simdjson::SUCCESS) return std::nullopt;
    ban.ends_at_ms = unix_ms > clock.unix_ms ? clock.now_ms + (unix_ms - clock.unix_ms) : 0;
  }
  return ban;
}

}  // namespace

BanClock BanClock::now() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return {.now_ms = monotonic_now_ms(),
          .unix_ms = static_cast<std::uint64_t>(
              std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count())};
}

void write_ban(JsonWriter& json, const Ban& ban) {
  const std::string target = to_text(ban.target);
  const bool is_address = std::holds_alternative<AddressRange>(ban.target);
  json.member(is_address ? "address" : "name", std::string_view(target));
  json.member("reason", std::string_view(ban.reason));
}

std::string bans_to_json(const std::vector<Ban>& bans, const BanClock& clock) {
  JsonWriter json;
  json.begin_object();
  json.key("bans");
  json.begin_array();
  for (const Ban& ban : bans) {
    if (ban.is_over(clock.now_ms)) continue;
    json.begin_object();
    write_ban(json, ban);
    if (ban.ends_at_ms) {
      json.member("ends_at_ms", clock.unix_ms + (*ban.ends_at_ms - clock.now_ms));
    }
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json.take();
}

tl::expected<std::vector<Ban>, std::string> bans_from_json(std::string_view text,
                                                           const BanClock& clock) {
  simdjson::dom::parser parser;
  element root;
  simdjson::dom::array all;
  if (parser.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS ||
      root["bans"].get(all) != simdjson::SUCCESS) {
    return tl::unexpected<std::string>("it is no JSON object with a list of bans");
  }
  std::vector<Ban> bans;
  for (const element object : all) {
    auto ban = read_ban(object, clock);
    if (!ban) {
      return tl::unexpected("ban number " + std::to_string(bans.size() + 1) +
                            " has no address or name that can be banned, or a reason or an end "
                            "that cannot be");
    }
    if (!ban->is_over(clock.now_ms)) bans.push_back(std::move(*ban));
  }
  return bans;
}

}  // namespace chatd
