// What comes in through stdin, from bytes to what is said: on a terminal keys, and lines that may
// be commands; from a pipe lines, which are sent no faster than a room can take.
//
// Thread: none of its own; no I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "core/ratelimit/token_bucket.h"

namespace chatd::client {

// Bytes from the keyboard as characters for the line editor.
class KeyReader {
 public:
  void push(std::string_view bytes) { unread_.append(bytes); }
  // Nothing while a character is not whole. Bytes that belong to none are left out.
  std::optional<wchar_t> take();

 private:
  std::string unread_;
};

// What a person typed: something to say, or a command.
struct Command {
  enum class Kind : std::uint8_t { kNothing, kSay, kWho, kLeave, kQuit, kHelp, kUnknown };

  Kind kind = Kind::kNothing;
  std::string text;  // kSay: what to say; kUnknown: the word that is not a command
};

// "/word" is a command, "//text" says "/text", blanks alone are nothing.
Command parse_command(std::string_view line);

inline constexpr std::string_view kCommandHelp =
    "/who    who is in this room\n"
    "/leave  leave this room\n"
    "/quit   leave this room and end chat (so does ^D)\n"
    "/help   this list\n"
    "//text  say \"/text\"\n"
    "All else is said to the room. The arrow keys bring back what you said before.";

// More than any message can have. Of a longer line the rest is thrown away as it comes, so that a
// file without line ends does not fill the memory.
inline constexpr std::size_t kMaxLineBytes = 64 * 1024;

// Cuts a stream of bytes into lines.
class LineReader {
 public:
  void push(std::string_view bytes);
  // The input has ended: what came after the last line end is a line too.
  void finish();

  // In order, without the line end (LF or CR LF).
  std::optional<std::string> take();
  // How long the line that was taken last is in truth.
  std::uint64_t last_line_bytes() const { return last_line_bytes_; }
  bool empty() const { return lines_.empty(); }

 private:
  void append(std::string_view bytes);
  void end_line();

  struct Line {
    std::string text;
    std::uint64_t size_bytes;
  };

  std::string partial_;
  std::uint64_t partial_bytes_ = 0;
  bool has_partial_ = false;
  std::deque<Line> lines_;
  std::uint64_t last_line_bytes_ = 0;
};

// How fast a file may be poured into a room.
//
// UDP has no way to say "slower": a few hundred datagrams at once overflow the queue of a receiver
// that is busy for a moment, and nobody is told. And a server limits how much a member may say
// (chatd's default is 500 messages a second). So lines from a pipe go out in small bursts at a rate
// below that, which nobody who types will ever reach.
class Pacer {
 public:
  static constexpr std::uint32_t kPerSecond = 400;
  static constexpr std::uint32_t kBurstMs = 80;

  // Whether one more may go now; it is counted then.
  bool take(std::int64_t now_ms) {
    asked_at_ms_ = now_ms;
    return bucket_.take(static_cast<TimeMs>(now_ms), kRate);
  }

  // When to ask again after a refusal.
  std::int64_t next_ms() const { return asked_at_ms_ + 1; }

 private:
  static constexpr TokenRate kRate{.units = kPerSecond, .burst_ms = kBurstMs};

  TokenBucket bucket_;
  std::int64_t asked_at_ms_ = 0;
};

}  // namespace chatd::client
