#include "client/ctl/top.h"

#include <poll.h>
#include <simdjson.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include "client/ctl/json_fields.h"
#include "client/ctl/pages.h"
#include "client/ctl/printing.h"
#include "client/terminal/layout.h"
#include "client/terminal/sanitize.h"
#include "client/terminal/terminal_process.h"

namespace chatd::client::ctl {
namespace {

constexpr int kIntervalMs = 1000;
constexpr std::size_t kLargestRooms = 10;
// Looking at all rooms each second would keep a large chatd busy.
constexpr std::uint64_t kMaxRoomsRead = 5000;
// Nor is whoever wants to end it to wait until they are read.
constexpr std::chrono::milliseconds kMaxReadingTime{5'000};

constexpr std::string_view kEnterScreen = "\x1b[?1049h\x1b[?25l";
constexpr std::string_view kLeaveScreen = "\x1b[?25h\x1b[?1049l";
constexpr std::string_view kToTheTop = "\x1b[H";
constexpr std::string_view kClearRestOfLine = "\x1b[K";
constexpr std::string_view kClearBelow = "\x1b[J";

struct Size {
  std::size_t rows = 24;
  std::size_t columns = 80;
};

Size terminal_size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) {
    return {};
  }
  return {.rows = size.ws_row, .columns = size.ws_col};
}

std::string_view cut_to(std::string_view line, std::size_t columns) {
  std::size_t end = 0;
  std::size_t width = 0;
  while (end < line.size()) {
    const Grapheme next = first_grapheme(line.substr(end));
    width += next.most_columns;
    if (width > columns) break;
    end += next.text.size();
  }
  return line.substr(0, end);
}

// The text as far as it fits, over what was there before.
std::string frame_of(std::string_view text, const Size& size) {
  std::string frame(kToTheTop);
  for (std::size_t row = 0; row < size.rows && !text.empty(); ++row) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (row > 0) frame += "\r\n";
    // In the last column the cursor would wait on the character that it has drawn, and clear it.
    frame += cut_to(text.substr(0, end), size.columns - 1);
    frame += kClearRestOfLine;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  frame += kClearBelow;
  return frame;
}

// Whether somebody wants it to end within the time to the next look.
bool is_ended_within(Signals& signals, int timeout_ms) {
  pollfd waited[] = {{.fd = signals.fd(), .events = POLLIN, .revents = 0},
                     {.fd = STDIN_FILENO, .events = POLLIN, .revents = 0}};
  if (::poll(waited, 2, timeout_ms) <= 0) return false;
  if (waited[0].revents != 0) {
    signals.take();  // it would end the program once it is no longer watched for
    return true;
  }
  char key = 0;
  const ssize_t count = ::read(STDIN_FILENO, &key, 1);
  constexpr char kCtrlC = 3;
  return count <= 0 || key == 'q' || key == 'Q' || key == kCtrlC;
}

}  // namespace

std::string rooms_table(const std::vector<std::string>& rows) {
  Table table({{.title = "ROOM"},
               {.title = "MEMBERS", .align = kRight},
               {.title = "NOT HEARD", .align = kRight},
               {.title = "WAITING", .align = kRight},
               {.title = "PASSWORD"},
               {.title = "HOST"}});
  simdjson::dom::parser parser;
  for (const std::string& row : rows) {
    simdjson::dom::element room;
    if (parser.parse(row).get(room) != simdjson::SUCCESS) continue;
    table.add({sanitize_name(text_of(room, "name")), std::to_string(number_of(room, "members")),
               std::to_string(number_of(room, "pending_members")),
               std::to_string(number_of(room, "waiting_messages")),
               flag_of(room, "has_password") ? "yes" : "", sanitize_name(text_of(room, "host"))});
  }
  return table.text();
}

ExitCode Top::run() {
  if (!json_ && ::isatty(STDOUT_FILENO) != 0 && ::isatty(STDIN_FILENO) != 0) {
    return run_on_terminal();
  }
  const auto seen = look();
  if (!seen) return print_error(seen.error());
  return json_ ? print_json(*seen) : print_lines(*seen);
}

ExitCode Top::run_on_terminal() {
  auto signals = Signals::that_end();
  auto seen = look();  // what goes wrong at once is better said on the usual screen
  if (seen) {
    const ScopedTermios modes(ICANON | ECHO | ISIG, 0);
    print(kEnterScreen);
    do {
      if (print(frame_of(*seen, terminal_size())) != ExitCode::kDone) break;
      if (is_ended_within(signals, kIntervalMs)) break;
      seen = look();
    } while (seen);
    print(kLeaveScreen);
  }
  return seen ? ExitCode::kDone : print_error(seen.error());
}

tl::expected<std::string, std::string> Top::look() {
  const auto answer = endpoint_.get("/status.json");
  if (!answer) return tl::unexpected(answer.error());
  auto status = parse_status(answer->body);
  if (!answer->is_success() || !status) {
    return tl::unexpected("chatd does not say how it is (status " + std::to_string(answer->status) +
                          "): look at its log");
  }
  if (json_) return answer->body;
  std::string text = status_text(*status, before_ ? &*before_ : nullptr) + largest_rooms();
  before_ = std::move(status);
  return text;
}

std::string Top::largest_rooms() {
  const auto pages = read_pages(endpoint_, "", kMaxRoomsRead, {.max_time = kMaxReadingTime});
  if (!pages || pages->rows.empty()) return "";
  std::vector<std::pair<std::uint64_t, const std::string*>> by_size;
  simdjson::dom::parser parser;
  for (const std::string& row : pages->rows) {
    simdjson::dom::element room;
    if (parser.parse(row).get(room) != simdjson::SUCCESS) continue;
    by_size.emplace_back(number_of(room, "members"), &row);
  }
  std::stable_sort(by_size.begin(), by_size.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::string> largest;
  for (std::size_t i = 0; i < std::min(by_size.size(), kLargestRooms); ++i) {
    largest.push_back(*by_size[i].second);
  }
  const std::string which =
      pages->next.empty() ? "" : "(of the first " + std::to_string(kMaxRoomsRead) + " rooms)\n";
  return "\n" + rooms_table(largest) + which;
}

}  // namespace chatd::client::ctl
