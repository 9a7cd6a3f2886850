#include "client/chat/terminal_mode.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <string_view>
#include <utility>
#include <vector>

#include "client/chat/input.h"
#include "client/chat/output_lines.h"
#include "client/net/wait.h"
#include "client/terminal/sanitize.h"

namespace chatd::client {
namespace {

// A prompt should leave most of the row to what is typed.
constexpr std::size_t kMaxPromptNameBytes = 20;
// Enough of a message to know it by.
constexpr std::size_t kExcerptBytes = 60;
// Between two pieces of one paste.
constexpr int kPastePauseMs = 50;
// Where others have the time.
constexpr std::string_view kNoTime = "--:--";
constexpr std::string_view kOnItsWay = "  ...";
// Of what is on its way; the rest is counted.
constexpr std::size_t kMaxShownUnsettled = 4;

// Whether stdin has something to read, now or within so long.
bool has_keys(int timeout_ms) {
  pollfd keys{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  return ::poll(&keys, 1, timeout_ms) > 0 && (keys.revents & POLLIN) != 0;
}

std::string prompt_for(const std::string& username) {
  const std::string shown = sanitize_name(username);
  return shown.size() <= kMaxPromptNameBytes ? shown + "> " : "> ";
}

std::string time_of_day() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  std::array<char, 16> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%H:%M", &local);
  return {text.data(), size};
}

}  // namespace

TerminalMode::TerminalMode(RoomClient& room, StopCondition stop_condition, Signals& signals)
    : room_(room),
      stop_condition_(stop_condition),
      signals_(signals),
      terminal_signals_(Signals::of_terminal()),
      style_(Style::from_environment()),
      editor_(LineEditor::open(prompt_for(room.username()), [this] { return wait_for_keys(); })) {}

TerminalMode::Result TerminalMode::run() {
  if (!editor_) {
    std::fputs("chat: this terminal cannot be used\n", stderr);
    room_.leave();
    return {ExitCode::kInternal, false};
  }
  show_notice(
      "You are in " + sanitize_name(room_.room()) + " as " + sanitize_name(room_.username()) +
      ". Protocol " + (room_.protocol() == 2 ? "2, encrypted" : "1, not encrypted") +
      (room_.has_room_key() ? ", from the server as well" : "") + ". /help lists commands.");
  while (!ended_) {
    const auto line = editor_->read_line();
    if (ended_) break;
    if (line) {
      handle_line(*line);
    } else {
      end(ExitCode::kOk);
    }
  }
  if (in_room_) leave_room();
  if (result_.exit_code != ExitCode::kOk) drop_pasted();
  return result_;
}

void TerminalMode::leave_room() {
  const std::size_t lines = room_.leave();
  unsettled_.clear();
  show_unsettled();
  show_notice("You left " + sanitize_name(room_.room()) + ".");
  if (lines > 0) show_notice(counted(lines, "line") + " of yours may not have arrived.");
}

bool TerminalMode::wait_for_keys() {
  while (!ended_) {
    // While more is being pasted, a picture of each character would only be in the way.
    if (!has_keys(0)) editor_->show_typed();
    if (wait(Keys::kWanted, kNever)) return true;
  }
  return false;
}

bool TerminalMode::wait_for_pace() {
  while (!ended_ && !room_.has_room()) wait(Keys::kLeft, kNever);
  while (!ended_ && !pacer_.take(now_ms())) wait(Keys::kLeft, pacer_.next_ms());
  return !ended_;
}

bool TerminalMode::wait(Keys keys, std::int64_t deadline_ms) {
  std::array<pollfd, 4> watched{{
      {.fd = keys == Keys::kWanted ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0},
      {.fd = room_.fd(), .events = POLLIN, .revents = 0},
      {.fd = signals_.fd(), .events = POLLIN, .revents = 0},
      {.fd = terminal_signals_.fd(), .events = POLLIN, .revents = 0},
  }};
  deadline_ms = std::min({deadline_ms, room_.next_deadline_ms(), stop_condition_.deadline_ms()});
  const int ready = ::poll(watched.data(), watched.size(), poll_timeout_ms(deadline_ms));
  // After a signal, what poll told is old: while the program was stopped, the shell may have taken
  // the keys, and a read would block.
  const bool is_stale = ready < 0 || handle_signals();
  handle_events();
  room_.on_deadline();
  if (const auto code = stop_condition_.reached(now_ms())) end(*code);
  return !is_stale && !ended_ && watched[0].revents != 0;
}

bool TerminalMode::handle_signals() {
  bool handled = false;
  if (const auto signal = signals_.take()) {
    handled = true;
    end(exit_code_for_signal(*signal));
  }
  while (const auto signal = terminal_signals_.take()) {
    handled = true;
    if (*signal == SIGWINCH) editor_->on_resize();
    if (*signal == SIGTSTP) editor_->suspend();
  }
  return handled;
}

void TerminalMode::handle_events() {
  for (const Event& event : room_.receive()) {
    if (ended_) return;
    show(event);
  }
}

void TerminalMode::handle_line(const std::string& line) {
  const Command command = parse_command(line);
  if (command.kind != Command::Kind::kNothing) editor_->remember(line);
  switch (command.kind) {
    case Command::Kind::kNothing:
      return;
    case Command::Kind::kSay:
      return say(command.text);
    case Command::Kind::kWho:
      return who();
    case Command::Kind::kHelp:
      return editor_->print(kCommandHelp);
    case Command::Kind::kUnknown:
      return show_notice("There is no command " + sanitize(command.text) +
                         ". /help lists them; to say it, type /" + sanitize(command.text));
    case Command::Kind::kLeave:
      result_.left_by_command = true;
      break;
    case Command::Kind::kQuit:
      break;
  }
  end(ExitCode::kOk);
}

// What is pasted comes faster than anybody types: it goes out as from a pipe, and the rest waits in
// the terminal. A line is shown as said when it has been sent.
void TerminalMode::say(const std::string& text) {
  if (!wait_for_pace()) return show_unsaid(text, "not sent");
  const auto sent = room_.say(text);
  // What was not comes back with the arrow keys, to be made shorter.
  if (!sent) return show_unsaid(text, sent.error().reason);
  if (*sent == 0) return show_said(message_line(room_.username(), text, style_));
  // It is shown as said when it is, in its place among what others say.
  unsettled_[*sent] = {.text = text};
  show_unsettled();
}

void TerminalMode::show_unsettled() {
  static const Style kPlain(false);
  std::vector<std::string> lines;
  for (const auto& [id, one] : unsettled_) {
    if (lines.size() == kMaxShownUnsettled) {
      lines.push_back(std::string(kOnItsWay) + " and " +
                      std::to_string(unsettled_.size() - kMaxShownUnsettled) + " more");
      break;
    }
    lines.push_back(std::string(kOnItsWay) + " " +
                    message_line(room_.username(), one.text, kPlain));
  }
  editor_->show_above(std::move(lines));
}

void TerminalMode::on_refused(const Event& event) {
  const auto refused = unsettled_.extract(event.id);
  if (refused.empty()) return;
  show_unsettled();
  show_unsaid(refused.mapped().text, "not sent: " + sanitize(event.text));
}

void TerminalMode::show_unsaid(const std::string& text, const std::string& why) {
  std::string shown = sanitize(text);
  if (shown.size() > kExcerptBytes) {
    std::size_t size_bytes = kExcerptBytes;
    while ((shown[size_bytes] & 0xc0) == 0x80) --size_bytes;  // not within a character
    shown.resize(size_bytes);
    shown += "...";
  }
  show_notice("Your message was " + why + ": \"" + shown + "\"");
}

void TerminalMode::drop_pasted() {
  std::uint64_t lines = 0;
  bool is_more = false;
  for (int timeout_ms = 0; has_keys(timeout_ms); timeout_ms = kPastePauseMs) {
    std::array<char, 4096> keys;
    const ssize_t size = ::read(STDIN_FILENO, keys.data(), keys.size());
    if (size <= 0) break;
    const std::string_view read(keys.data(), static_cast<std::size_t>(size));
    lines += static_cast<std::uint64_t>(std::count(read.begin(), read.end(), '\n'));
    is_more = read.back() != '\n';
  }
  if (is_more) ++lines;
  if (lines == 0) return;
  show_notice(lines == 1 ? "One more line of yours was not sent."
                         : std::to_string(lines) + " more lines of yours were not sent.");
}

void TerminalMode::who() {
  const auto room = room_.who();
  if (room) {
    editor_->print(members_line(*room, style_));
  } else if (room.error().kind != ErrorKind::kInterrupted) {
    show_notice(error_line(room.error()));
  }
}

void TerminalMode::show(const Event& event) {
  switch (event.kind) {
    case Event::Kind::kDisconnected:
    case Event::Kind::kNotAuthenticated:
    case Event::Kind::kServerGone:
      in_room_ = false;
      editor_->show_above({});
      editor_->print("chat: " + event_line(event, style_));
      for (const auto& [id, one] : unsettled_) show_unsaid(one.text, "perhaps not delivered");
      return end(event.kind == Event::Kind::kServerGone ? ExitCode::kUnreachable
                                                        : ExitCode::kRemoved);
    case Event::Kind::kMessage:
    case Event::Kind::kUnreadable:
      return show_message(event);
    case Event::Kind::kLost:
      return show_lost(event);
    case Event::Kind::kDelivered: {
      const auto found = unsettled_.find(event.id);
      if (found != unsettled_.end()) found->second.is_delivered = true;
      return;
    }
    case Event::Kind::kRefused:
      return on_refused(event);
    case Event::Kind::kCaughtUp:
      if (is_in_history_) show_notice("That was said before you came.");
      is_in_history_ = false;
      return;
    case Event::Kind::kJoined:
    case Event::Kind::kLeft:
      if (event.is_history) return;  // who is here now is another matter
      break;
    case Event::Kind::kNotice:
    case Event::Kind::kMalformed:
    case Event::Kind::kUnanswered:
    case Event::Kind::kAnswered:
      break;
    case Event::Kind::kHeartbeat:
      return;
  }
  show_said(event_line(event, style_));
}

void TerminalMode::show_message(const Event& event) {
  if (event.is_history) {
    static const Style kPlain(false);
    is_in_history_ = true;
    return show_notice(std::string(kNoTime) + " " + event_line(event, kPlain));
  }
  if (unsettled_.erase(event.id) > 0) show_unsettled();
  show_said(event_line(event, style_));
  if (event.is_own || event.kind != Event::Kind::kMessage) return;
  stop_condition_.on_message();
  if (stop_condition_.counted()) end(ExitCode::kOk);
}

// What is delivered may be among it: others have seen it where this person sees the gap.
void TerminalMode::show_lost(const Event& event) {
  show_said(event_line(event, style_));
  for (auto one = unsettled_.begin(); one != unsettled_.end();) {
    if (one->second.is_delivered) {
      show_said(message_line(room_.username(), one->second.text, style_));
      one = unsettled_.erase(one);
    } else {
      ++one;
    }
  }
  show_unsettled();
}

void TerminalMode::show_said(const std::string& line) {
  editor_->print(style_.quiet(time_of_day()) + " " + line);
}

void TerminalMode::show_notice(const std::string& text) {
  editor_->print(style_.quiet(text));
}

void TerminalMode::end(ExitCode code) {
  if (ended_) return;
  ended_ = true;
  result_.exit_code = code;
}

}  // namespace chatd::client
