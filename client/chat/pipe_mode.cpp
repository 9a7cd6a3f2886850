#include "client/chat/pipe_mode.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include "client/chat/output_lines.h"
#include "client/net/wait.h"
#include "client/terminal/layout.h"
#include "client/terminal/sanitize.h"

namespace chatd::client {
namespace {

constexpr std::size_t kReadBytes = 16 * 1024;
constexpr std::int64_t kRefusalPatienceMs = 200;

void tell(const std::string& text) {
  std::fprintf(stderr, "chat: %s\n", text.c_str());
}

}  // namespace

PipeMode::PipeMode(RoomClient& room, StopCondition stop_condition, Signals& signals, bool json)
    : room_(room),
      stop_condition_(stop_condition),
      signals_(signals),
      json_(json),
      output_(STDOUT_FILENO) {}

ExitCode PipeMode::run() {
  // A script waits for this before it lets the others speak.
  if (json_) {
    output_.write_line(json_ready(room_.room(), room_.username(), room_.protocol()));
    check_goal();
  } else {
    tell("you are in " + sanitize_name(room_.room()) + " as " + sanitize_name(room_.username()) +
         " (protocol " + std::to_string(room_.protocol()) + ")");
  }
  // The input comes first: who pipes one line in and waits for one message with --count wants that
  // line to be said even in a room that is talking already.
  while (running()) {
    wait();
    read_input();
    send_lines();
    show_events();
    await_arrival();
    room_.on_deadline();
    check_goal();
  }
  if (in_room_) leave_room();
  flush_output();
  if (exit_code_ == ExitCode::kOk && some_not_sent_) return ExitCode::kNotSent;
  return exit_code_;
}

void PipeMode::leave_room() {
  const std::size_t lines = room_.leave();
  if (lines == 0) return;
  tell(counted(lines, "line") + " may not have arrived" +
       (undelivered_.empty()
            ? ""
            : "; the first is line " + std::to_string(undelivered_.begin()->second)));
  if (exit_code_ == ExitCode::kOk) exit_code_ = ExitCode::kUnreachable;
}

void PipeMode::read_input() {
  if (!input_open_ || !input_ready_ || !lines_.empty()) return;
  std::array<char, kReadBytes> buffer;
  const ssize_t received = ::read(STDIN_FILENO, buffer.data(), buffer.size());
  if (received > 0) {
    lines_.push({buffer.data(), static_cast<std::size_t>(received)});
  } else if (received == 0 || (errno != EINTR && errno != EAGAIN)) {
    input_open_ = false;
    lines_.finish();
  }
}

void PipeMode::send_lines() {
  while (running() && !lines_.empty() && room_.has_room() && pacer_.take(now_ms())) {
    on_line(*lines_.take());
  }
}

// The last line may have gone to a server that is not there any more, or does not know us. So the
// program that is done asks, and stays to hear the answer; of an older server, that gives none, it
// hears an ICMP refusal at best, a round trip later.
void PipeMode::await_arrival() {
  if (!running() || input_open_ || !lines_.empty() || stop_condition_.listens_on()) return;
  if (line_number_ == 0) return end(ExitCode::kOk);
  if (const auto refused = room_.last_refusal()) return show(*refused);
  awaits_arrival_ = true;
  const std::int64_t now = now_ms();
  arrival_deadline_ms_ = std::min(arrival_deadline_ms_, now + kRefusalPatienceMs);
  // Who does not listen, since its own reader is slow, hears no answer either.
  const auto arrival = wants_events() ? room_.ask_arrival() : RoomClient::Arrival::kCannotSay;
  switch (arrival) {
    case RoomClient::Arrival::kYes:
      return end(ExitCode::kOk);
    case RoomClient::Arrival::kMayBeLost:  // which the news have told, or leave_room() will
      return end(ExitCode::kUnreachable);
    case RoomClient::Arrival::kAsked:
      arrival_deadline_ms_ = std::numeric_limits<std::int64_t>::max();
      return;
    case RoomClient::Arrival::kCannotSay:
      if (now >= arrival_deadline_ms_) end(ExitCode::kOk);
  }
}

void PipeMode::on_line(const std::string& line) {
  ++line_number_;
  // Protocol 2 has no empty messages: that nothing is said needs no saying.
  if (line.empty() && room_.protocol() == 2) return;
  const auto sent = room_.say(line);
  if (sent && *sent != 0) undelivered_[*sent] = line_number_;
  if (sent) return;
  some_not_sent_ = true;
  const std::string start = "line " + std::to_string(line_number_) + " ";
  const std::uint64_t size_bytes = lines_.last_line_bytes();
  if (size_bytes <= kMaxLineBytes) return tell(start + sent.error().reason);
  // Not all of it was kept.
  tell(start + "not sent: it is " + std::to_string(size_bytes) + " bytes long (" +
       (room_.protocol() == 2 ? "" : "with its headers ") + "a message has " +
       std::to_string(room_.max_message_bytes()) + " bytes at most)");
}

void PipeMode::tell_refused(const Event& event) {
  some_not_sent_ = true;
  const auto line = undelivered_.extract(event.id);
  const std::string number = line.empty() ? "?" : std::to_string(line.mapped());
  tell("line " + number + " not sent: " + sanitize(event.text));
}

void PipeMode::show_events() {
  // The news are few, and for stderr above all.
  for (const Event& event : wants_events() ? room_.receive() : room_.take_news()) {
    if (!running()) return;
    show(event);
  }
}

void PipeMode::show(const Event& event) {
  static const Style kPlain(false);
  if (event.is_own) return;  // as everywhere in a pipeline: who has said it knows
  const std::string text = event_line(event, kPlain);
  switch (event.kind) {
    case Event::Kind::kDisconnected:
    case Event::Kind::kNotAuthenticated:
    case Event::Kind::kServerGone:
      if (json_) output_.write_line(json_event(event));
      tell(text);
      in_room_ = false;
      end(event.kind == Event::Kind::kServerGone ? ExitCode::kUnreachable : ExitCode::kRemoved);
      return;
    case Event::Kind::kMessage:
      stop_condition_.on_message();
      break;
    case Event::Kind::kUnanswered:
      // What was said may have arrived; nobody can say. With protocol 2 it is said again for a
      // while.
      if (awaits_arrival_ && room_.protocol() == 1) end(ExitCode::kUnreachable);
      [[fallthrough]];
    case Event::Kind::kAnswered:
      if (!json_) return tell(sanitize(event.text));
      break;
    case Event::Kind::kDelivered:
      undelivered_.erase(event.id);
      return;
    case Event::Kind::kRefused:
      return tell_refused(event);
    case Event::Kind::kHeartbeat:
    case Event::Kind::kCaughtUp:
      return;
    case Event::Kind::kMalformed:
    case Event::Kind::kUnreadable:
    case Event::Kind::kLost:
      if (!json_) return tell(text);
      break;
    case Event::Kind::kJoined:
    case Event::Kind::kLeft:
    case Event::Kind::kNotice:
      break;
  }
  output_.write_line(json_ ? json_event(event) : wrap_for(output_.fd(), text));
  check_goal();
}

void PipeMode::check_goal() {
  if (!running()) return;
  if (output_.state() == Output::State::kReaderGone) {
    end(ExitCode::kOk);
  } else if (output_.state() == Output::State::kFailed) {
    tell(output_.failure());
    end(ExitCode::kInternal);
  } else if (const auto code = stop_condition_.reached(now_ms())) {
    if (*code == ExitCode::kTimedOut) tell("timed out before enough messages came");
    end(*code);
  }
}

void PipeMode::wait() {
  const bool wants_input = input_open_ && lines_.empty();
  const auto awaited_of_output = static_cast<short>(output_.has_pending() ? POLLOUT : 0);
  std::array<pollfd, 4> watched{{
      {.fd = wants_input ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0},
      {.fd = wants_events() ? room_.fd() : -1, .events = POLLIN, .revents = 0},
      {.fd = signals_.fd(), .events = POLLIN, .revents = 0},
      // Even without events poll tells when a pipe's reader is gone, which ends us before the next
      // message.
      {.fd = output_.fd(), .events = awaited_of_output, .revents = 0},
  }};
  std::int64_t deadline_ms =
      std::min({room_.next_deadline_ms(), stop_condition_.deadline_ms(), arrival_deadline_ms_});
  const bool may_send = !lines_.empty() && room_.has_room();
  if (may_send) deadline_ms = std::min(deadline_ms, pacer_.next_ms());
  input_ready_ = false;
  if (::poll(watched.data(), watched.size(), poll_timeout_ms(deadline_ms)) < 0) return;
  input_ready_ = watched[0].revents != 0;
  if ((watched[3].revents & ~POLLOUT) != 0) {
    output_.on_reader_gone();
  } else {
    output_.write_some();
  }
  if (const auto signal = signals_.take()) {
    ended_by_signal_ = true;
    end(exit_code_for_signal(*signal));
  }
}

void PipeMode::flush_output() {
  if (output_.state() == Output::State::kFailed || ended_by_signal_) return;
  switch (output_.flush(stop_condition_.deadline_ms(), signals_.fd())) {
    case WaitResult::kInterrupted:
      if (const auto signal = signals_.take()) exit_code_ = exit_code_for_signal(*signal);
      break;
    case WaitResult::kTimedOut:
      tell("the reader of the output did not take all of it in time");
      if (exit_code_ == ExitCode::kOk && stop_condition_.counted())
        exit_code_ = ExitCode::kTimedOut;
      break;
    case WaitResult::kReady:
      if (output_.state() != Output::State::kFailed) break;
      tell(output_.failure());
      exit_code_ = ExitCode::kInternal;
      break;
  }
}

void PipeMode::end(ExitCode code) {
  if (ended_) return;
  ended_ = true;
  exit_code_ = code;
}

}  // namespace chatd::client
