#include "client/lib/log_member.h"

#include <simdjson.h>

#include <algorithm>
#include <utility>

#include "client/lib/member_session.h"
#include "core/wire/v2/datagram.h"

namespace chatd::client {
namespace {

// LogSession keeps a path alive in a third of the idle timeout.
constexpr TimeMs kKeepAliveParts = 3;

bool is_not_text(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t' && c != '\n') || byte == 0x7f;
}

tl::unexpected<Error> not_sendable(const std::string& why) {
  return failure(ErrorKind::kNotSendable, "not sent: " + why);
}

// What a member with protocol v1 has said, or the server to all. Nothing in it ends anything.
Event read_v1(std::string_view payload, bool is_servers) {
  Event event = parse_payload(payload, "");
  if (event.kind == Event::Kind::kMalformed) return event;
  if (is_servers) {
    event.kind = Event::Kind::kNotice;
  } else if (event.kind != Event::Kind::kMessage) {
    return {.kind = Event::Kind::kMalformed, .text = "a message is not as a member's are"};
  }
  return event;
}

}  // namespace

std::size_t LogMember::max_text_bytes() const {
  return v2::kMaxSayBytes - (options_.cipher ? RoomCipher::kOverheadBytes : 0);
}

tl::expected<void, Error> LogMember::check(std::string_view text) const {
  const std::size_t max_bytes = max_text_bytes();
  if (text.empty()) return not_sendable("it is empty");
  if (text.size() > max_bytes) {
    const std::size_t excess_bytes = text.size() - max_bytes;
    return not_sendable("it is too long by " + std::to_string(excess_bytes) +
                        (excess_bytes == 1 ? " byte" : " bytes") + " (a message has " +
                        std::to_string(max_bytes) + " at most)");
  }
  if (!simdjson::validate_utf8(text.data(), text.size())) {
    return not_sendable("it is not valid UTF-8");
  }
  if (std::any_of(text.begin(), text.end(), is_not_text)) {
    return not_sendable("it contains a control character");
  }
  return {};
}

LogMember::LogMember(EntryRequest request, Entry entry, Options options, TimeMs now_ms)
    : request_(std::move(request)),
      token_(entry.token),
      options_(std::move(options)),
      heard_at_ms_(now_ms) {
  const SessionInfo& info = *entry.session;
  told_ = (options_.wants_history ? info.oldest_entry : info.next_entry) - 1;
  start(now_ms, std::move(*entry.session), options_.wants_history);
}

void LogMember::start(TimeMs now_ms, SessionInfo info, bool wants_history) {
  idle_timeout_ms_ = info.idle_timeout_ms;
  info.idle_timeout_ms = std::min(idle_timeout_ms_, kKeepAliveParts * options_.heartbeat_ms);
  session_ = std::make_unique<LogSession>(
      std::move(info), LogSessionOptions{.wants_history = wants_history, .keeps_order = true},
      now_ms);
  doubted_at_ms_.reset();
  refusals_ = 0;
}

// --- What is said --------------------------------------------------------------------------------

std::uint64_t LogMember::say(TimeMs now_ms, std::string_view text) {
  if (said_.empty()) waiting_since_ms_ = now_ms;
  const std::uint64_t id = next_id_++;
  said_[id] = {.text = std::string(text),
               .sealed = options_.cipher ? options_.cipher->seal(username(), text) : ""};
  give(now_ms, id);
  return id;
}

// To the session; or later, when what the last one has left open is known.
void LogMember::give(TimeMs now_ms, std::uint64_t id) {
  if (!is_caught_up_ || session_->is_over()) return;
  const Said& said = said_[id];
  const std::uint64_t number = options_.cipher
                                   ? session_->say(now_ms, said.sealed, v2::ContentType::kSealed)
                                   : session_->say(now_ms, said.text);
  if (number != 0) ids_[number] = id;
}

void LogMember::give_all(TimeMs now_ms) {
  is_caught_up_ = true;
  lost_ids_.clear();
  for (const auto& [id, said] : said_) give(now_ms, id);
}

void LogMember::settle(std::uint64_t id) {
  if (said_.erase(id) > 0) events_.push_back({.kind = Event::Kind::kDelivered, .id = id});
}

void LogMember::leave() {
  session_->give_up_unsettled();
  session_->leave();
}

// --- Datagrams -----------------------------------------------------------------------------------

void LogMember::on_datagram(TimeMs now_ms, std::string_view bytes) {
  if (is_over_) return;
  const std::uint64_t dropped = session_->stats().datagrams_dropped;
  const bool is_ours = session_->on_datagram(now_ms, bytes);
  if (is_ours && session_->stats().datagrams_dropped == dropped) {
    if (!session_->is_over()) on_heard(now_ms);
  } else if (bytes.size() == v2::kOverheadBytes && !doubted_at_ms_) {
    doubted_at_ms_ = now_ms;
  }
  take_events(now_ms);
}

std::optional<std::string> LogMember::next_datagram(TimeMs now_ms) {
  if (is_over_) return std::nullopt;
  return session_->next_datagram(now_ms);
}

// --- Events --------------------------------------------------------------------------------------

std::optional<Event> LogMember::next_event() {
  if (events_.empty()) return std::nullopt;
  Event event = std::move(events_.front());
  events_.pop_front();
  return event;
}

void LogMember::tell(Event::Kind kind, std::string text) {
  events_.push_back({.kind = kind, .text = std::move(text)});
}

void LogMember::end(Event::Kind kind, std::string text) {
  is_over_ = true;
  tell(kind, std::move(text));
}

void LogMember::take_events(TimeMs now_ms) {
  while (!is_over_) {
    auto event = session_->next_event();
    if (!event) return;
    take(now_ms, std::move(*event));
  }
}

void LogMember::take(TimeMs now_ms, LogEvent event) {
  using Kind = LogEvent::Kind;
  const bool is_entry = event.kind != Kind::kDelivered && event.kind != Kind::kCaughtUp;
  if (is_entry) told_ = std::max({told_, event.number, event.last_number});
  switch (event.kind) {
    case Kind::kDelivered:
      return take_delivered(event);
    case Kind::kRefused: {
      const auto id = ids_.extract(event.id);
      if (id.empty() || said_.erase(id.mapped()) == 0) return;
      return events_.push_back(
          {.kind = Event::Kind::kRefused, .text = std::move(event.text), .id = id.mapped()});
    }
    case Kind::kSaid:
      return take_said(std::move(event));
    case Kind::kJoined:
    case Kind::kLeft:
      return events_.push_back(
          {.kind = event.kind == Kind::kJoined ? Event::Kind::kJoined : Event::Kind::kLeft,
           .name = std::move(event.name),
           .is_history = is_history(event)});
    case Kind::kGap:
      return events_.push_back({.kind = Event::Kind::kLost,
                                .is_history = is_history(event),
                                .count = event.last_number - event.number + 1});
    case Kind::kCaughtUp:
      // A session that ends says so as well, wherever it has come to.
      if (session_->complete() < event.number) return;
      if (is_return_) return give_all(now_ms);
      return events_.push_back({.kind = Event::Kind::kCaughtUp});
    case Kind::kClosed:
      return take_closed(now_ms, std::move(event));
    case Kind::kUnknown:
      return lose(now_ms, "");
    case Kind::kSilent:
      return lose(now_ms, options_.server_name + " does not answer");
    case Kind::kAnswers:
      return;  // on_heard() has told it
  }
}

void LogMember::take_delivered(const LogEvent& event) {
  const auto found = ids_.find(event.id);
  if (found == ids_.end()) return;
  const std::uint64_t id = found->second;
  const auto said = said_.find(id);
  if (said == said_.end()) return;
  const std::string text = said->second.text;
  settle(id);
  if (event.number != 0) return;  // its entry follows
  ids_.erase(found);
  // Others may have it; here it was among what is lost, so nothing else tells of it.
  events_.push_back({.kind = Event::Kind::kMessage,
                     .name = request_.username,
                     .text = text,
                     .is_own = true,
                     .is_sealed = is_sealed_if(true),
                     .id = id});
}

void LogMember::take_said(LogEvent event) {
  const bool is_own = event.member != v2::kServerId && event.member == session_->member();
  std::uint64_t id = 0;
  if (is_own && event.client_number != 0) {
    // Of a session before, unless this one has said it.
    auto& ids = event.id != 0 ? ids_ : lost_ids_;
    const auto found = ids.extract(event.client_number);
    if (!found.empty()) id = found.mapped();
    settle(id);
  }
  auto read_event = read(event);
  if (!read_event) return;  // for those who know how to read it
  Event told = std::move(*read_event);
  told.name = name_of(event);
  told.is_own = is_own;
  told.is_history = is_history(event);
  told.id = id;
  events_.push_back(std::move(told));
}

std::optional<Event> LogMember::read(LogEvent& event) {
  switch (event.content_type) {
    case v2::ContentType::kText:
      return Event{.kind = Event::Kind::kMessage,
                   .text = std::move(event.text),
                   .is_sealed = is_sealed_if(false)};
    case v2::ContentType::kV1Payload: {
      Event told = read_v1(event.text, event.member == v2::kServerId);
      told.is_sealed = is_sealed_if(false);
      return told;
    }
    case v2::ContentType::kSealed:
      return open(name_of(event), event.text);
  }
  return std::nullopt;
}

Event LogMember::open(const std::string& speaker, std::string_view bytes) {
  const auto unreadable = [](std::string why) {
    return Event{.kind = Event::Kind::kUnreadable, .text = std::move(why)};
  };
  if (!options_.cipher) return unreadable("it is sealed under a room key, and none is given");
  std::string text;
  switch (options_.cipher->open(speaker, bytes, text)) {
    case RoomCipher::Result::kOpened:
      // Who knows the key may still be anybody.
      if (!simdjson::validate_utf8(text)) return unreadable("it is not text");
      return {.kind = Event::Kind::kMessage, .text = std::move(text), .is_sealed = true};
    case RoomCipher::Result::kRepeated:
      return unreadable("it was said before, and has come again");
    case RoomCipher::Result::kFailed:
      return unreadable("it is sealed under another room key");
  }
  return unreadable("");
}

// Who has no key is not told what is under one.
std::optional<bool> LogMember::is_sealed_if(bool is_sealed) const {
  if (!options_.cipher) return std::nullopt;
  return is_sealed;
}

std::string LogMember::name_of(const LogEvent& event) const {
  if (!event.name.empty() || event.member == v2::kServerId) return event.name;
  return "member-" + std::to_string(event.member);  // who has gone before anybody told its name
}

void LogMember::take_closed(TimeMs now_ms, LogEvent event) {
  switch (event.close_reason) {
    case v2::CloseReason::kSilent:
      // It was this machine that slept, or its network; nobody wanted it to go.
      return lose(now_ms, "");
    case v2::CloseReason::kMoved:
      // We were let back, and the answer was lost.
      if (has_failed_to_return()) return lose(now_ms, "");
      break;
    default:
      break;
  }
  end(Event::Kind::kDisconnected, std::move(event.text));
}

}  // namespace chatd::client
