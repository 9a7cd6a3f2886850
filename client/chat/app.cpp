#include "client/chat/app.h"

#include <simdjson.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "client/chat/output.h"
#include "client/chat/output_lines.h"
#include "client/chat/pipe_mode.h"
#include "client/chat/questions.h"
#include "client/chat/terminal_mode.h"
#include "client/net/control.h"
#include "client/net/own_directories.h"
#include "client/net/wait.h"
#include "client/terminal/layout.h"

namespace chatd::client {
namespace {

constexpr int kStatusUnauthorised = 401;
constexpr int kPasswordTries = 3;

// A terminal that can only print one line after another is served like a pipe.
bool can_edit_lines() {
  const char* const type = std::getenv("TERM");
  return type != nullptr && *type != '\0' && std::string_view(type) != "dumb";
}

void complain(const std::string& text) {
  std::fprintf(stderr, "chat: %s\n", text.c_str());
}

}  // namespace

App::App(Options options)
    : options_(std::move(options)),
      on_terminal_(::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1),
      signals_(Signals::that_end()),
      trust_(make_trust()) {
  options_.server.interrupt_fd = signals_.fd();
  options_.server.check = [this](const ServerCertificate& certificate) {
    return trust_.check(certificate);
  };
}

ServerTrust App::make_trust() {
  ServerTrust::Wishes wishes{
      .pin = options_.pin, .trusts_new = options_.trusts_new, .tell = complain};
  if (on_terminal_) {
    wishes.ask = [this](const std::string& question) -> std::optional<bool> {
      const auto answer = ask(question, Echo::kShown, signals_.fd());
      if (!answer) return std::nullopt;
      return *answer == "y" || *answer == "yes";
    };
  }
  std::optional<KnownServers> known;
  if (const auto directory = state_directory()) known.emplace(*directory / "known_servers");
  return ServerTrust(std::move(wishes), std::move(known));
}

ExitCode App::run() {
  return options_.task == Options::Task::kRooms ? list() : talk();
}

ExitCode App::list() {
  options_.server.deadline_ms = StopCondition({}, options_.timeout_ms, now_ms()).deadline_ms();
  auto rooms = list_rooms(options_.server);
  if (!rooms) return fail(rooms.error());
  std::sort(rooms->rooms.begin(), rooms->rooms.end(),
            [](const RoomInfo& a, const RoomInfo& b) { return a.name < b.name; });
  Output output(STDOUT_FILENO);
  if (options_.json) {
    for (const RoomInfo& room : rooms->rooms) output.write_line(json_room(room));
  } else {
    output.write_line(wrap_for(output.fd(), rooms_table(*rooms)));
  }
  if (output.flush(kNever, signals_.fd()) == WaitResult::kInterrupted) return interrupted();
  if (output.state() == Output::State::kFailed) {
    complain(output.failure());
    return ExitCode::kInternal;
  }
  return ExitCode::kOk;
}

ExitCode App::talk() {
  for (bool again = true; again;) {
    if (complete_request() == Step::kStop) return exit_code_;
    const StopCondition stop_condition(options_.count, options_.timeout_ms, now_ms());
    options_.server.deadline_ms = stop_condition.deadline_ms();
    const auto seat = SeatFile::open(options_.server.host, options_.server.tcp_port, request_.room,
                                     request_.username);
    auto room = enter(seat);
    if (!room) return fail(room.error());
    again = converse(**room, stop_condition);
    // A server that is gone may come back, and find the seat as it was.
    if (seat && exit_code_ != ExitCode::kUnreachable) seat->forget();
  }
  return exit_code_;
}

App::Step App::complete_request() {
  request_.password = options_.password;
  request_.history_entries = options_.history;
  if (ask_name() == Step::kStop) return Step::kStop;
  if (options_.task == Options::Task::kAsk) {
    if (ask_room() == Step::kStop) return Step::kStop;
  } else {
    request_.operation =
        options_.task == Options::Task::kCreate ? Operation::kCreate : Operation::kJoin;
    request_.room = options_.room;
  }
  for (const auto& check :
       {check_name("name", request_.username), check_name("room's name", request_.room)}) {
    if (!check) return stop(fail(check.error()));
  }
  if (ask_room_key() == Step::kStop) return Step::kStop;
  if (!simdjson::validate_utf8(request_.password.data(), request_.password.size())) {
    complain("the password is not valid UTF-8");
    return stop(ExitCode::kUsage);
  }
  return Step::kGoOn;
}

App::Step App::ask_name() {
  if (request_.username.empty()) request_.username = options_.name;
  if (!request_.username.empty()) return Step::kGoOn;
  if (!on_terminal_) {
    complain(options_.task == Options::Task::kAsk
                 ? "without a terminal, say what to do: chat create ROOM --name NAME, "
                   "chat join ROOM --name NAME or chat rooms (see chat --help)"
                 : "--name is missing");
    return stop(ExitCode::kUsage);
  }
  return ask_into("Your name: ", request_.username);
}

App::Step App::ask_room() {
  if (!on_terminal_) {
    complain("without a terminal, name the room: chat create ROOM or chat join ROOM");
    return stop(ExitCode::kUsage);
  }
  for (;;) {
    std::string choice;
    if (ask_into("Create or join a room? (c/j, q to quit): ", choice) == Step::kStop) {
      return Step::kStop;
    }
    if (choice == "q" || choice == "quit") return stop(ExitCode::kOk);
    const bool create = choice == "c" || choice == "create";
    if (!create && choice != "j" && choice != "join") continue;
    request_.operation = create ? Operation::kCreate : Operation::kJoin;
    break;
  }
  if (ask_into("Room: ", request_.room) == Step::kStop) return Step::kStop;
  if (!options_.password.empty()) return Step::kGoOn;
  const auto password = ask("Password (Enter for none): ", Echo::kHidden, signals_.fd());
  if (!password) return stop(interrupted());
  request_.password = *password;
  return Step::kGoOn;
}

App::Step App::ask_room_key() {
  if (options_.room_key != "-") return Step::kGoOn;
  if (!on_terminal_) {
    complain("without a terminal nobody can be asked for the room's key: say it in CHAT_ROOM_KEY");
    return stop(ExitCode::kUsage);
  }
  const auto key = ask("The room's key: ", Echo::kHidden, signals_.fd());
  if (!key) return stop(interrupted());
  options_.room_key = *key;
  return Step::kGoOn;
}

App::Step App::ask_into(const char* question, std::string& answer) {
  do {
    const auto typed = ask(question, Echo::kShown, signals_.fd());
    if (!typed) return stop(interrupted());
    answer = *typed;
  } while (answer.empty());
  return Step::kGoOn;
}

tl::expected<std::unique_ptr<RoomClient>, Error> App::enter(const std::optional<SeatFile>& seat) {
  request_.token = seat ? seat->token() : std::nullopt;
  auto room = enter_with_password();
  if (!seat) return room;
  if (room) {
    seat->keep((*room)->token());
  } else if (!request_.token) {
    seat->forget();  // it was opened for nothing
  }
  return room;
}

tl::expected<std::unique_ptr<RoomClient>, Error> App::enter_with_password() {
  const bool may_ask = on_terminal_ && request_.password.empty();
  for (int tries = 0;; ++tries) {
    auto room = RoomClient::enter(options_.server, request_,
                                  {.heartbeat_ms = options_.heartbeat_ms,
                                   .wants_history = is_for_a_person(),
                                   .room_key = options_.room_key});
    const bool wants_password = !room && room.error().kind == ErrorKind::kRefused &&
                                room.error().status == kStatusUnauthorised;
    if (!wants_password || !may_ask || tries == kPasswordTries) return room;
    if (tries > 0) complain(error_line(room.error()));
    const auto password = ask("The room's password: ", Echo::kHidden, signals_.fd());
    if (!password) return room;
    request_.password = *password;
  }
}

bool App::is_for_a_person() const {
  return on_terminal_ && !options_.json && can_edit_lines();
}

bool App::converse(RoomClient& room, const StopCondition& stop_condition) {
  trust_.stop_asking();
  if (!is_for_a_person()) {
    exit_code_ = PipeMode(room, stop_condition, signals_, options_.json).run();
    return false;
  }
  const auto result = TerminalMode(room, stop_condition, signals_).run();
  exit_code_ = result.exit_code;
  const bool again = result.left_by_command && options_.task == Options::Task::kAsk;
  // What was meant for the room must not become commands for the shell.
  if (!again) ::tcflush(STDIN_FILENO, TCIFLUSH);
  return again;
}

App::Step App::stop(ExitCode code) {
  exit_code_ = code;
  return Step::kStop;
}

// Without a signal it was the end of the input: the person does not want to go on.
ExitCode App::interrupted() {
  const auto signal = signals_.take();
  return signal ? exit_code_for_signal(*signal) : ExitCode::kOk;
}

ExitCode App::fail(const Error& error) {
  if (error.kind == ErrorKind::kInterrupted) return interrupted();
  if (error.kind == ErrorKind::kRefused && options_.json) {
    Output output(STDOUT_FILENO);
    output.write_line(json_refused(error));
    output.flush(kNever, signals_.fd());
  }
  complain(error_line(error));
  if (error.kind == ErrorKind::kNoTls) {
    complain(
        "with protocol 2 chat needs its TLS port (8001 unless the operator has chosen another "
        "one): say --server HOST:PORT, or --v1 for protocol 1");
  }
  return exit_code_for(error.kind);
}

}  // namespace chatd::client
