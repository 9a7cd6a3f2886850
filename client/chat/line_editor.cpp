#include "client/chat/line_editor.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "client/terminal/layout.h"
#include "client/terminal/sanitize.h"
#include "core/base/utf8.h"

namespace chatd::client {
namespace {

constexpr int kRememberedLines = 500;
constexpr std::size_t kMaxRowsAbove = 6;
constexpr std::size_t kUsualColumns = 80;
constexpr std::size_t kUsualRows = 24;

constexpr std::string_view kEraseBelow = "\x1b[J";
constexpr std::string_view kSaveCursor =
    "\x1b"
    "7";
constexpr std::string_view kRestoreCursor =
    "\x1b"
    "8";
constexpr std::string_view kClearScreen = "\x1b[H\x1b[2J";

winsize terminal_size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    size.ws_col = kUsualColumns;
    size.ws_row = kUsualRows;
  }
  return size;
}

std::wstring widen(std::string_view utf8) {
  KeyReader reader;
  reader.push(utf8);
  std::wstring wide;
  while (const auto character = reader.take()) wide.push_back(*character);
  return wide;
}

std::string narrow(std::wstring_view wide) {
  std::string utf8;
  for (const wchar_t character : wide) append_utf8(utf8, static_cast<char32_t>(character));
  return utf8;
}

// libedit shows what it searches for (^R) in a second row of the line.
std::string sanitize_rows(std::string_view text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return sanitize(text);
  return sanitize(text.substr(0, end)) + '\n' + sanitize_rows(text.substr(end + 1));
}

std::wstring_view before_cursor(EditLine* editor) {
  const LineInfoW* const line = ::el_wline(editor);
  return {line->buffer, static_cast<std::size_t>(line->cursor - line->buffer)};
}

std::wstring_view after_cursor(EditLine* editor) {
  const LineInfoW* const line = ::el_wline(editor);
  return {line->cursor, static_cast<std::size_t>(line->lastchar - line->cursor)};
}

// In wide characters: how far the cursor goes over what a reader counts as one.
int cluster_before_cursor(EditLine* editor) {
  const std::string text = narrow(before_cursor(editor));
  return static_cast<int>(widen(last_grapheme(text).text).size());
}

int cluster_after_cursor(EditLine* editor) {
  const std::string text = narrow(after_cursor(editor));
  return text.empty() ? 0 : static_cast<int>(widen(first_grapheme(text).text).size());
}

void write(std::string_view bytes) {
  std::fwrite(bytes.data(), 1, bytes.size(), stdout);
}

std::string up(std::size_t rows) {
  return rows == 0 ? "" : "\x1b[" + std::to_string(rows) + "A";
}

}  // namespace

std::unique_ptr<LineEditor> LineEditor::open(std::string_view prompt, WaitForKeys wait_for_keys) {
  std::unique_ptr<LineEditor> editor(new LineEditor(prompt, std::move(wait_for_keys)));
  if (!editor->start()) return nullptr;
  return editor;
}

LineEditor::LineEditor(std::string_view prompt, WaitForKeys wait_for_keys)
    : quiet_(ECHO | ICANON, 0), prompt_(prompt), wait_for_keys_(std::move(wait_for_keys)) {}

// el_end() gives the terminal back in a way that throws away what was typed ahead. It has been
// given back already, after the last line, so libedit is given something that is not a terminal.
LineEditor::~LineEditor() {
  if (editor_) ::el_wset(editor_.get(), EL_SETFP, 0, nothing_.get());
}

bool LineEditor::start() {
  nothing_.reset(std::fopen("/dev/null", "r+e"));
  if (!nothing_) return false;
  history_.reset(::history_winit());
  // It writes to nowhere, but takes the terminal's modes from the terminal.
  editor_.reset(::el_init_fd("chat", stdin, nothing_.get(), stderr, STDIN_FILENO, STDOUT_FILENO,
                             STDERR_FILENO));
  if (!history_ || !editor_) return false;
  HistEventW event{};
  ::history_w(history_.get(), &event, H_SETSIZE, kRememberedLines);
  ::history_w(history_.get(), &event, H_SETUNIQUE, 1);
  // Between two lines ("-x") libedit would switch echo and line buffering on, whatever it found.
  ::el_wset(editor_.get(), EL_SETTY, L"-x", L"-echo", L"-icanon", nullptr);
  ::el_wset(editor_.get(), EL_CLIENTDATA, this);
  ::el_wset(editor_.get(), EL_EDITOR, L"emacs");
  ::el_wset(editor_.get(), EL_HIST, ::history_w, history_.get());
  ::el_wset(editor_.get(), EL_GETCFN, &LineEditor::read_key);
  bind_keys();
  return true;
}

void LineEditor::bind_keys() {
  struct Binding {
    const wchar_t* function;
    std::initializer_list<const wchar_t*> keys;
  };
  const auto add = [this](const wchar_t* name, auto function) {
    ::el_wset(editor_.get(), EL_ADDFN, name, L"chat's own", function);
  };
  add(L"chat-left", &LineEditor::move_left);
  add(L"chat-right", &LineEditor::move_right);
  add(L"chat-delete-left", &LineEditor::delete_left);
  add(L"chat-clear-screen", &LineEditor::clear_screen);
  for (const auto& [function, keys] : std::initializer_list<Binding>{
           {L"chat-left", {L"^B", L"\\e[D", L"\\eOD"}},
           {L"chat-right", {L"^F", L"\\e[C", L"\\eOC"}},
           {L"chat-delete-left", {L"^H", L"^?"}},
           {L"chat-clear-screen", {L"^L"}},
           {L"ed-insert", {L"^I"}},  // what is pasted may have tabs
       }) {
    for (const wchar_t* const key : keys) {
      ::el_wset(editor_.get(), EL_BIND, key, function, nullptr);
    }
  }
}

LineEditor& LineEditor::of(EditLine* editor) {
  LineEditor* self = nullptr;
  ::el_wget(editor, EL_CLIENTDATA, &self);
  return *self;
}

int LineEditor::read_key(EditLine* editor, wchar_t* key) {
  LineEditor& self = of(editor);
  for (;;) {
    if (const auto next = self.keys_.take()) {
      *key = *next;
      return 1;
    }
    if (!self.fill_keys()) return 0;
  }
}

unsigned char LineEditor::move_left(EditLine* editor, wint_t) {
  ::el_cursor(editor, -cluster_before_cursor(editor));
  return CC_REFRESH;
}

unsigned char LineEditor::move_right(EditLine* editor, wint_t) {
  ::el_cursor(editor, cluster_after_cursor(editor));
  return CC_REFRESH;
}

unsigned char LineEditor::delete_left(EditLine* editor, wint_t) {
  ::el_wdeletestr(editor, cluster_before_cursor(editor));
  return CC_REFRESH;
}

unsigned char LineEditor::clear_screen(EditLine* editor, wint_t) {
  write(kClearScreen);
  of(editor).drawn_.reset();
  return CC_NORM;
}

bool LineEditor::fill_keys() {
  for (;;) {
    if (!wait_for_keys_()) return false;
    // One byte at a time: what is typed behind the line that ends the typing (/leave) is for the
    // next reader, and the terminal keeps it for that one.
    char byte = 0;
    const ssize_t received = ::read(STDIN_FILENO, &byte, 1);
    if (received > 0) {
      keys_.push({&byte, 1});
      return true;
    }
    if (received == 0 || (errno != EINTR && errno != EAGAIN)) return false;
  }
}

std::optional<std::string> LineEditor::read_line() {
  typing_ = true;
  int length = 0;
  const wchar_t* const line = ::el_wgets(editor_.get(), &length);
  typing_ = false;
  wipe_typed();
  if (line == nullptr || length <= 0) return std::nullopt;
  std::wstring_view typed(line, static_cast<std::size_t>(length));
  if (!typed.ends_with(L'\n')) return std::nullopt;
  typed.remove_suffix(1);
  return narrow(typed);
}

void LineEditor::remember(const std::string& line) {
  HistEventW event{};
  ::history_w(history_.get(), &event, H_ENTER, widen(line).c_str());
}

void LineEditor::print(std::string_view text) {
  wipe_typed();
  write(wrap(text, terminal_size().ws_col));
  write("\n");
  std::fflush(stdout);
}

void LineEditor::show_typed() {
  if (!typing_) return;
  const winsize size = terminal_size();
  const std::string before = prompt_ + sanitize_rows(narrow(before_cursor(editor_.get())));
  const std::string after = sanitize_rows(narrow(after_cursor(editor_.get())));
  // What is being typed comes first, if there is not room for both.
  const std::size_t max_above =
      above_.empty() ? 0 : std::min<std::size_t>(kMaxRowsAbove, size.ws_row / 2);
  TypedLayout layout = lay_out_typed(before, after, size.ws_col, size.ws_row - max_above);
  const std::size_t above = put_above(layout, above_, size.ws_col, max_above);
  for (std::size_t i = 0; i < above; ++i) layout.rows[i].text = style_.quiet(layout.rows[i].text);
  if (layout == drawn_) return;
  draw(layout);
  drawn_ = std::move(layout);
}

// Room for all rows is made first, so that nothing scrolls while they are written: the place that
// the terminal remembers for the cursor stays the right one.
void LineEditor::draw(const TypedLayout& layout) {
  std::string bytes = "\r";
  if (drawn_) bytes += up(drawn_->cursor_row);
  bytes.append(kEraseBelow).append(layout.rows.size() - 1, '\n');
  bytes += "\r" + up(layout.rows.size() - 1);
  for (std::size_t i = 0; i < layout.rows.size(); ++i) {
    std::string text = layout.rows[i].text;
    if (i == layout.cursor_row) text.insert(layout.cursor_bytes, kSaveCursor);
    bytes += (i == 0 ? "" : "\r\n") + text;
  }
  write(bytes.append(kRestoreCursor));
  std::fflush(stdout);
}

void LineEditor::wipe_typed() {
  if (!drawn_) return;
  write("\r" + up(drawn_->cursor_row) + std::string(kEraseBelow));
  std::fflush(stdout);
  drawn_.reset();
}

void LineEditor::on_resize() {
  if (!drawn_) return;
  const winsize size = terminal_size();
  // What has scrolled off the screen is out of reach.
  drawn_->cursor_row = std::min<std::size_t>(rows_above_cursor(*drawn_, size.ws_col),
                                             static_cast<std::size_t>(size.ws_row) - 1);
  wipe_typed();
}

void LineEditor::suspend() {
  wipe_typed();
  ::el_wset(editor_.get(), EL_PREP_TERM, 0);
  quiet_.leave();
  ::kill(::getpid(), SIGSTOP);
  quiet_.enter();
  ::el_wset(editor_.get(), EL_PREP_TERM, 1);
}

}  // namespace chatd::client
