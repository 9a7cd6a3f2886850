#include "tests/e2e/chat/chat_program.h"

#include <algorithm>
#include <clocale>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

#include "tests/support/wait_until.h"
#include "tests/support/wire.h"

namespace chatd::test {
namespace {

// Removed when the tests end.
class Directory {
 public:
  Directory() {
    if (::mkdtemp(path_.data()) == nullptr) path_ = "/nowhere";
  }
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/chat_e2e.XXXXXX";
};

}  // namespace

ProcessOptions chat_options(const Environment& added, bool on_terminal) {
  static const Directory directory;
  ProcessOptions options;
  options.environment = {{"TERM", "xterm"},
                         {"NO_COLOR", ""},
                         {"CHAT_PASSWORD", ""},
                         {"CHAT_ROOM_KEY", ""},
                         {"LC_ALL", "C.UTF-8"},
                         {"XDG_RUNTIME_DIR", directory.path()},
                         {"XDG_STATE_HOME", directory.path()}};
  for (const auto& one : added) {
    std::erase_if(options.environment,
                  [&one](const auto& entry) { return entry.first == one.first; });
    options.environment.push_back(one);
  }
  options.on_terminal = on_terminal;
  return options;
}

int chat_protocol() {
  const char* const wanted = std::getenv("CHAT_TEST_PROTOCOL");
  return wanted != nullptr && std::string_view(wanted) == "1" ? 1 : 2;
}

Arguments chat_command(const ChatdServer& server, const Arguments& arguments) {
  Arguments command{CHAT_PROGRAM};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const bool names_v1 = std::find(command.begin(), command.end(), "--v1") != command.end();
  if (!names_v1 && chat_protocol() == 2) {
    command.insert(command.end(), {"--server", server.tls().to_string()});
    return command;
  }
  if (!names_v1) command.emplace_back("--v1");
  command.insert(command.end(),
                 {"--host", server.tcp().ip(), "--tcp-port", std::to_string(server.tcp().port()),
                  "--udp-port", std::to_string(server.udp().port())});
  return command;
}

std::string chat_shell_command(const ChatdServer& server, const Arguments& arguments) {
  std::string text;
  for (const std::string& word : chat_command(server, arguments)) text += "'" + word + "' ";
  return text;
}

Process start_chat(const ChatdServer& server, const Arguments& arguments,
                   const Environment& environment) {
  return Process(chat_command(server, arguments), chat_options(environment));
}

std::string said(std::string_view sender, std::string_view text) {
  return "{\"sender\":" + json_quote(sender) + ",\"message\":" + json_quote(text) + "}";
}

std::string told(Process& chat) {
  return chat.captured(Stream::kStderr);
}

int exit_code_of(Process& chat, Deadline deadline) {
  const auto status = chat.wait_exit(deadline);
  return status ? status->code : -2;
}

bool is_stopped(const Process& program) {
  return wait_until([&program] {
    std::ifstream stat("/proc/" + std::to_string(program.pid()) + "/stat");
    std::string pid, name, state;
    stat >> pid >> name >> state;
    return state == "T";
  });
}

TerminalChat::TerminalChat(const ChatdServer& server, const Arguments& arguments,
                           const Environment& environment)
    : TerminalChat(chat_command(server, arguments), environment) {}

TerminalChat::TerminalChat(const Arguments& command, const Environment& environment)
    : process_(command, chat_options(environment, true)) {
  std::setlocale(LC_CTYPE, "C.UTF-8");
}

bool TerminalChat::shows(const std::function<bool(const Screen&)>& condition, Deadline deadline) {
  return wait_until(
      [&] {
        update();
        return condition(screen_);
      },
      deadline);
}

bool TerminalChat::shows(std::string_view text) {
  return shows(
      [text](const Screen& screen) { return screen.text().find(text) != std::string::npos; });
}

bool TerminalChat::shows_typed(std::string_view row_text) {
  return shows([row_text](const Screen& screen) { return screen.cursor_row() == row_text; });
}

void TerminalChat::update() {
  process_.pump();
  const std::string& all = bytes();
  screen_.feed(std::string_view(all).substr(fed_bytes_));
  fed_bytes_ = all.size();
}

}  // namespace chatd::test
