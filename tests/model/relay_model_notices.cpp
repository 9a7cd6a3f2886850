// Who must hear that somebody came, left or is out. How many notices a room may get, and how many
// go unsent, is for the relay to say, by its counters.
#include <algorithm>
#include <iterator>

#include "tests/model/json_oracle.h"
#include "tests/model/relay_model.h"
#include "tests/model/require.h"

namespace chatd::test {
namespace {

// What the protocol has in a notice of this kind.
bool is_notice(const std::vector<JsonField>& fields, std::string_view operation,
               std::string_view username, std::string_view message) {
  return fields.size() == 4 && fields[0].key == "sender" && fields[0].is("system") &&
         fields[1].key == "operation" && fields[1].integer == operation &&
         fields[2].key == "username" && fields[2].is(username) && fields[3].key == "message" &&
         fields[3].is(message);
}

}  // namespace

bool RelayModel::says(const std::vector<JsonField>& fields, const OwedNotice& owed) {
  switch (owed.kind) {
    case OwedNotice::Kind::kJoined:
      return is_notice(fields, "1", owed.about, owed.about + " joined");
    case OwedNotice::Kind::kLeft:
      return is_notice(fields, "2", owed.about, owed.about + " left");
    case OwedNotice::Kind::kOut:
      return is_notice(fields, "2", owed.about, "You have been disconnected");
  }
  return false;
}

void RelayModel::owe_notice(const ModelMember& to, OwedNotice::Kind kind, const std::string& about,
                            bool is_certain) {
  ++unheard_.may_be;
  if (is_certain) ++unheard_.must_be;
  if (to.endpoint.port == 0) return;  // nobody can reach it
  const std::string place = key_of(to.endpoint);
  notices_[place].push_back({.receiver = to.token,
                             .kind = kind,
                             .about = about,
                             .is_certain = is_certain,
                             .other_places = {}});
  if (notices_[place].front().receiver != to.token) shared_.insert(place);
}

void RelayModel::owe_to_others(const ModelMember& about, OwedNotice::Kind kind, bool is_certain) {
  // A large room is told nothing. While several go it may become a small one.
  const auto size = std::count_if(members_.begin(), members_.end(),
                                  [&](const ModelMember& one) { return one.room == about.room; });
  if (is_certain && static_cast<std::uint64_t>(size) > limits_.max_notified_members) return;
  for (const ModelMember& one : members_) {
    if (one.room != about.room || one.token == about.token) continue;
    owe_notice(one, kind, about.username, is_certain);
  }
}

// Before they are taken out. Who goes with the room goes without a word about it to others, and so
// does everybody when an operator closes it or the server stops. Of several who fall silent at one
// moment anyone may be the first, and then the others may hear of it.
void RelayModel::owe_departures(TimeMs now_ms, const std::vector<ModelMember>& gone,
                                const Departure& why, bool is_over_limit) {
  const auto has_a_reason = [&](const ModelMember& one) {
    if (why.kind == Departure::Kind::kClose || why.kind == Departure::Kind::kShutdown) return false;
    if (why.kind != Departure::Kind::kRefusal) return may_go(now_ms, one, why);
    return one.is_host || std::none_of(gone.begin(), gone.end(),
                                       [](const ModelMember& other) { return other.is_host; });
  };
  for (const ModelMember& one : gone) {
    const bool leaves = why.kind == Departure::Kind::kLeave && one.token == why.token;
    if (!leaves) owe_notice(one, OwedNotice::Kind::kOut, one.username, /*is_certain=*/true);
    if (!has_a_reason(one)) continue;
    const auto in_room = std::count_if(gone.begin(), gone.end(), [&](const ModelMember& other) {
      return other.room == one.room && has_a_reason(other);
    });
    const bool may_be_limited = is_over_limit && !one.is_host;
    if (may_be_limited && std::count_if(gone.begin(), gone.end(), has_a_reason) == 1) continue;
    owe_to_others(one, OwedNotice::Kind::kLeft, /*is_certain=*/in_room == 1 && !may_be_limited);
  }
}

void RelayModel::on_notice(std::span<const Endpoint> destinations, std::string_view payload) {
  const auto fields = read_object(payload);
  require(fields.has_value(), "a notice is an object");
  const JsonField* const sender = find_field(*fields, "sender");
  require(sender != nullptr, "a notice has a sender");
  for (const Endpoint& to : destinations) {
    if (sender->is("Server")) {
      require(has_asked(to), "no address hears from chatd that did not ask");
    } else {
      require(hear_anywhere(key_of(to), *fields),
              "each notice is of something that this member is to be told");
    }
  }
}

// As owed there, or at another place for this one.
bool RelayModel::hear_anywhere(const std::string& place, const std::vector<JsonField>& fields) {
  if (hear(place, place, fields)) return true;
  return std::any_of(notices_.begin(), notices_.end(),
                     [&](const auto& other) { return hear(other.first, place, fields); });
}

// Of two that say the same, the one that must come.
bool RelayModel::hear(const std::string& owed_at, const std::string& place,
                      const std::vector<JsonField>& fields) {
  std::vector<OwedNotice>& owed = notices_[owed_at];
  auto heard = owed.end();
  for (auto one = owed.begin(); one != owed.end(); ++one) {
    const bool may_be_there = owed_at == place || contains(one->other_places, place);
    if (!may_be_there || !says(fields, *one)) continue;
    if (heard == owed.end() || (one->is_certain && !heard->is_certain)) heard = one;
  }
  if (heard == owed.end()) return false;
  --unheard_.may_be;
  if (heard->is_certain) --unheard_.must_be;
  owed.erase(heard);
  return true;
}

RelayModel::Unheard RelayModel::forgive_notices() {
  notices_.clear();
  return std::exchange(unheard_, {});
}

}  // namespace chatd::test
