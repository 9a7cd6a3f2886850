#include "server/admin/admin_commands.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "core/base/json_writer.h"
#include "core/relay/relay.h"
#include "server/admin/refusals.h"
#include "server/config/table.h"
#include "server/log/rate_limited_log.h"

namespace chatd {
namespace {

constexpr std::array<std::string_view, 5> kPaths = {"/kick", "/close-room", "/drain", "/reload",
                                                    "/log-level"};

// What one shard found. Whose room it is only the shards' map knows; all others say that there is
// none.
enum class Found : std::uint8_t { kNoRoom, kNoMember, kDone };

HttpResponse done(std::string_view title) {
  JsonWriter json;
  json.begin_object();
  json.member("title", title);
  json.end_object();
  return {.status = 200, .body = json.take()};
}

HttpResponse asked_for(std::string_view title, std::string_view detail) {
  return error_response(http::kAccepted, title, detail);
}

HttpResponse no_such_room() {
  return error_response(http::kNotFound, "there is no such room",
                        "chatctl rooms, or /rooms, has the names of all rooms");
}

// The best of all shards' answers.
template <class Answers>
Found best_of(const Answers& answers) {
  return *std::max_element(answers.begin(), answers.end());
}

HttpResponse reload_response(const CommandResult& result) {
  JsonWriter json;
  json.begin_object();
  json.member("title",
              std::string_view(result.is_done ? "the configuration has been loaded again"
                                              : "the configuration cannot be used: nothing has "
                                                "changed"));
  if (!result.is_done) {
    json.member("detail", std::string_view("mend what is listed and reload again"));
  }
  json.key("lines");
  json.begin_array();
  for (const std::string& line : result.lines) {
    const std::string text = config::printable(line);  // it may quote a file
    json.value(std::string_view(text));
  }
  json.end_array();
  json.end_object();
  return {.status = result.is_done ? 200 : http::kUnprocessable, .body = json.take()};
}

}  // namespace

bool AdminCommands::has(std::string_view path) {
  return std::find(kPaths.begin(), kPaths.end(), path) != kPaths.end();
}

std::optional<HttpResponse> AdminCommands::answer(const HttpRequest& request,
                                                  const HttpReply& reply) {
  if (request.method != "POST") {
    HttpResponse refusal = error_response(http::kMethodNotAllowed,
                                          "this path changes something, and is not for looking",
                                          "ask with POST, or let chatctl do it");
    refusal.headers.emplace_back("Allow", "POST");
    return refusal;
  }
  if (!is_allowed_) return not_over_tcp();
  if (request.path == "/kick") return kick(request);
  if (request.path == "/close-room") return close_room(request);
  if (request.path == "/drain") return drain();
  if (request.path == "/reload") return reload(reply);
  return set_log_level(request);
}

HttpResponse AdminCommands::kick(const HttpRequest& request) {
  const std::string room(request.parameter("room"));
  const std::string username(request.parameter("username"));
  if (room.empty() || username.empty()) {
    return error_response(http::kBadRequest, "it takes a room and a username to put somebody out",
                          "ask for /kick?room=NAME&username=NAME; /members has their names");
  }
  const auto found = query_.ask_all([room, username](const TaskContext& site) {
    if (site.relay.kick(site.now_ms, room, username, site.out)) return Found::kDone;
    return site.relay.roster().find_room(room) ? Found::kNoMember : Found::kNoRoom;
  });
  if (!found) return not_confirmed(found.error());
  switch (best_of(*found)) {
    case Found::kNoRoom:
      return no_such_room();
    case Found::kNoMember:
      return error_response(http::kNotFound, "nobody of this name is in the room",
                            "chatctl members, or /members?room=NAME, has the names of all");
    case Found::kDone:
      break;
  }
  spdlog::info("admin: {} was put out of {}", quoted(username), quoted(room));
  return done(username + " has been put out of " + room);
}

HttpResponse AdminCommands::close_room(const HttpRequest& request) {
  const std::string room(request.parameter("room"));
  if (room.empty()) {
    return error_response(http::kBadRequest, "no room is named",
                          "ask for /close-room?room=NAME; /rooms has the names");
  }
  const auto found = query_.ask_all([room](const TaskContext& site) {
    return site.relay.close_room(room) ? Found::kDone : Found::kNoRoom;
  });
  if (!found) return not_confirmed(found.error());
  if (best_of(*found) == Found::kNoRoom) return no_such_room();
  spdlog::info("admin: the room {} was closed", quoted(room));
  return done("the room " + room + " has been closed, and its members were told");
}

HttpResponse AdminCommands::drain() {
  spdlog::info("admin: a drain is asked for");
  commands_.push(Command::kDrain);
  return asked_for("chatd was asked to drain: it lets nobody in, and stops when all have gone",
                   "chatctl status, or /readyz, shows it, and chatd's log how it goes on");
}

// It may take as long as another program needs to take over, and this one to go on if it cannot.
std::optional<HttpResponse> AdminCommands::reload(const HttpReply& reply) {
  // Without a file SIGHUP ends chatd: that is no reload.
  if (!reloader_.configuration().file) {
    return error_response(http::kConflict, "chatd was started without a configuration file",
                          "there is nothing to reload: start it with --config FILE");
  }
  spdlog::info("admin: a reload is asked for");
  commands_.push(Command::kReload,
                 [reply](const CommandResult& result) { reply(reload_response(result)); });
  return std::nullopt;
}

HttpResponse AdminCommands::set_log_level(const HttpRequest& request) {
  const std::string level(request.parameter("level"));
  const config::ValueType& levels = config::option_named("log.level").type;
  if (!config::read_value(levels, level)) {
    return error_response(http::kBadRequest, "this is not a log level",
                          "ask for " + config::describe_range(levels));
  }
  spdlog::info("admin: the log level becomes {}", level);
  spdlog::set_level(spdlog::level::from_str(level));
  return done("the log level is " + level +
              " until the configuration is loaded again or chatd is started afresh");
}

}  // namespace chatd
