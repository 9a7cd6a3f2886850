// Long room lists: many who ask and do not read, or read slowly, cost nobody else anything.
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "tests/e2e/chatd/server_test.h"
#include "tests/support/process_figures.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

using std::chrono::milliseconds;

class Lists : public ServerTest {
 protected:
  // With so many rooms whose names are long; then somebody talks in one more.
  void start_with_rooms(int rooms, std::vector<std::string> flags = {}) {
    ASSERT_NO_FATAL_FAILURE(start(std::move(flags)));
    // No more from one address than it may have.
    for (int first = 0; first < rooms; first += 100) {
      TcpPeer control(server().tcp(), "127.0.1." + std::to_string(1 + first / 100));
      std::string requests;
      for (int i = first; i < first + 100; ++i) {
        requests += encode(create_request(std::string(200, 'r') + std::to_string(i), "host"));
      }
      ASSERT_TRUE(control.send(requests));
      for (int i = first; i < first + 100; ++i) ASSERT_EQ(control.read_answer().status(), 201);
    }
    talk_ = make_room(server(), "talk", {"alice", "bob"});
    ASSERT_EQ(talk_.size(), 2U);
  }
  void converse() { ASSERT_TRUE(talk_[1].hears(talk_[0].say("over and out"))); }

  // A client whose socket takes little, which has asked.
  std::optional<TcpPeer> ask(int receive_buffer_bytes = 48 * 1024) {
    TcpPeer peer(server().tcp());
    ::setsockopt(peer.fd(), SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes,
                 sizeof receive_buffer_bytes);
    if (!peer.read_greeting() || !peer.send(encode(list_request()))) return std::nullopt;
    return peer;
  }
  static std::string whole_list(TcpPeer& peer) {
    const auto frame = peer.read_frame();
    return frame ? frame->payload : "";
  }

 private:
  std::vector<Member> talk_;
};

TEST_F(Lists, ManyWhoDoNotReadShareOne) {
  ASSERT_NO_FATAL_FAILURE(start_with_rooms(20'000, {"--handshake-timeout", "60s"}));
  TcpPeer first(server().tcp());
  const std::string expected = first.request(list_request()).completed.value().payload;
  ASSERT_GT(expected.size(), 5'000'000U) << "more than the kernel takes";
  const std::size_t memory_before = resident_bytes(server().pid());
  std::vector<TcpPeer> readers;
  for (int i = 0; i < 80; ++i) {
    auto peer = ask();
    ASSERT_TRUE(peer);
    readers.push_back(std::move(*peer));
    if (i % 20 == 0) {
      ASSERT_NO_FATAL_FAILURE(converse());
    }
  }
  ASSERT_EQ(TcpPeer(server().tcp()).join("none", fields_of("prober")).status(), 404);
  // A copy for each would be 420 MB.
  if (!CHATD_SANITIZED) {
    EXPECT_LT(resident_bytes(server().pid()), memory_before + (16U << 20U));
  }
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(whole_list(readers[static_cast<std::size_t>(i)]) == expected);
}

// Rooms change between one and the next who asks and does not read.
TEST_F(Lists, WhoAskInDifferentMomentsShareWhatHasNotChanged) {
  ASSERT_NO_FATAL_FAILURE(start_with_rooms(4'000, {"--handshake-timeout", "300s"}));
  const std::size_t memory_before = resident_bytes(server().pid());
  std::vector<TcpPeer> readers;
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(TcpPeer(server().tcp()).join("talk", fields_of("m" + std::to_string(i))).status(),
              201);
    auto peer = ask();
    ASSERT_TRUE(peer);
    readers.push_back(std::move(*peer));
  }
  if (!CHATD_SANITIZED) {
    EXPECT_LT(resident_bytes(server().pid()), memory_before + (24U << 20U));
  }
  for (std::size_t i = 0; i < readers.size(); ++i) {
    const JsonObject list(whole_list(readers[i]));
    const JsonObject talk = list.object("rooms").object("talk");
    EXPECT_GE(talk.number("count"), static_cast<long>(3 + i)) << "who asked after a join sees it";
    EXPECT_EQ(list.number("total"), 4'001);
  }
}

TEST_F(Lists, ASlowReaderGetsItAllAsLongAsItReads) {
  ASSERT_NO_FATAL_FAILURE(start_with_rooms(4'000, {"--handshake-timeout", "1s"}));
  TcpPeer first(server().tcp());
  const std::string expected = first.request(list_request()).completed.value().payload;
  auto slow = ask();
  auto stopped = ask();
  ASSERT_TRUE(slow && stopped);
  // 100 KiB now and then: two seconds and more for all of it.
  std::string read;
  std::string piece(100 * 1024, '\0');
  const std::size_t whole_bytes = expected.size() + 32;
  const auto began = std::chrono::steady_clock::now();
  for (std::size_t pause_after = piece.size(); read.size() < whole_bytes;) {
    const ssize_t count = ::recv(slow->fd(), piece.data(), piece.size(), 0);
    if (count < 0 && errno == EAGAIN) {
      ASSERT_TRUE(wait_ready(slow->fd(), POLLIN));
      continue;
    }
    ASSERT_GT(count, 0) << "cut after " << read.size() << " bytes";
    read.append(piece, 0, static_cast<std::size_t>(count));
    if (read.size() < pause_after) continue;
    pause_after += piece.size();
    const Deadline pause = milliseconds(200);
    wait_until([&pause] { return pause.passed(); });
  }
  EXPECT_GT(std::chrono::steady_clock::now() - began, milliseconds(1'500));
  EXPECT_TRUE(read.substr(32) == expected);
  EXPECT_NE(stopped->wait_end(), StreamEnd::kOpen);
  EXPECT_LT(stopped->unread().size(), expected.size());
}

// Two lists of 10 MB used to be paid for by ten seconds of 429 for everything.
TEST_F(Lists, WhatTheyCostKeepsNobodyFromJoining) {
  ASSERT_NO_FATAL_FAILURE(start_with_rooms(20'000, {"--limit-loopback"}));
  TcpPeer control(server().tcp(), "127.0.0.9");
  int lists = 0;
  while (lists < 20 && control.request(list_request()).status() != 429) ++lists;
  EXPECT_GE(lists, 1);
  EXPECT_LT(lists, 20);
  EXPECT_EQ(control.create("mine", fields_of("host")).status(), 201);
}

TEST_F(Lists, TheRestArrivesAfterAHandOver) {
  ASSERT_NO_FATAL_FAILURE(start_with_rooms(4'000, {"--handshake-timeout", "60s"}));
  TcpPeer first(server().tcp());
  const std::string expected = first.request(list_request()).completed.value().payload;
  std::vector<TcpPeer> readers;
  for (int i = 0; i < 20; ++i) {
    auto peer = ask();
    ASSERT_TRUE(peer);
    readers.push_back(std::move(*peer));
  }
  ASSERT_TRUE(server().hand_over()) << server().diagnosis();
  ASSERT_NO_FATAL_FAILURE(converse());
  for (TcpPeer& reader : readers) ASSERT_TRUE(whole_list(reader) == expected);
  // And the connections go on.
  EXPECT_EQ(readers[0].join("none", fields_of("prober")).status(), 404);
}

}  // namespace
}  // namespace chatd::test
