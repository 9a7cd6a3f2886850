#include "server/admin/http_places.h"

#include <microhttpd.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace chatd {

void LaterAnswer::give(HttpResponse response) {
  const std::lock_guard lock(mutex_);
  if (connection_ == nullptr || std::exchange(is_given_, true)) return;
  response_ = std::move(response);
  if (std::exchange(is_asleep_, false)) MHD_resume_connection(connection_);
}

std::optional<HttpResponse> LaterAnswer::take_or_sleep() {
  const std::lock_guard lock(mutex_);
  if (!is_given_) {
    is_asleep_ = true;
    MHD_suspend_connection(connection_);
  }
  return std::exchange(response_, std::nullopt);
}

void LaterAnswer::end() {
  const std::lock_guard lock(mutex_);
  connection_ = nullptr;
}

void HttpPlaces::enter(MHD_Connection* connection, int fd) {
  const std::lock_guard lock(mutex_);
  places_.insert_or_assign(connection, Place{.fd = fd, .since = Clock::now()});
  const auto taken =
      std::ranges::count_if(places_, [](const auto& each) { return !each.second.is_shut_down; });
  if (taken > static_cast<std::ptrdiff_t>(HttpServer::kMaxConnections)) shut_down_longest();
}

// Nobody whose answer is being made: at most kMaxLater and one are.
void HttpPlaces::shut_down_longest() {
  Place* longest = nullptr;
  for (auto& [connection, place] : places_) {
    const bool is_answered = place.phase == Phase::kAnswering || place.phase == Phase::kLater;
    if (is_answered || place.is_shut_down) continue;
    if (longest == nullptr || place.since < longest->since) longest = &place;
  }
  if (longest == nullptr) return;
  longest->is_shut_down = true;
  ::shutdown(longest->fd, SHUT_RDWR);
}

void HttpPlaces::leave(MHD_Connection* connection) {
  const std::lock_guard lock(mutex_);
  places_.erase(connection);
  changed_.notify_all();
}

bool HttpPlaces::begin_answer(MHD_Connection* connection) {
  const std::lock_guard lock(mutex_);
  if (is_closed_) return false;
  enter_phase(connection, Phase::kAnswering);
  return true;
}

bool HttpPlaces::answer_later(MHD_Connection* connection, std::shared_ptr<LaterAnswer> later) {
  const std::lock_guard lock(mutex_);
  const auto waiting = std::ranges::count_if(
      places_, [](const auto& each) { return each.second.phase == Phase::kLater; });
  const auto found = places_.find(connection);
  if (waiting >= static_cast<std::ptrdiff_t>(HttpServer::kMaxLater) || found == places_.end()) {
    return false;
  }
  found->second.later = std::move(later);
  enter_phase(connection, Phase::kLater);
  return true;
}

void HttpPlaces::begin_sending(MHD_Connection* connection) {
  const std::lock_guard lock(mutex_);
  enter_phase(connection, Phase::kSending);
}

void HttpPlaces::end_answer(MHD_Connection* connection) {
  const std::lock_guard lock(mutex_);
  enter_phase(connection, Phase::kKept);
}

void HttpPlaces::enter_phase(MHD_Connection* connection, Phase phase) {
  const auto found = places_.find(connection);
  if (found == places_.end()) return;
  found->second.phase = phase;
  found->second.since = Clock::now();
  if (phase != Phase::kLater) found->second.later.reset();
  changed_.notify_all();
}

void HttpPlaces::close(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  const auto give_up_at = Clock::now() + patience;
  changed_.wait_until(lock, give_up_at, [&] {
    return std::ranges::none_of(places_, [&](const auto& each) {
      const Place& place = each.second;
      const bool is_new = place.phase == Phase::kNew && place.since + patience > Clock::now();
      return (is_new && !place.is_shut_down) || place.phase == Phase::kAnswering;
    });
  });
  is_closed_ = true;
  changed_.wait(lock, [&] {
    return std::ranges::none_of(
        places_, [](const auto& each) { return each.second.phase == Phase::kAnswering; });
  });
}

void HttpPlaces::reopen() {
  const std::lock_guard lock(mutex_);
  is_closed_ = false;
}

void HttpPlaces::answer_all(const HttpResponse& response) {
  std::vector<std::shared_ptr<LaterAnswer>> waiting;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [connection, place] : places_) {
      if (place.later) waiting.push_back(place.later);
    }
  }
  for (const auto& later : waiting) later->give(response);
}

void HttpPlaces::await_answers(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience, [&] {
    return std::ranges::none_of(places_, [](const auto& each) {
      const Phase phase = each.second.phase;
      return phase == Phase::kLater || phase == Phase::kSending;
    });
  });
}

}  // namespace chatd
