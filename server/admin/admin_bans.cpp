#include "server/admin/admin_bans.h"

#include <spdlog/spdlog.h>

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <variant>

#include "core/base/json_writer.h"
#include "core/base/names.h"
#include "core/base/utf8.h"
#include "core/relay/relay.h"
#include "server/admin/refusals.h"
#include "server/bans/ban_file.h"
#include "server/bans/ban_text.h"
#include "server/log/rate_limited_log.h"
#include "server/os/wait.h"

namespace chatd {
namespace {

constexpr TimeMs kSecondMs = 1000;

HttpResponse bad_request(std::string_view title, std::string_view detail) {
  return error_response(http::kBadRequest, title, detail);
}

tl::expected<BanTarget, HttpResponse> target_in(const HttpRequest& request) {
  const std::string_view address = request.parameter("address");
  const std::string_view name = request.parameter("name");
  if (address.empty() == name.empty()) {
    return tl::unexpected(bad_request("it takes an address or a name, and not both",
                                      "ask for /bans?address=ADDRESS, /bans?address="
                                      "ADDRESS/PREFIX or /bans?name=NAME"));
  }
  if (address.empty()) {
    if (is_valid_name(name)) return BanTarget(std::string(name));
    return tl::unexpected(bad_request("nobody can have this name",
                                      "a name has 1 to 255 bytes of UTF-8, something to see and "
                                      "no control characters"));
  }
  const auto range = AddressRange::parse(address);
  if (!range) {
    return tl::unexpected(bad_request("this address cannot be banned", range.error()));
  }
  return BanTarget(*range);
}

// The end, or nothing: it is for good.
tl::expected<std::optional<TimeMs>, HttpResponse> end_in(const HttpRequest& request,
                                                         TimeMs now_ms) {
  const std::string_view text = request.parameter("for");
  if (text.empty()) return std::nullopt;
  const auto lasts_ms = parse_duration_ms(text);
  if (lasts_ms && *lasts_ms > 0) return now_ms + static_cast<TimeMs>(*lasts_ms);
  return tl::unexpected(
      bad_request("for is not a duration", "write a number and a unit: 90s, 30min, 12h"));
}

// "the name mallory", "203.0.113.0/24".
std::string described(const BanTarget& target) {
  return (std::holds_alternative<std::string>(target) ? "the name " : "") + to_text(target);
}

std::string described_in_log(const BanTarget& target) {
  const auto* const name = std::get_if<std::string>(&target);
  return name != nullptr ? "the name " + quoted(*name) : to_text(target);
}

std::string duration_text(const Ban& ban, TimeMs now_ms) {
  if (!ban.ends_at_ms) return "for good";
  const TimeMs left_ms = *ban.ends_at_ms - now_ms;
  return "for " + std::to_string((left_ms + kSecondMs - 1) / kSecondMs) + " s";
}

// Whoever has opened the socket file.
std::string who(const HttpRequest& request) {
  return request.user ? "user " + std::to_string(*request.user) : "somebody";
}

HttpResponse configured() {
  return error_response(http::kConflict, "the configuration bans it",
                        "change bans.addresses or bans.names there, and reload");
}

}  // namespace

HttpResponse AdminBans::answer(const HttpRequest& request) {
  if (request.method == "GET" || request.method == "HEAD") return show();
  if (request.method != "POST" && request.method != "DELETE") {
    HttpResponse refusal =
        error_response(http::kMethodNotAllowed, "this path takes GET, HEAD, POST and DELETE",
                       "GET shows who is banned, POST bans, DELETE takes a ban back");
    refusal.headers.emplace_back("Allow", "GET, HEAD, POST, DELETE");
    return refusal;
  }
  if (!is_allowed_) return not_over_tcp();
  return request.method == "POST" ? ban(request) : unban(request);
}

HttpResponse AdminBans::show() const {
  const TimeMs now_ms = monotonic_now_ms();
  JsonWriter json;
  json.begin_object();
  json.key("bans");
  json.begin_array();
  for (const BanBook::Entry& entry : book_.entries(now_ms)) {
    json.begin_object();
    write_ban(json, entry.ban);
    json.member("configured", entry.is_configured);
    if (entry.ban.ends_at_ms) {
      json.member("ends_in_s", std::uint64_t{(*entry.ban.ends_at_ms - now_ms) / kSecondMs});
    }
    json.end_object();
  }
  json.end_array();
  const std::string not_kept = book_.why_not_kept();
  json.member("kept", not_kept.empty());
  if (!not_kept.empty()) json.member("why_not_kept", std::string_view(not_kept));
  json.end_object();
  return {.status = 200, .body = escape_hidden(json.take())};
}

HttpResponse AdminBans::ban(const HttpRequest& request) {
  const TimeMs now_ms = monotonic_now_ms();
  auto target = target_in(request);
  if (!target) return target.error();
  const std::string reason(request.parameter("reason"));
  if (!is_valid_ban_reason(reason)) {
    return bad_request("this reason cannot be told",
                       "a reason has at most 200 bytes of UTF-8 and no control characters");
  }
  const auto end = end_in(request, now_ms);
  if (!end) return end.error();
  const Ban ban{.target = std::move(*target), .reason = reason, .ends_at_ms = *end};
  switch (book_.ban(ban)) {
    case BanBook::Outcome::kConfigured:
      return configured();
    case BanBook::Outcome::kFull:
      return error_response(http::kConflict,
                            "there are " + std::to_string(kMaxBans) + " bans already",
                            "take some back, or ban a range instead of its addresses");
    default:
      break;
  }
  const std::string duration = duration_text(ban, now_ms);
  spdlog::info("admin: {} has banned {} {}{}", who(request), described_in_log(ban.target), duration,
               reason.empty() ? "" : ": " + quoted(reason));
  return apply(described(ban.target) + " is banned " + duration);
}

HttpResponse AdminBans::unban(const HttpRequest& request) {
  const auto target = target_in(request);
  if (!target) return target.error();
  switch (book_.unban(*target)) {
    case BanBook::Outcome::kConfigured:
      return configured();
    case BanBook::Outcome::kNotBanned:
      return error_response(http::kNotFound, described(*target) + " is not banned",
                            "chatctl bans, or GET /bans, has all bans: they are taken back as they "
                            "stand there");
    default:
      break;
  }
  spdlog::info("admin: {} has taken back the ban of {}", who(request), described_in_log(*target));
  return apply(described(*target) + " is not banned any more");
}

HttpResponse AdminBans::apply(std::string_view title) {
  const auto told = query_.ask_all([&book = book_](const TaskContext& site) {
    site.relay.set_bans(book.list());
    return true;
  });
  if (!told) return not_confirmed(told.error());
  const std::string not_kept = book_.why_not_kept();
  const std::string detail = "bans are forgotten when chatd ends: " + not_kept;
  JsonWriter json;
  json.begin_object();
  json.member("title", title);
  if (!not_kept.empty()) json.member("detail", std::string_view(detail));
  json.end_object();
  return {.status = 200, .body = json.take()};
}

}  // namespace chatd
