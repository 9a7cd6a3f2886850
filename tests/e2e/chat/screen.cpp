#include "tests/e2e/chat/screen.h"

#include <utf8proc.h>

#include <array>
#include <cstdint>

namespace chatd::test {
namespace {

constexpr std::string_view kJoiner = "\u200d";
// What libvterm stores in the second column of a wide character.
constexpr std::uint32_t kWideRest = 0xffff'ffff;
// What it shows for bytes that are not UTF-8.
constexpr std::uint32_t kReplacement = 0xfffd;

void append_utf8(std::string& out, std::uint32_t character) {
  std::array<utf8proc_uint8_t, 4> bytes;
  const auto size = utf8proc_encode_char(static_cast<utf8proc_int32_t>(character), bytes.data());
  out.append(bytes.begin(), bytes.begin() + size);
}

}  // namespace

Screen::Screen(int columns, int rows)
    : columns_(columns),
      height_(rows),
      terminal_(vterm_new(rows, columns), &vterm_free),
      screen_(vterm_obtain_screen(terminal_.get())) {
  vterm_set_utf8(terminal_.get(), 1);
  vterm_screen_reset(screen_, 1);
  watch();
}

// After the reset, which sets all properties.
void Screen::watch() {
  static constexpr VTermScreenCallbacks kCallbacks{
      .damage =
          [](VTermRect damaged, void* user) {
            static_cast<Screen*>(user)->note_what_is_no_text(damaged);
            return 1;
          },
      .moverect = nullptr,
      .movecursor = nullptr,
      .settermprop =
          [](VTermProp property, VTermValue*, void* user) {
            auto& self = *static_cast<Screen*>(user);
            // Whoever restores the cursor's place restores its looks.
            const bool is_of_cursor = property == VTERM_PROP_CURSORVISIBLE ||
                                      property == VTERM_PROP_CURSORBLINK ||
                                      property == VTERM_PROP_CURSORSHAPE;
            if (!is_of_cursor) self.unknown_.push_back("property " + std::to_string(property));
            return 1;
          },
      .bell =
          [](void* user) {
            static_cast<Screen*>(user)->bell_ = true;
            return 1;
          },
      .resize = nullptr,
      .sb_pushline =
          [](int count, const VTermScreenCell* cells, void* user) {
            auto& self = *static_cast<Screen*>(user);
            self.scrolled_off_.push_back(to_utf8({cells, static_cast<std::size_t>(count)}));
            return 1;
          },
      .sb_popline = nullptr};
  static constexpr VTermParserCallbacks kUnknown{
      .text = nullptr,
      .control =
          [](unsigned char control, void* user) {
            static_cast<Screen*>(user)->unknown_.push_back("control " + std::to_string(control));
            return 1;
          },
      .escape = nullptr,
      .csi =
          [](const char*, const long*, int, const char*, char command, void* user) {
            static_cast<Screen*>(user)->unknown_.push_back(std::string("CSI ") + command);
            return 1;
          },
      .osc =
          [](const char*, std::size_t, void* user) {
            static_cast<Screen*>(user)->unknown_.emplace_back("OSC");
            return 1;
          },
      .dcs =
          [](const char*, std::size_t, void* user) {
            static_cast<Screen*>(user)->unknown_.emplace_back("DCS");
            return 1;
          },
      .resize = nullptr};
  vterm_screen_set_callbacks(screen_, &kCallbacks, this);
  vterm_screen_set_unrecognised_fallbacks(screen_, &kUnknown, this);
  vterm_output_set_callback(
      terminal_.get(),
      [](const char* bytes, std::size_t size, void* user) {
        static_cast<Screen*>(user)->unknown_.push_back("answer " + std::string(bytes, size));
      },
      this);
}

void Screen::feed(std::string_view bytes) {
  std::string drawn;
  for (const char byte : bytes) {
    if (is_drawn(byte)) drawn.push_back(byte);
  }
  vterm_input_write(terminal_.get(), drawn.data(), drawn.size());
}

// libvterm draws each part of a joined emoji: where a terminal would not, they do not get there.
bool Screen::is_drawn(char byte) {
  const auto bits = static_cast<unsigned char>(byte);
  const bool is_first = (bits & 0xc0) != 0x80;
  if (is_first) {
    is_part_ = joins_emoji_ && character_ == kJoiner && bits >= 0xc0;
    character_.clear();
  }
  character_.push_back(byte);
  return !is_part_;
}

void Screen::note_what_is_no_text(VTermRect damaged) {
  for (VTermPos at{damaged.start_row, 0}; at.row < damaged.end_row; ++at.row) {
    for (at.col = damaged.start_col; at.col < damaged.end_col; ++at.col) {
      VTermScreenCell cell;
      vterm_screen_get_cell(screen_, at, &cell);
      if (cell.chars[0] == kReplacement) unknown_.emplace_back("not UTF-8");
    }
  }
}

VTermPos Screen::cursor() const {
  VTermPos position;
  vterm_state_get_cursorpos(vterm_obtain_state(terminal_.get()), &position);
  return position;
}

std::string Screen::to_utf8(std::span<const VTermScreenCell> cells) {
  std::string text;
  for (const VTermScreenCell& cell : cells) {
    const std::uint32_t character = cell.chars[0];
    if (character != kWideRest) append_utf8(text, character == 0 ? ' ' : character);
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

std::string Screen::row(int number) const {
  std::vector<VTermScreenCell> cells(static_cast<std::size_t>(columns_));
  for (int column = 0; column < columns_; ++column) {
    vterm_screen_get_cell(screen_, {.row = number, .col = column},
                          &cells[static_cast<std::size_t>(column)]);
  }
  return to_utf8(cells);
}

std::vector<std::string> Screen::rows() const {
  std::vector<std::string> texts = scrolled_off_;
  for (int number = 0; number < height_; ++number) texts.push_back(row(number));
  return texts;
}

std::string Screen::text() const {
  std::string text;
  for (const std::string& row : rows()) {
    if (!row.empty()) text += row + "\n";
  }
  return text;
}

std::string Screen::cursor_row() const {
  return row(cursor().row);
}

}  // namespace chatd::test
