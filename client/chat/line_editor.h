// The line being typed, and everything else that is shown on the terminal.
//
// libedit knows the keys, the line and what was typed before, but not how the line looks: it counts
// a column for each combining mark and the parts of an emoji one by one, and then believes that the
// cursor is where it is not. So what it draws goes nowhere, and the line is drawn here
// (TypedLayout): whenever libedit waits for a key (EL_GETCFN, which is ours), its line and its
// cursor are what they are to look like. Whatever else has to be shown meanwhile is printed above
// the line, which is wiped for that and drawn anew below it.
//
// Between two lines libedit gives the terminal back as it found it. What is typed or pasted in that
// moment would be echoed into the picture, so libedit is made to find a terminal that echoes
// nothing.
//
// Thread: one; there is one terminal, so one object.
#pragma once

#include <histedit.h>

#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/chat/input.h"
#include "client/chat/output_lines.h"
#include "client/terminal/layout.h"
#include "client/terminal/terminal_process.h"

namespace chatd::client {

class LineEditor {
 public:
  // Waits until stdin is readable; false ends the typing.
  using WaitForKeys = std::function<bool()>;

  // `prompt` is UTF-8. Nothing when the terminal cannot be used.
  static std::unique_ptr<LineEditor> open(std::string_view prompt, WaitForKeys wait_for_keys);
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;
  ~LineEditor();

  // The next line as UTF-8, without its end; it has been wiped off the screen again, so that the
  // caller shows it in the form of all the others. Nothing when the typing has ended (^D, the
  // terminal is gone, or WaitForKeys said so).
  std::optional<std::string> read_line();
  // So that the arrow keys bring it back.
  void remember(const std::string& line);

  // Prints lines (no line end at the end), wrapped, where the line being typed was.
  void print(std::string_view text);
  // What is to stand above the line being typed, in a quieter shade, from the next show_typed() on.
  void show_above(std::vector<std::string> lines) { above_ = std::move(lines); }
  // Draws the line being typed as it is now: for WaitForKeys, before it waits.
  void show_typed();

  void on_resize();
  // Stops the program as ^Z does, with the terminal as it was; returns when it goes on.
  void suspend();

 private:
  struct EditLineCloser {
    void operator()(EditLine* editor) const { ::el_end(editor); }
  };
  struct HistoryCloser {
    void operator()(HistoryW* history) const { ::history_wend(history); }
  };
  struct FileCloser {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  LineEditor(std::string_view prompt, WaitForKeys wait_for_keys);
  bool start();
  void bind_keys();
  static LineEditor& of(EditLine* editor);
  static int read_key(EditLine* editor, wchar_t* key);
  // What the keys do that libedit would do by the character, or to its own picture.
  static unsigned char move_left(EditLine* editor, wint_t key);
  static unsigned char move_right(EditLine* editor, wint_t key);
  static unsigned char delete_left(EditLine* editor, wint_t key);
  static unsigned char clear_screen(EditLine* editor, wint_t key);
  bool fill_keys();
  // Erases the line being typed; the cursor is where it began.
  void wipe_typed();
  void draw(const TypedLayout& layout);

  ScopedTermios quiet_;  // outlives libedit, which restores what it found
  std::string prompt_;
  WaitForKeys wait_for_keys_;
  KeyReader keys_;
  std::unique_ptr<std::FILE, FileCloser> nothing_;  // /dev/null
  std::unique_ptr<HistoryW, HistoryCloser> history_;
  std::unique_ptr<EditLine, EditLineCloser> editor_;
  Style style_ = Style::from_environment();
  std::vector<std::string> above_;
  bool typing_ = false;
  std::optional<TypedLayout> drawn_;
};

}  // namespace chatd::client
