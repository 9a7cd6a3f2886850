// The line being typed, and everything else that is shown on the terminal.
//
// While a line is being typed, libedit believes that it alone writes to the terminal. To print
// something meanwhile, the cursor goes back to where the prompt begins, all below is erased, the
// text is printed there, and libedit draws its line anew below it. This happens from within
// libedit's wait for a key (EL_GETCFN), which is ours: there all that it has to show is shown.
//
// Between two lines libedit gives the terminal back as it found it. What is typed or pasted in that
// moment would be echoed into the picture, so libedit is made to find a terminal that echoes
// nothing.
//
// Thread: one; there is one terminal, so one object.
#pragma once

#include <histedit.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "client/chat/key_reader.h"
#include "client/chat/local_modes.h"

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

  // Prints lines (no line end at the end) above the line being typed. Also when none is.
  void print(std::string_view text);

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

  LineEditor(std::wstring prompt, WaitForKeys wait_for_keys);
  bool start();
  static int read_key(EditLine* editor, wchar_t* key);
  static wchar_t* prompt(EditLine* editor);
  bool fill_keys();
  // Puts the cursor where the prompt begins, `rows` above, and erases everything from there.
  void wipe(std::size_t rows);
  // The same for the line being typed.
  void wipe_typed();
  std::size_t rows_of(std::wstring_view typed) const;

  LocalModes quiet_;  // outlives libedit, which restores what it found
  std::wstring prompt_;
  WaitForKeys wait_for_keys_;
  KeyReader keys_;
  std::unique_ptr<HistoryW, HistoryCloser> history_;
  std::unique_ptr<EditLine, EditLineCloser> editor_;
  bool typing_ = false;
};

}  // namespace chatd::client
