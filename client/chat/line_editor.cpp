#include "client/chat/line_editor.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>

#include "client/chat/screen_layout.h"
#include "client/chat/utf8.h"

namespace chatd::client {
namespace {

constexpr int kRememberedLines = 500;
constexpr std::size_t kUsualColumns = 80;
constexpr std::size_t kUsualRows = 24;

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

}  // namespace

std::unique_ptr<LineEditor> LineEditor::open(std::string_view prompt, WaitForKeys wait_for_keys) {
  std::unique_ptr<LineEditor> editor(new LineEditor(widen(prompt), std::move(wait_for_keys)));
  if (!editor->start()) return nullptr;
  return editor;
}

LineEditor::LineEditor(std::wstring prompt, WaitForKeys wait_for_keys)
    : quiet_(ECHO | ICANON, 0),
      prompt_(std::move(prompt)),
      wait_for_keys_(std::move(wait_for_keys)) {}

// el_end() gives the terminal back in a way that throws away what was typed ahead. It has been
// given back already, after the last line, so libedit is led to something that is no terminal.
LineEditor::~LineEditor() {
  if (!editor_) return;
  std::FILE* const nothing = std::fopen("/dev/null", "re");
  if (nothing != nullptr) ::el_wset(editor_.get(), EL_SETFP, 0, nothing);
  editor_.reset();
  if (nothing != nullptr) std::fclose(nothing);
}

bool LineEditor::start() {
  history_.reset(::history_winit());
  editor_.reset(::el_init("chat", stdin, stdout, stderr));
  if (!history_ || !editor_) return false;
  HistEventW event{};
  ::history_w(history_.get(), &event, H_SETSIZE, kRememberedLines);
  ::history_w(history_.get(), &event, H_SETUNIQUE, 1);
  // Between two lines ("-x") libedit would switch echo and line buffering on, whatever it found.
  ::el_wset(editor_.get(), EL_SETTY, L"-x", L"-echo", L"-icanon", nullptr);
  ::el_wset(editor_.get(), EL_CLIENTDATA, this);
  ::el_wset(editor_.get(), EL_PROMPT, &LineEditor::prompt);
  ::el_wset(editor_.get(), EL_EDITOR, L"emacs");
  ::el_wset(editor_.get(), EL_HIST, ::history_w, history_.get());
  ::el_wset(editor_.get(), EL_GETCFN, &LineEditor::read_key);
  return true;
}

wchar_t* LineEditor::prompt(EditLine* editor) {
  LineEditor* self = nullptr;
  ::el_wget(editor, EL_CLIENTDATA, &self);
  return self->prompt_.data();
}

int LineEditor::read_key(EditLine* editor, wchar_t* key) {
  LineEditor* self = nullptr;
  ::el_wget(editor, EL_CLIENTDATA, &self);
  for (;;) {
    if (const auto next = self->keys_.take()) {
      *key = *next;
      return 1;
    }
    if (!self->fill_keys()) {
      self->wipe_typed();
      return 0;
    }
  }
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
  if (line == nullptr || length <= 0) {
    // ^D has been echoed behind the prompt, which should not stay as the last thing on the screen.
    wipe(0);
    return std::nullopt;
  }
  std::wstring_view typed(line, static_cast<std::size_t>(length));
  if (!typed.ends_with(L'\n')) return std::nullopt;
  typed.remove_suffix(1);
  // libedit has gone to the row below the last one of the line.
  wipe(rows_of(typed) + 1);
  return narrow(typed);
}

void LineEditor::remember(const std::string& line) {
  HistEventW event{};
  ::history_w(history_.get(), &event, H_ENTER, widen(line).c_str());
}

void LineEditor::print(std::string_view text) {
  if (typing_) wipe_typed();
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
  if (typing_) ::el_wset(editor_.get(), EL_REFRESH);
  std::fflush(stdout);
}

void LineEditor::on_resize() {
  ::el_resize(editor_.get());
  if (!typing_) return;
  // The terminal may have wrapped the line anew; count its rows by the new width.
  wipe_typed();
  ::el_wset(editor_.get(), EL_REFRESH);
}

void LineEditor::suspend() {
  std::fputc('\n', stdout);
  std::fflush(stdout);
  ::el_wset(editor_.get(), EL_PREP_TERM, 0);
  quiet_.leave();
  ::kill(::getpid(), SIGSTOP);
  quiet_.enter();
  ::el_wset(editor_.get(), EL_PREP_TERM, 1);
  if (typing_) ::el_wset(editor_.get(), EL_REFRESH);
}

void LineEditor::wipe_typed() {
  const LineInfoW* const line = ::el_wline(editor_.get());
  wipe(rows_of({line->buffer, static_cast<std::size_t>(line->cursor - line->buffer)}));
}

void LineEditor::wipe(std::size_t rows) {
  // A line that fills the screen has scrolled: its beginning is out of reach.
  const std::size_t reachable = static_cast<std::size_t>(terminal_size().ws_row) - 1;
  const std::size_t up = std::min(rows, reachable);
  std::fputc('\r', stdout);
  if (up > 0) std::fprintf(stdout, "\x1b[%zuA", up);
  std::fputs("\x1b[J", stdout);
  std::fflush(stdout);
}

std::size_t LineEditor::rows_of(std::wstring_view typed) const {
  return rows_before_cursor(std::wstring(prompt_).append(typed), terminal_size().ws_col);
}

}  // namespace chatd::client
