#include "tests/sim/trace.h"

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "core/stats/counters.h"
#include "tests/sim/fault.h"

namespace chatd::sim {
namespace {

// The names of a step's three numbers; "outcome" and "why" are counters.
struct Words {
  std::string_view step;
  std::string_view a;
  std::string_view b;
  std::string_view c;
};

Words words_for(Step step) {
  switch (step) {
    case Step::kSends:
      return {"client sends", "client", "message", "port"};
    case Step::kAsks:
      return {"client asks", "client", "operation", "room"};
    case Step::kAnswered:
      return {"client is answered", "client", "status", ""};
    case Step::kHears:
      return {"client hears", "client", "message", "kind"};
    case Step::kRefused:
      return {"client is refused", "client", "port", ""};
    case Step::kEnters:
      return {"member enters", "member", "room", "status"};
    case Step::kGoes:
      return {"member goes", "member", "room", "why"};
    case Step::kJudged:
      return {"datagram at shard", "shard", "outcome", "message"};
    case Step::kRefusal:
      return {"refusal at shard", "shard", "port", ""};
    case Step::kTurn:
      return {"turn", "shard", "owed", "clock_ms"};
    case Step::kDelivers:
      return {"relay delivers", "shard", "message", "copies"};
    case Step::kSendsTrain:
      return {"server sends", "shard", "port", "messages"};
    case Step::kCannotSend:
      return {"server cannot send", "shard", "why", "port"};
    case Step::kLost:
      return {"network loses", "port", "message", ""};
    case Step::kFault:
      return {"fault begins", "fault", "whom", "for_us"};
    case Step::kFaultOver:
      return {"fault is over", "fault", "whom", ""};
    case Step::kServerStops:
      return {"server stops", "members", "", ""};
    case Step::kServerStarts:
      return {"server starts", "shards", "", ""};
    case Step::kSendsLog:
      return {"relay sends log", "member", "first", "count"};
    case Step::kHearsEntry:
      return {"client hears entry", "client", "entry", "kind"};
    case Step::kOperator:
      return {"operator", "act", "room", "name"};
    case Step::kCount:
      break;
  }
  return {"?", "", "", ""};
}

void append(std::string& text, std::string_view name, std::uint64_t value) {
  if (name.empty()) return;
  text.append("  ").append(name).append("=");
  if (name == "outcome" || name == "why") {
    text += counter_name(static_cast<Counter>(value));
  } else if (name == "fault") {
    text += fault_name(static_cast<Fault>(value));
  } else if (name == "message") {
    text += std::to_string(value >> 24) + ":" + std::to_string(value & 0xff'ffff);
  } else {
    text += std::to_string(value);
  }
}

}  // namespace

std::string Trace::line(const Entry& entry) {
  std::array<char, 32> time{};
  std::snprintf(time.data(), time.size(), "%12.6f s  ", static_cast<double>(entry.at_us) / 1e6);
  const Words words = words_for(entry.step);
  std::string text = time.data();
  text.append(words.step);
  text.append(words.step.size() < 20 ? 20 - words.step.size() : 0, ' ');
  append(text, words.a, entry.a);
  append(text, words.b, entry.b);
  append(text, words.c, entry.c);
  return text + "\n";
}

std::string Trace::text(std::size_t lines) const {
  const std::uint64_t kept = std::min<std::uint64_t>({lines, count_, kKept});
  std::string text;
  for (std::uint64_t i = count_ - kept; i < count_; ++i) text += line(last_[i % kKept]);
  return text;
}

void Trace::print_last() const {
  std::fputs(line(last_[(count_ - 1) % kKept]).c_str(), stdout);
}

}  // namespace chatd::sim
