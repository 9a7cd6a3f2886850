#include "tests/integration/networks/sealed_room.h"

#include <algorithm>
#include <future>
#include <thread>
#include <utility>

#include "tests/support/said_by.h"
#include "tests/support/tls_peer.h"

namespace chatd::test {

SealedRoom::SealedRoom(const ChatdServer& server, const NetworkNamespace& network,
                       const std::string& ip) {
  const SocketAddress tls = ip.empty() ? server.tls() : SocketAddress(ip, server.tls().port());
  server_ = tls.to_string();
  const Inside inside(network);
  const TlsPeer peer(tls);
  EXPECT_TRUE(peer.connected()) << peer.failure();
  fingerprint_ = peer.fingerprint();
}

testing::AssertionResult SealedRoom::enter(const NetworkNamespace& network,
                                           const std::string& name) {
  auto entering = std::async(std::launch::async, [this, &network, &name] {
    const Inside inside(network);
    return chatd_client::Room::enter({.server = server_,
                                      .room = "kitchen",
                                      .name = name,
                                      .create = talkers_.empty(),
                                      .pin = fingerprint_});
  });
  while (entering.wait_for(std::chrono::seconds(0)) != std::future_status::ready) turn();
  auto room = entering.get();
  if (!room) return testing::AssertionFailure() << name << ": " << room.error().reason;
  talkers_.push_back(
      {.name = name, .network = &network, .room = std::move(*room), .heard = {}, .under_way = {}});
  return testing::AssertionSuccess();
}

testing::AssertionResult SealedRoom::say(std::size_t number, const std::string& text) {
  Talker& talker = talkers_[number];
  const Inside inside(*talker.network);
  const auto id = talker.room.say(text);
  if (!id) return testing::AssertionFailure() << talker.name << ": " << id.error().reason;
  talker.under_way.push_back(*id);
  said_.push_back(talker.name + ": " + text);
  return testing::AssertionSuccess();
}

void SealedRoom::take(Talker& talker, const chatd_client::Event& event) {
  using Kind = chatd_client::Event::Kind;
  switch (event.kind) {
    case Kind::kMessage:
      talker.heard.push_back(event.name + ": " + event.text);
      break;
    case Kind::kDelivered:
      std::erase(talker.under_way, event.id);
      break;
    case Kind::kRefused:
      ADD_FAILURE() << talker.name << " is refused: " << event.text;
      break;
    case Kind::kLost:
      talker.lost += event.count;
      break;
    case Kind::kSilent:
      ++talker.silences;
      break;
    case Kind::kEnded:
      talker.is_over = true;
      ADD_FAILURE() << talker.name << " is out: " << event.text;
      break;
    default:
      break;
  }
}

void SealedRoom::turn() {
  for (Talker& talker : talkers_) {
    const Inside inside(*talker.network);
    while (auto event = talker.room.next(0)) take(talker, *event);
  }
  // Nobody is to be waited for: they are in networks of their own.
  std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

void SealedRoom::run_for(std::chrono::milliseconds time) {
  const auto end = Clock::now() + time;
  while (Clock::now() < end) turn();
}

testing::AssertionResult SealedRoom::settle(Deadline deadline) {
  const auto is_settled = [this](const Talker& talker) {
    return talker.is_over || (talker.under_way.empty() && talker.heard.size() >= said_.size());
  };
  while (!std::ranges::all_of(talkers_, is_settled)) {
    if (deadline.passed()) {
      auto failed = testing::AssertionFailure() << said_.size() << " were said;";
      for (const Talker& talker : talkers_) {
        failed << " " << talker.name << " has heard " << talker.heard.size() << " and waits for "
               << talker.under_way.size() << ";";
      }
      return failed;
    }
    turn();
  }
  return testing::AssertionSuccess();
}

testing::AssertionResult SealedRoom::is_complete() const {
  std::vector<std::string> expected = said_;
  std::ranges::sort(expected);
  for (const Talker& talker : talkers_) {
    std::vector<std::string> heard = talker.heard;
    if (heard != talkers_.front().heard) {
      return testing::AssertionFailure() << talker.name << " has heard another order";
    }
    for (const Talker& speaker : talkers_) {
      if (said_by(speaker.name, heard) != said_by(speaker.name, said_)) {
        return testing::AssertionFailure()
               << talker.name << " has heard " << speaker.name << " in another order";
      }
    }
    std::ranges::sort(heard);
    if (heard != expected) {
      return testing::AssertionFailure() << talker.name << " has not heard just what was said";
    }
    if (talker.lost > 0) return testing::AssertionFailure() << talker.name << " has lost entries";
  }
  return testing::AssertionSuccess();
}

}  // namespace chatd::test
