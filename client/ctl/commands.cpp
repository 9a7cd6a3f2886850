#include "client/ctl/commands.h"

#include <simdjson.h>

#include "client/ctl/json_fields.h"
#include "client/ctl/printing.h"
#include "client/ctl/status.h"
#include "client/ctl/top.h"
#include "client/terminal/sanitize.h"

namespace chatd::client::ctl {
namespace {

std::string yes(bool flag) {
  return flag ? "yes" : "";
}

// "3.2 s": since a member was heard.
std::string silence_text(std::uint64_t silent_ms) {
  return std::to_string(silent_ms / 1000) + "." + std::to_string(silent_ms % 1000 / 100) + " s";
}

std::string members_table(const Pages& pages) {
  Table table({{.title = "USERNAME"},
               {.title = "ADDRESS"},
               {.title = "JOINED FROM"},
               {.title = "SILENT", .align = kRight},
               {.title = "PROTOCOL"},
               {.title = "HOST"}});
  simdjson::dom::parser parser;
  for (const std::string& row : pages.rows) {
    simdjson::dom::element member;
    if (parser.parse(row).get(member) != simdjson::SUCCESS) continue;
    const std::string address = text_of(member, "address");
    table.add(
        {sanitize_name(text_of(member, "username")), address.empty() ? "not heard yet" : address,
         text_of(member, "joined_from"), silence_text(number_of(member, "silent_ms")),
         "v" + std::to_string(number_of(member, "protocol")), yes(flag_of(member, "is_host"))});
  }
  return table.text();
}

// As the endpoint names it. What has only what addresses have is one, so that a slip of the pen
// does not ban a name that nobody has: 203.0.113.256 is refused.
std::pair<std::string, std::string> target_of(const Options& options) {
  const std::string& target = options.target;
  const bool looks_like_address =
      target.find_first_not_of("0123456789abcdefABCDEF.:/") == std::string::npos &&
      target.find_first_of(".:") != std::string::npos;
  return {looks_like_address && !options.is_name ? "address" : "name", target};
}

// "2 d 3 h", "12 min", "7 s": two units at most.
std::string remaining_text(std::uint64_t seconds) {
  struct Unit {
    std::uint64_t seconds;
    const char* name;
  };
  constexpr Unit kUnits[] = {{86'400, " d"}, {3'600, " h"}, {60, " min"}, {1, " s"}};
  std::string text;
  int told = 0;
  for (const Unit& unit : kUnits) {
    const std::uint64_t count = seconds / unit.seconds;
    seconds %= unit.seconds;
    if (count == 0 && told == 0 && unit.seconds > 1) continue;
    if (count > 0 || told == 0) {
      text.append(text.empty() ? "" : " ").append(std::to_string(count)).append(unit.name);
    }
    if (++told == 2) break;
  }
  return text;
}

Table bans_table(simdjson::dom::element root) {
  Table table({{.title = "BANNED"},
               {.title = "KIND"},
               {.title = "ENDS IN", .align = kRight},
               {.title = "BY"},
               {.title = "REASON"}});
  for_each_of(root, "bans", [&](simdjson::dom::element ban) {
    const std::string address = text_of(ban, "address");
    std::uint64_t ends_in_s = 0;
    const bool ends = ban["ends_in_s"].get(ends_in_s) == simdjson::SUCCESS;
    table.add({address.empty() ? sanitize_name(text_of(ban, "name")) : address,
               address.empty() ? "name" : "address", ends ? remaining_text(ends_in_s) : "never",
               flag_of(ban, "configured") ? "configuration" : "operator", text_of(ban, "reason")});
  });
  return table;
}

// What chatd says has happened, line by line.
std::string outcome_text(simdjson::dom::element root) {
  std::string text = sanitize(text_of(root, "title"));
  const std::string detail = sanitize(text_of(root, "detail"));
  if (!detail.empty()) text += "; " + detail;
  text += "\n";
  for_each_of(root, "lines", [&](simdjson::dom::element line) {
    std::string_view words;
    if (line.get(words) == simdjson::SUCCESS) text += "  " + sanitize(words) + "\n";
  });
  return text;
}

}  // namespace

ExitCode Commands::run() {
  switch (options_.task) {
    case Task::kStatus:
      return show_status();
    case Task::kTop:
      return Top(endpoint_, options_.json).run();
    case Task::kRooms:
      return show_rooms();
    case Task::kMembers:
      return show_members();
    case Task::kConfig:
      return show_config();
    case Task::kKick:
      return have_done("/kick", {{"room", options_.room}, {"username", options_.username}});
    case Task::kCloseRoom:
      return have_done("/close-room", {{"room", options_.room}});
    case Task::kBan:
      return ban();
    case Task::kUnban:
      return tell(endpoint_.remove("/bans", {target_of(options_)}));
    case Task::kBans:
      return show_bans();
    case Task::kDrain:
      return have_done("/drain");
    case Task::kReload:
      return have_done("/reload", {}, Endpoint::kReloadTimeoutMs);
    case Task::kLogLevel:
      return have_done("/log-level", {{"level", options_.level}});
  }
  return ExitCode::kUsage;
}

ExitCode Commands::show_status() {
  const auto answer = endpoint_.get("/status.json");
  if (!answer) return print_error(answer.error());
  const auto status = parse_status(answer->body);
  if (!answer->is_success() || !status) return refuse(*answer);
  return options_.json ? print_json(answer->body) : print_lines(status_text(*status, nullptr));
}

ExitCode Commands::show_rooms() {
  const auto pages = read_pages(endpoint_, "", options_.limit);
  if (!pages) return fail(pages.error());
  if (options_.json) return print_json(pages->json());
  if (pages->rows.empty()) return print_lines("there are no rooms\n");
  const std::string more = pages->next.empty() ? "" : "there are more rooms than --limit\n";
  return print_lines(rooms_table(pages->rows) + more);
}

ExitCode Commands::show_members() {
  if (options_.room.empty()) return print_error("there is no such room: it has no name");
  const auto pages = read_pages(endpoint_, options_.room, options_.limit);
  if (!pages) return fail(pages.error());
  if (options_.json) return print_json(pages->json());
  const std::string more = pages->next.empty() ? ""
                                               : "of " + std::to_string(pages->total) +
                                                     " members; --limit ends it here\n";
  return print_lines(members_table(*pages) + more);
}

// What chatd answers to GET `path`: as it is, or as `show` prints it.
template <class Show>
ExitCode Commands::show_document(const char* path, Show show) {
  const auto answer = endpoint_.get(path);
  if (!answer) return print_error(answer.error());
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (!answer->is_success() || parser.parse(answer->body).get(root) != simdjson::SUCCESS) {
    return refuse(*answer);
  }
  return options_.json ? print_json(answer->body) : show(root);
}

ExitCode Commands::show_config() {
  return show_document("/config", [](simdjson::dom::element root) {
    Table table({{.title = "OPTION"}, {.title = "VALUE"}, {.title = "CHANGE"}, {.title = "FROM"}});
    for_each_of(root, "options", [&](simdjson::dom::element option) {
      table.add({text_of(option, "name"), text_of(option, "value"),
                 flag_of(option, "needs_restart") ? "restart" : "reload",
                 text_of(option, "source")});
    });
    return print_lines(table.text());
  });
}

ExitCode Commands::show_bans() {
  return show_document("/bans", [](simdjson::dom::element root) {
    const Table table = bans_table(root);
    const std::string why_not_kept = sanitize(text_of(root, "why_not_kept"));
    return print_lines(
        (table.is_empty() ? "nobody is banned\n" : table.text()) +
        (why_not_kept.empty() ? "" : "bans are forgotten when chatd ends: " + why_not_kept + "\n"));
  });
}

ExitCode Commands::have_done(const std::string& path, const Parameters& parameters,
                             long timeout_ms) {
  return tell(endpoint_.post(path, parameters, timeout_ms));
}

ExitCode Commands::ban() {
  return have_done("/bans",
                   {target_of(options_), {"reason", options_.reason}, {"for", options_.lasts}});
}

ExitCode Commands::tell(const tl::expected<EndpointAnswer, std::string>& answer) const {
  if (!answer) return print_error(answer.error());
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (!answer->is_success() || parser.parse(answer->body).get(root) != simdjson::SUCCESS) {
    return refuse(*answer);
  }
  return options_.json ? print_json(answer->body) : print_lines(outcome_text(root));
}

ExitCode Commands::fail(const PagesFailure& failure) const {
  return failure.answer ? refuse(*failure.answer) : print_error(failure.reason);
}

ExitCode Commands::refuse(const EndpointAnswer& answer) const {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(answer.body).get(root) != simdjson::SUCCESS || text_of(root, "title").empty()) {
    return print_error("what answers at " + options_.address.text + " is not chatd (status " +
                       std::to_string(answer.status) + "): --admin says where to ask");
  }
  if (options_.json) print_json(answer.body);
  const std::string outcome = outcome_text(root);
  std::fprintf(stderr, "chatctl: %s", outcome.c_str());
  return ExitCode::kNotDone;
}

}  // namespace chatd::client::ctl
