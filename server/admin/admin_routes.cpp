#include "server/admin/admin_routes.h"

#include <charconv>
#include <cstdint>
#include <string_view>
#include <system_error>

#include "core/base/json_writer.h"
#include "core/relay/relay.h"
#include "server/admin/documents.h"
#include "server/admin/roster_pages.h"
#include "server/admin/status_page.h"
#include "server/config/admin_address.h"

namespace chatd {
namespace {

constexpr std::uint32_t kUsualLimit = 100;
constexpr std::uint32_t kMaxLimit = 1000;
// A page of rooms is given as it is after so many looks at shards (roster_pages.h).
constexpr int kMaxLooks = 300;

HttpResponse json_response(std::string body) {
  return {.status = 200, .body = std::move(body)};
}

HttpResponse not_answered(std::string_view reason) {
  return error_response(http::kUnavailable, reason,
                        "try again; if it stays like this, look at chatd's log and at its "
                        "threads (top -H), and restart it");
}

HttpResponse refuse_method() {
  HttpResponse response = error_response(
      http::kMethodNotAllowed, "this path is for looking, and takes GET and HEAD only",
      "ask with GET; /kick, /close-room, /drain, /reload and /log-level take POST, and /bans "
      "POST and DELETE");
  response.headers.emplace_back("Allow", "GET, HEAD");
  return response;
}

HttpResponse bad_parameter(std::string_view title, std::string_view detail) {
  return error_response(http::kBadRequest, title, detail);
}

tl::expected<std::uint32_t, HttpResponse> number_in(std::string_view text,
                                                    const HttpResponse& otherwise) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  return tl::unexpected(otherwise);
}

tl::expected<std::uint32_t, HttpResponse> limit_in(const HttpRequest& request) {
  const std::string_view text = request.parameter("limit");
  if (text.empty()) return kUsualLimit;
  const HttpResponse refusal =
      bad_parameter("limit is not a number from 1 to 1000", "leave it out for 100");
  auto limit = number_in(text, refusal);
  if (limit && (*limit == 0 || *limit > kMaxLimit)) return tl::unexpected(refusal);
  return limit;
}

// Where a page of rooms begins: SHARD.SLOT.
struct RoomCursor {
  std::uint32_t shard = 0;
  std::uint32_t slot = 0;

  std::string text() const { return std::to_string(shard) + "." + std::to_string(slot); }
};

tl::expected<RoomCursor, HttpResponse> cursor_in(const HttpRequest& request,
                                                 std::uint32_t shard_count) {
  const std::string_view text = request.parameter("after");
  if (text.empty()) return RoomCursor{};
  const HttpResponse refusal = bad_parameter("after is not what an earlier page gave as next",
                                             "leave it out to begin with the first page");
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return tl::unexpected(refusal);
  const auto shard = number_in(text.substr(0, dot), refusal);
  const auto slot = number_in(text.substr(dot + 1), refusal);
  if (!shard || !slot || *shard >= shard_count) return tl::unexpected(refusal);
  return RoomCursor{*shard, *slot};
}

}  // namespace

std::optional<HttpResponse> AdminRoutes::answer(const HttpRequest& request,
                                                const HttpReply& reply) {
  if (checks_host_ && request.host && !is_loopback_host(*request.host)) {
    return error_response(http::kForbidden, "this request names a host that is not this machine",
                          "ask for 127.0.0.1, [::1] or localhost; a proxy must set the Host header "
                          "to one of these");
  }
  if (AdminCommands::has(request.path)) return commands_.answer(request, reply);
  if (request.path == AdminBans::kPath) return bans_.answer(request);
  return look(request);
}

HttpResponse AdminRoutes::look(const HttpRequest& request) {
  if (request.method != "GET" && request.method != "HEAD") return refuse_method();
  if (request.path == "/") return status_page();
  if (request.path == "/status.json") return status();
  if (request.path == "/metrics") return metrics();
  if (request.path == "/healthz") return health();
  if (request.path == "/readyz") return readiness();
  if (request.path == "/config") return json_response(config_json(reloader_.configuration()));
  if (request.path == "/rooms") return rooms(request);
  if (request.path == "/members") return members(request);
  return error_response(
      http::kNotFound, "there is nothing at this path",
      "there are / (the status page), /status.json, /metrics, /healthz, /readyz, "
      "/config, /rooms?after=&limit=, /members?room=NAME&after=&limit= and /bans; with POST, "
      "over a socket file: /kick?room=NAME&username=NAME, "
      "/close-room?room=NAME, /drain, /reload and /log-level?level=LEVEL, and with POST or "
      "DELETE: /bans?address=ADDRESS and /bans?name=NAME");
}

HttpResponse AdminRoutes::health() {
  const auto answers = query_.ask_all([](const TaskContext&) { return true; });
  if (!answers) return not_answered(answers.error());
  JsonWriter json;
  json.begin_object();
  json.member("status", std::string_view("ok"));
  json.member("shards", std::uint64_t{answers->size()});
  json.end_object();
  return json_response(json.take());
}

HttpResponse AdminRoutes::readiness() {
  const auto draining =
      query_.ask_all([](const TaskContext& site) { return int{site.relay.is_draining()}; });
  if (!draining) return not_answered(draining.error());
  bool is_draining = false;
  for (const int each : *draining) is_draining = is_draining || each != 0;
  JsonWriter json;
  json.begin_object();
  json.member("status", std::string_view(is_draining ? "draining" : "ready"));
  if (is_draining) {
    json.member("title", std::string_view("chatd takes no newcomers: it is about to stop"));
    json.member("detail", std::string_view("send newcomers to another chatd"));
  }
  json.end_object();
  return {.status = is_draining ? http::kUnavailable : 200, .body = json.take()};
}

HttpResponse AdminRoutes::metrics() {
  const auto stats = collect_stats(query_, ban_book_, start_);
  if (!stats) return not_answered(stats.error());
  return {.content_type = kMetricsContentType, .body = metrics_text(*stats)};
}

HttpResponse AdminRoutes::status() {
  const auto stats = collect_stats(query_, ban_book_, start_);
  if (!stats) return not_answered(stats.error());
  return json_response(status_json(*stats));
}

HttpResponse AdminRoutes::rooms(const HttpRequest& request) {
  const auto limit = limit_in(request);
  if (!limit) return limit.error();
  auto cursor = cursor_in(request, query_.shard_count());
  if (!cursor) return cursor.error();
  std::vector<RoomRow> rows;
  for (int looks = 0; looks < kMaxLooks && rows.size() < *limit; ++looks) {
    const auto wanted = static_cast<std::uint32_t>(*limit - rows.size());
    auto page =
        query_.ask_one(cursor->shard, [from = cursor->slot, wanted](const TaskContext& site) {
          return read_rooms(site.relay.roster(), from, wanted);
        });
    if (!page) return not_answered(page.error());
    for (RoomRow& row : page->rows) rows.push_back(std::move(row));
    *cursor = page->next_slot ? RoomCursor{cursor->shard, *page->next_slot}
                              : RoomCursor{cursor->shard + 1, 0};
    if (cursor->shard == query_.shard_count()) return json_response(rooms_json(rows, ""));
  }
  return json_response(rooms_json(rows, cursor->text()));
}

HttpResponse AdminRoutes::members(const HttpRequest& request) {
  const std::string room(request.parameter("room"));
  if (room.empty()) return bad_parameter("no room is named", "add room=NAME; /rooms has the names");
  const auto limit = limit_in(request);
  if (!limit) return limit.error();
  const std::string_view after = request.parameter("after");
  const auto from = number_in(after.empty() ? "0" : after,
                              bad_parameter("after is not what an earlier page gave as next",
                                            "leave it out to begin with the first page"));
  if (!from) return from.error();
  // Whose room it is only the shards' map knows; the others say quickly that it is not theirs.
  const auto pages = query_.ask_all([room, from = *from, limit = *limit](const TaskContext& site) {
    return read_members(site.relay.roster(), site.now_ms, room, from, limit);
  });
  if (!pages) return not_answered(pages.error());
  for (const auto& page : *pages) {
    if (page) return json_response(members_json(room, *page));
  }
  return error_response(http::kNotFound, "there is no such room",
                        "chatctl rooms, or /rooms, has the names of all rooms");
}

}  // namespace chatd
